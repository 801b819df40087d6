/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SERVER_KINDS_H
#define HANGLAB_SERVER_KINDS_H

#include "server/server.h"

/* The kinds of servers: one file each. Parameters and errors as server_start(). */
int nbd_start(struct server *server, const struct plan_disk *disk, const char *image,
	      const struct server_folder *folder, int timeout_ms, struct hl_error *err);
int tgt_start(struct server *server, const struct plan_disk *disk, const char *image,
	      const struct server_folder *folder, int timeout_ms, struct hl_error *err);

/**
 * server_await_socket() - wait until a server that was just started listens on a UNIX socket
 * @process: the server, to notice when it dies instead
 *
 * Return: 0, -ETIMEDOUT, -ECHILD.
 */
int server_await_socket(const struct process *process, const char *socket, int timeout_ms,
			struct hl_error *err);

/** server_await_port() - the same for a TCP port of the loopback interface */
int server_await_port(const struct process *process, unsigned int port, int timeout_ms, struct hl_error *err);

/** server_free_port() - a TCP port of the loopback interface that nobody uses now. Return: it, or -errno. */
int server_free_port(struct hl_error *err);

#endif
