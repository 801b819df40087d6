// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/server.h"

#include "base/cleanup.h"
#include "server/kinds.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static const struct kind {
	const char *program;
	int (*start)(struct server *server, const struct plan_disk *disk, const char *image,
		     const struct server_folder *folder, int timeout_ms, struct hl_error *err);
} kinds[] = {
	[PLAN_VIA_NBD] = {"nbdkit", nbd_start},		[PLAN_VIA_NVME] = {"nbdkit", nbd_start},
	[PLAN_VIA_VIRTIO_SCSI] = {"nbdkit", nbd_start}, [PLAN_VIA_GUEST_NBD] = {"nbdkit", nbd_start},
	[PLAN_VIA_ISCSI] = {"tgtd", tgt_start},
};

static const struct kind *kind_of(enum plan_via via)
{
	static const struct kind none = {NULL, NULL};

	return (size_t)via < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[via] : &none;
}

bool server_wanted(enum plan_via via)
{
	return kind_of(via)->start != NULL;
}

const char *server_program(enum plan_via via)
{
	return kind_of(via)->program;
}

int server_start(struct server *server, const struct plan_disk *disk, const char *image,
		 const struct server_folder *folder, int timeout_ms, struct hl_error *err)
{
	int r = kind_of((enum plan_via)disk->via)->start(server, disk, image, folder, timeout_ms, err);

	if (r)
		hl_error_prefix(err, "server of disk %s", disk->name);
	return r;
}

void server_let_go(const struct server *server)
{
	if (server->process.pid > 0)
		kill(server->process.pid, SIGCONT);
}

void server_end(struct server *server)
{
	proxy_stop(&server->proxy);
	process_kill(&server->process);
	if (server->socket)
		unlink(server->socket);
	free(server->socket);
	free(server->control);
	*server = (struct server)SERVER_NONE;
}

static int try_connect(const struct sockaddr *address, socklen_t size)
{
	cleanup_fd int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || connect(fd, address, size) ? -errno : 0;
}

static int await_address(const struct process *process, const struct sockaddr *address, socklen_t size,
			 int timeout_ms, struct hl_error *err)
{
	struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
	int r = -ETIMEDOUT;

	for (int waited = 0; waited < timeout_ms; waited += 10) {
		r = try_connect(address, size);
		if (!r)
			return 0;
		if (poll(&ended, 1, 10) > 0)
			return hl_error_set(err, ECHILD, "it ended at once; its log is in the run folder");
	}
	return hl_error_errno(err, -r, "it was not ready within %d ms", timeout_ms);
}

int server_await_socket(const struct process *process, const char *path, int timeout_ms, struct hl_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return hl_error_errno(err, ENAMETOOLONG, "the path of the socket %s is too long", path);
	strcpy(address.sun_path, path);
	return await_address(process, (struct sockaddr *)&address, sizeof(address), timeout_ms, err);
}

int server_await_port(const struct process *process, unsigned int port, int timeout_ms, struct hl_error *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};

	return await_address(process, (struct sockaddr *)&address, sizeof(address), timeout_ms, err);
}

int server_free_port(struct hl_error *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		return hl_error_errno(err, errno, "find a free port");
	return ntohs(address.sin_port);
}
