// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tgt, an iSCSI target, on a free loopback port with its own control socket; one target, one LUN. The guest
 * reaches it through our proxy.
 */
#include "server/kinds.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

/*
 * TGT_IPC_SOCKET names the control socket, to which tgtd appends its control port, 0. All work in the run
 * folder: the path of a socket must be short.
 */
static int tgtadm(const struct server_folder *folder, const char *socket, struct hl_error *err, ...)
	__attribute__((sentinel));

static int tgtadm(const struct server_folder *folder, const char *socket, struct hl_error *err, ...)
{
	const char *arguments[24] = {"env", "-C", folder->path, socket, "tgtadm", "--lld", "iscsi"};
	size_t count = 7;
	va_list args;

	va_start(args, err);
	while (count < 23 && (arguments[count] = va_arg(args, const char *)))
		count++;
	va_end(args);
	return process_run(arguments, 10000, NULL, err);
}

/* Ready when it answers; there is nothing to wait for, so it is asked again and again. */
static int await_ready(const struct process *process, const struct server_folder *folder, const char *socket,
		       int timeout_ms, struct hl_error *err)
{
	struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
	int r = -ETIMEDOUT;

	for (int waited = 0; waited < timeout_ms; waited += 50) {
		r = tgtadm(folder, socket, err, "--mode", "system", "--op", "show", NULL);
		if (!r)
			return 0;
		if (poll(&ended, 1, 50) > 0)
			return hl_error_set(err, ECHILD, "tgtd ended at once; its log is in the run folder");
	}
	return hl_error_prefix(err, "tgtd was not ready within %d ms", timeout_ms);
}

static int add_lun(const struct server_folder *folder, const char *socket, const struct plan_disk *disk,
		   const char *image, struct hl_error *err)
{
	cleanup_free char *name = file_path("iqn.2026-11.hanglab:%s", disk->name);
	const char *slash = strrchr(image, '/');
	int r = tgtadm(folder, socket, err, "--mode", "target", "--op", "new", "--tid", "1", "-T", name,
		       NULL);

	if (!r)
		r = tgtadm(folder, socket, err, "--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun",
			   "1", "-b", slash ? slash + 1 : image, NULL);
	return r ? r
		 : tgtadm(folder, socket, err, "--mode", "target", "--op", "bind", "--tid", "1", "-I", "ALL",
			  NULL);
}

static int put_proxy_in_front(struct server *server, int port, int timeout_ms, struct hl_error *err)
{
	cleanup_free char *target = file_path("127.0.0.1:%d", port);
	struct proxy_options options = {.to = target, .iscsi = true};
	int r = proxy_start(&server->proxy, &options, timeout_ms, err);

	server->port = (unsigned int)server->proxy.port;
	return r;
}

int tgt_start(struct server *server, const struct plan_disk *disk, const char *image,
	      const struct server_folder *folder, int timeout_ms, struct hl_error *err)
{
	cleanup_free char *log_path = file_path("%s/tgtd-%s.log", folder->path, disk->name);
	cleanup_free char *socket = file_path("TGT_IPC_SOCKET=tgtd-%s", disk->name);
	cleanup_fd int log = open(log_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	cleanup_free char *portal = NULL;
	struct process_files files = {-1, log, log, NULL, 0};
	const char *arguments[] = {"env",	   "-C",      folder->path, socket, "tgtd",
				   "--foreground", "--iscsi", NULL,	    NULL};
	int port = server_free_port(err), r;

	if (port < 0)
		return port;
	if (log < 0)
		return hl_error_errno(err, errno, "create %s", log_path);
	portal = file_path("portal=127.0.0.1:%d", port);
	arguments[7] = portal;
	r = process_start(&server->process, arguments, &files, err);
	if (!r)
		r = await_ready(&server->process, folder, socket, timeout_ms, err);
	if (!r)
		r = add_lun(folder, socket, disk, image, err);
	return r ? r : put_proxy_in_front(server, port, timeout_ms, err);
}
