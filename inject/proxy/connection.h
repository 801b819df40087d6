/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_CONNECTION_H
#define HANGLAB_INJECT_PROXY_CONNECTION_H

#include "flow.h"

#include <sys/queue.h>
#include <sys/socket.h>

/*
 * A connection that an initiator made to the proxy, and the one that the proxy made to the target for it:
 * connecting -> joined -> closing -> freed. A black hole stays unjoined.
 */

TAILQ_HEAD(connection_list, connection);

/**
 * struct connections - all of them
 * @forwarding: shared by their flows
 * @list: newest last
 * @count: how many, with those that are closing
 * @most: no more than these; one that comes then is reset
 * @accepted: how many were ever accepted
 * @turned_away: those reset because of @most, or because the target could not be reached
 * @reset: those reset by a fault, a peer's reset, or lack of memory
 * @iscsi: look for PDUs
 * @target: address to connect to
 * @target_size: of it
 */
struct connections {
	struct forwarding forwarding;
	struct connection_list list;
	size_t count, most;
	uint64_t accepted, turned_away, reset;
	bool iscsi;
	struct sockaddr_storage target;
	socklen_t target_size;
};

/** connection_accept() - take over @client, a new nonblocking socket */
void connection_accept(struct connections *all, int client);

/** connections_follow() - the faults in @all->forwarding.faults have changed from @before */
void connections_follow(struct connections *all, const struct faults *before);

/** connections_wake() - go on with those that waited for the time that it is now */
void connections_wake(struct connections *all);

/** connections_held() - bytes kept back in one direction; @pdus receives the PDUs among them that a fault
 * holds */
size_t connections_held(const struct connections *all, enum direction direction, size_t *pdus);

/** connections_free() - after the ring was closed: close all sockets */
void connections_free(struct connections *all);

#endif
