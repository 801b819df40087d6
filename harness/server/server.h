/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SERVER_SERVER_H
#define HANGLAB_SERVER_SERVER_H

#include "base/process.h"
#include "inject/plan.h"
#include "inject/proxy/client.h"

/*
 * Storage servers of a run: real ones, started by hanglab, one per disk that wants one. They serve a file of
 * the run folder on a socket in the run folder or on a free port of the loopback interface, and die with
 * hanglab.
 */

/**
 * struct server - a server and what stands in front of it
 * @process: the server itself, what an injector may stop
 * @proxy: the network fault proxy between guest and server; not for every kind
 * @socket: UNIX socket that QEMU connects to, or NULL; valid where the folder is open (struct server_folder)
 * @control: control socket of the server, likewise, or NULL
 * @port: loopback port that the guest reaches as 10.0.2.2, 0 for none
 */
struct server {
	struct process process;
	struct proxy proxy;
	char *socket, *control;
	unsigned int port;
};

#define SERVER_NONE                                                                                          \
	{                                                                                                    \
		PROCESS_NONE, PROXY_STOPPED, NULL, NULL, 0                                                   \
	}

/** server_wanted() - does a disk of this kind have a server? */
bool server_wanted(enum plan_via via);

/** server_program() - the program that must be installed for it, or NULL */
const char *server_program(enum plan_via via);

/**
 * struct server_folder - the run folder, for sockets and logs
 * @path: its path
 * @fd: the folder, open; it must stay open, under this number, here and in whoever connects to a server
 *
 * The address of a UNIX socket has room for a path of 107 bytes, and run folders may lie deep.
 * /proc/self/fd/N/NAME is always short enough.
 */
struct server_folder {
	const char *path;
	int fd;
};

/**
 * server_start() - start the server of a disk
 * @server: SERVER_NONE; server_end() it also after a failure
 * @disk: its @via decides which
 * @image: file that it serves, in the run folder
 * @folder: see there
 * @timeout_ms: it must be ready after this time
 *
 * Return: 0 or -errno.
 */
int server_start(struct server *server, const struct plan_disk *disk, const char *image,
		 const struct server_folder *folder, int timeout_ms, struct hl_error *err);

/**
 * server_let_go() - undo whatever an injector left: a stopped server is continued
 *
 * To be called before the VM is ended: QEMU cannot end while it waits for a stopped server (measured).
 */
void server_let_go(const struct server *server);

/** server_end() - kill it and its proxy; harmless when there is none */
void server_end(struct server *server);

#endif
