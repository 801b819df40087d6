// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nbdkit on a UNIX socket, with the filters that two injectors control: "pause" (its own socket) and "error"
 * (switched on by a file).
 */
#include "server/kinds.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

int nbd_start(struct server *server, const struct plan_disk *disk, const char *image, const char *run_folder,
	      int timeout_ms, struct hl_error *err)
{
	cleanup_free char *log_path = file_path("%s/nbdkit-%s.log", run_folder, disk->name);
	cleanup_free char *pause = file_path("pause-control=%s/nbdkit-%s.pause", run_folder, disk->name);
	cleanup_free char *error = file_path("error-file=%s/nbdkit-%s.error", run_folder, disk->name);
	cleanup_fd int log = open(log_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	struct process_files files = {-1, log, log, NULL, 0};
	const char *arguments[] = {"nbdkit",
				   "--foreground",
				   "--unix",
				   NULL,
				   "--filter=pause",
				   "--filter=error",
				   "file",
				   image,
				   pause,
				   "error=EIO",
				   error,
				   "error-rate=100%",
				   NULL};
	int r;

	if (log < 0)
		return hl_error_errno(err, errno, "create %s", log_path);
	server->socket = file_path("%s/nbdkit-%s.sock", run_folder, disk->name);
	server->control = file_path("%s/nbdkit-%s.pause", run_folder, disk->name);
	arguments[3] = server->socket;
	r = process_start(&server->process, arguments, &files, err);
	return r ? r : server_await_socket(&server->process, server->socket, timeout_ms, err);
}
