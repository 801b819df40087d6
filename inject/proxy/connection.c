// SPDX-License-Identifier: GPL-2.0-or-later
#include "connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * struct connection - see connection.h
 * @client: socket of the initiator
 * @server: socket of the target, -1 for none
 * @connecting: watches @server until it is connected
 * @joined: the flows run
 * @closing: nothing happens any more; freed when no watch is pending
 */
struct connection {
	TAILQ_ENTRY(connection) entry;
	struct connections *all;
	int client, server;
	struct watch connecting;
	struct flow flow[DIRECTIONS];
	struct iscsi_connection iscsi;
	bool joined, closing;
};

static bool is_on(const struct connections *all, enum proxy_fault which)
{
	return all->forwarding.faults.state[which].on;
}

/* RFC 9293 section 3.10.5 calls it ABORT: close() then sends RST and discards what is queued. */
static void reset_at_close(int fd)
{
	const struct linger abort_it = {.l_onoff = 1, .l_linger = 0};

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
}

static bool is_watched(const struct connection *connection)
{
	for (int d = 0; d < DIRECTIONS; d++)
		if (connection->flow[d].in.pending || connection->flow[d].out.pending)
			return true;
	return connection->connecting.pending;
}

static void free_connection(struct connection *connection)
{
	struct connections *all = connection->all;

	TAILQ_REMOVE(&all->list, connection, entry);
	all->count--;
	for (int d = 0; connection->joined && d < DIRECTIONS; d++)
		flow_free(&connection->flow[d]);
	iscsi_tasks_free(&connection->iscsi.tasks);
	close(connection->client);
	if (connection->server >= 0)
		close(connection->server);
	free(connection);
}

/* A pending poll keeps its socket open, so the sockets are only closed when all are completed. */
static void free_if_idle(struct connection *connection)
{
	if (!is_watched(connection))
		free_connection(connection);
}

/* @connection is gone when this returns, or soon after. */
static void close_connection(struct connection *connection, bool reset)
{
	struct ring *ring = connection->all->forwarding.ring;

	if (connection->closing)
		return;
	connection->closing = true;
	if (reset) {
		reset_at_close(connection->client);
		reset_at_close(connection->server);
	}
	ring_cancel(ring, &connection->connecting);
	for (int d = 0; d < DIRECTIONS; d++) {
		ring_cancel(ring, &connection->flow[d].in);
		ring_cancel(ring, &connection->flow[d].out);
	}
	free_if_idle(connection);
}

static void reset_connection(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->all->reset++;
	close_connection(connection, true);
}

static void turn_away(struct connection *connection)
{
	connection->all->turned_away++;
	close_connection(connection, true);
}

/* A black hole has nothing to pass the end of a stream on to. */
static bool is_over(const struct connection *connection, const struct flow *flow)
{
	return flow->closed || (flow->ended && (flow->swallowed || is_on(connection->all, PROXY_BLACK_HOLE)));
}

static int pump_both(struct connection *connection)
{
	for (int d = 0; d < DIRECTIONS; d++) {
		int r = d == DOWN && connection->server < 0 ? 0 : flow_pump(&connection->flow[d]);

		if (r)
			return r;
	}
	return 0;
}

static void pump(struct connection *connection)
{
	bool was_broken = connection->iscsi.broken;
	int r = pump_both(connection);

	/* What one direction found out, both must act on. */
	if (!r && connection->iscsi.broken != was_broken)
		r = pump_both(connection);
	if (r)
		reset_connection(connection);
	else if (is_over(connection, &connection->flow[UP]) &&
		 (connection->server < 0 || is_over(connection, &connection->flow[DOWN])))
		close_connection(connection, false);
}

static void pump_one(struct connection *connection, enum direction direction)
{
	bool was_broken = connection->iscsi.broken;

	if (connection->closing)
		free_if_idle(connection);
	else if (flow_pump(&connection->flow[direction]))
		reset_connection(connection);
	else if (connection->flow[direction].ended || connection->iscsi.broken != was_broken)
		pump(connection);
}

static void up_ready(void *data)
{
	pump_one(data, UP);
}

static void down_ready(void *data)
{
	pump_one(data, DOWN);
}

static void join(struct connection *connection)
{
	static void (*const ready[DIRECTIONS])(void *data) = {[UP] = up_ready, [DOWN] = down_ready};
	int ends[] = {connection->client, connection->server};
	struct connections *all = connection->all;

	connection->joined = true;
	for (int d = 0; d < DIRECTIONS; d++) {
		struct flow *flow = &connection->flow[d];

		flow->in.ready = flow->out.ready = ready[d];
		flow->in.data = flow->out.data = connection;
		flow_start(flow, &all->forwarding, (enum direction)d, ends[d], ends[!d],
			   all->iscsi && connection->server >= 0 ? &connection->iscsi : NULL);
	}
	pump(connection);
}

