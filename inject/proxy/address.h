/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_ADDRESS_H
#define HANGLAB_INJECT_PROXY_ADDRESS_H

#include "base/error.h"

#include <sys/socket.h>

/**
 * address_parse() - "127.0.0.1:3260", "[::1]:3260", "localhost:3260"
 * @text: host and port; ":3260" means 127.0.0.1
 * @address: receives it
 * @size: of it
 *
 * Return: 0 or -EINVAL, -ENOENT for a host name that is not known.
 */
int address_parse(const char *text, struct sockaddr_storage *address, socklen_t *size, struct hl_error *err);

/**
 * address_listen() - a nonblocking listening socket
 * @address: where; with port 0 the kernel chooses one
 * @name: of it in messages
 *
 * shutdown() makes the socket refuse connections and keep its port, listen() accept them again.
 *
 * Return: the socket or -errno.
 */
int address_listen(const struct sockaddr_storage *address, socklen_t size, const char *name,
		   struct hl_error *err);

/** address_port() - the port that a socket is bound to, 0 for none */
int address_port(int fd);

#endif
