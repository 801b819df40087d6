// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nbdkit on a UNIX socket for QEMU, or on a loopback port for the guest's own client, with the filters that
 * two injectors control: "pause" (its own socket) and "error" (switched on by a file).
 */
#include "server/kinds.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static char *in_folder(const struct server_folder *folder, const struct plan_disk *disk, const char *suffix)
{
	return file_path("/proc/self/fd/%d/nbdkit-%s.%s", folder->fd, disk->name, suffix);
}

/* What it listens on, as arguments of nbdkit. Return: 0 or -errno. */
static int choose_address(struct server *server, const struct plan_disk *disk,
			  const struct server_folder *folder, char **address, struct hl_error *err)
{
	int port;

	if (disk->via != PLAN_VIA_GUEST_NBD) {
		server->socket = in_folder(folder, disk, "sock");
		*address = file_path("--unix=%s", server->socket);
		return 0;
	}
	port = server_free_port(err);
	if (port < 0)
		return port;
	server->port = (unsigned int)port;
	*address = file_path("--port=%d", port);
	return 0;
}

int nbd_start(struct server *server, const struct plan_disk *disk, const char *image,
	      const struct server_folder *folder, int timeout_ms, struct hl_error *err)
{
	cleanup_free char *log_path = file_path("%s/nbdkit-%s.log", folder->path, disk->name);
	cleanup_free char *pause_path = in_folder(folder, disk, "pause"),
			  *error_path = in_folder(folder, disk, "error");
	cleanup_free char *pause = file_path("pause-control=%s", pause_path);
	cleanup_free char *error = file_path("error-file=%s", error_path);
	cleanup_fd int log = open(log_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	struct process_files files = {-1, log, log, &folder->fd, 1};
	cleanup_free char *address = NULL;
	int r = choose_address(server, disk, folder, &address, err);
	const char *const arguments[] = {"nbdkit",
					 "--foreground",
					 "--ipaddr=127.0.0.1",
					 address,
					 "--filter=pause",
					 "--filter=error",
					 "file",
					 image,
					 pause,
					 "error=EIO",
					 error,
					 "error-rate=100%",
					 NULL};

	if (r)
		return r;
	if (log < 0)
		return hl_error_errno(err, errno, "create %s", log_path);
	server->control = take_pointer(pause_path);
	r = process_start(&server->process, arguments, &files, err);
	if (r)
		return r;
	return server->socket ? server_await_socket(&server->process, server->socket, timeout_ms, err)
			      : server_await_port(&server->process, server->port, timeout_ms, err);
}