static void connected(void *data)
{
	struct connection *connection = data;
	int code = 0;
	socklen_t size = sizeof(code);

	if (connection->closing)
		free_if_idle(connection);
	else if (getsockopt(connection->server, SOL_SOCKET, SO_ERROR, &code, &size) || code)
		turn_away(connection);
	else
		join(connection);
}

static void send_at_once(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void connect_to_target(struct connection *connection)
{
	struct connections *all = connection->all;
	int fd = socket(all->target.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	connection->server = fd;
	if (fd < 0) {
		turn_away(connection);
		return;
	}
	send_at_once(fd);
	if (connect(fd, (struct sockaddr *)&all->target, all->target_size) && errno != EINPROGRESS) {
		turn_away(connection);
		return;
	}
	connection->connecting = (struct watch){connected, connection, fd, false};
	ring_watch(all->forwarding.ring, &connection->connecting, POLLOUT);
}

void connection_accept(struct connections *all, int client)
{
	struct connection *connection = all->count < all->most ? calloc(1, sizeof(*connection)) : NULL;

	all->accepted++;
	if (!connection) {
		all->turned_away++;
		reset_at_close(client);
		close(client);
		return;
	}
	connection->all = all;
	connection->client = client;
	connection->server = -1;
	TAILQ_INSERT_TAIL(&all->list, connection, entry);
	all->count++;
	send_at_once(client);
	if (is_on(all, PROXY_BLACK_HOLE))
		join(connection);
	else
		connect_to_target(connection);
}

static bool switched_on(const struct connections *all, const struct faults *before, enum proxy_fault which)
{
	return is_on(all, which) && !before->state[which].on;
}

/* What a fault that has just been switched on or off does once, to each connection there is. */
static void follow(struct connection *connection, const struct faults *before)
{
	const struct connections *all = connection->all;
	struct flow *flow = connection->flow;

	if (switched_on(all, before, PROXY_RESET)) {
		reset_connection(connection);
		return;
	}
	if (!connection->joined)
		return;
	/* A stream with a gap must not go on. */
	if (!is_on(all, PROXY_BLACK_HOLE) &&
	    (connection->server < 0 || flow[UP].swallowed || flow[DOWN].swallowed)) {
		reset_connection(connection);
		return;
	}
	if (connection->server >= 0 && switched_on(all, before, PROXY_HALF_CLOSE_UP))
		flow_close(&flow[UP]);
	if (connection->server >= 0 && switched_on(all, before, PROXY_HALF_CLOSE_DOWN))
		flow_close(&flow[DOWN]);
	pump(connection);
}

void connections_follow(struct connections *all, const struct faults *before)
{
	struct connection *next;

	for (struct connection *connection = TAILQ_FIRST(&all->list); connection; connection = next) {
		next = TAILQ_NEXT(connection, entry);
		if (!connection->closing)
			follow(connection, before);
	}
}

static int64_t waits_until(const struct connection *connection)
{
	int64_t up = connection->flow[UP].wait_until, down = connection->flow[DOWN].wait_until;

	return up && down ? (up < down ? up : down) : up | down;
}

void connections_wake(struct connections *all)
{
	struct connection *next, *first = TAILQ_FIRST(&all->list);
	int64_t now = ring_now();

	for (struct connection *connection = first; connection; connection = next) {
		int64_t until = connection->closing ? 0 : waits_until(connection);

		next = TAILQ_NEXT(connection, entry);
		if (until && until > now)
			ring_timer(all->forwarding.ring, until);
		else if (until)
			pump(connection);
	}
	/* Another one comes first next time, so that a bandwidth limit is shared. */
	first = TAILQ_FIRST(&all->list);
	if (first) {
		TAILQ_REMOVE(&all->list, first, entry);
		TAILQ_INSERT_TAIL(&all->list, first, entry);
	}
}

size_t connections_held(const struct connections *all, enum direction direction, size_t *pdus)
{
	const struct connection *connection;
	size_t bytes = 0;

	*pdus = 0;
	TAILQ_FOREACH(connection, &all->list, entry)
	{
		if (!connection->joined || connection->closing ||
		    (direction == DOWN && connection->server < 0))
			continue;
		bytes += flow_held(&connection->flow[direction]);
		*pdus += connection->flow[direction].held_pdus;
	}
	return bytes;
}

void connections_free(struct connections *all)
{
	while (!TAILQ_EMPTY(&all->list))
		free_connection(TAILQ_FIRST(&all->list));
}
