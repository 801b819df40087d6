// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy.h"

#include "address.h"
#include "base/cleanup.h"
#include "connection.h"
#include "control.h"

#include <fiu-local.h>
#include <fiu.h>
#include <jansson.h>
#include <sys/resource.h>

/* Measured fastest together with 512 KiB; fits the L2 cache of the processors of the last years. */
#define BUFFER_SIZE (256 * 1024)

/* Descriptors that are no connection's: ring, listener, control socket and its peers, pipes. */
#define OTHER_DESCRIPTORS 64

/**
 * struct proxy_server - the proxy
 * @listener: accepts initiators
 * @done: it is to end
 */
struct proxy_server {
	struct ring ring;
	struct connections connections;
	struct control *control;
	int listener;
	bool ring_is_open, done;
};

static bool is_refusing(const struct faults *faults)
{
	return faults->state[PROXY_REFUSE].on;
}

static void follow_refuse(struct proxy_server *proxy, bool refuse)
{
	if (refuse) {
		ring_accept(&proxy->ring, -1);
		shutdown(proxy->listener, SHUT_RD);
	} else {
		listen(proxy->listener, SOMAXCONN);
		ring_accept(&proxy->ring, proxy->listener);
	}
}

static void faults_changed(void *data)
{
	struct proxy_server *proxy = data;
	struct faults *faults = &proxy->connections.forwarding.faults, before = *faults;

	faults_read(faults);
	if (is_refusing(faults) != is_refusing(&before))
		follow_refuse(proxy, is_refusing(faults));
	connections_follow(&proxy->connections, &before);
}

static json_t *direction_status(const struct connections *connections, enum direction direction,
				const struct fault_state *stall)
{
	const struct link *link = &connections->forwarding.links[direction];
	size_t pdus, held = connections_held(connections, direction, &pdus);

	return json_pack("{s:I, s:I, s:I, s:I, s:b}", "bytes", (json_int_t)link->bytes, "held",
			 (json_int_t)held, "held_pdus", (json_int_t)pdus, "swallowed",
			 (json_int_t)link->swallowed, "stopped", stall->on);
}

static json_t *faults_status(const struct faults *faults)
{
	json_t *list = json_object();

	for (size_t i = 0; i < PROXY_FAULTS; i++) {
		const struct fault_state *state = &faults->state[i];
		bool has_value = fault_kinds[i].unit != FAULT_NONE && state->value != FAULT_NO_VALUE;

		if (state->on)
			json_object_set_new(list, fault_kinds[i].name,
					    has_value ? json_integer(state->value) : json_true());
	}
	return list;
}

static json_t *status(void *data)
{
	const struct proxy_server *proxy = data;
	const struct connections *all = &proxy->connections;
	const struct faults *faults = &all->forwarding.faults;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "connections", (json_int_t)all->count,
			 "accepted", (json_int_t)all->accepted, "turned_away", (json_int_t)all->turned_away,
			 "reset", (json_int_t)all->reset, "not_iscsi", (json_int_t)all->forwarding.not_iscsi,
			 "up", direction_status(all, UP, &faults->state[PROXY_STALL_UP]), "down",
			 direction_status(all, DOWN, &faults->state[PROXY_STALL_DOWN]), "faults",
			 faults_status(faults));
}

static void quit(void *data)
{
	struct proxy_server *proxy = data;

	proxy->done = true;
}

static void accepted(void *data, int fd)
{
	struct proxy_server *proxy = data;

	connection_accept(&proxy->connections, fd);
}

static void timed(void *data)
{
	struct proxy_server *proxy = data;

	connections_wake(&proxy->connections);
}

/* Each connection has two sockets; one more that comes in is turned away, not left waiting. */
static size_t most_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 256;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 2 * OTHER_DESCRIPTORS ? (limit.rlim_cur - OTHER_DESCRIPTORS) / 2
						      : OTHER_DESCRIPTORS / 4;
}

static int start_listening(struct proxy_server *proxy, const struct proxy_config *config,
			   struct hl_error *err)
{
	struct sockaddr_storage address = {0};
	socklen_t size;
	int r = address_parse(config->listen, &address, &size, err);

	if (r)
		return r;
	proxy->listener = address_listen(&address, size, config->listen, err);
	return proxy->listener < 0 ? proxy->listener : 0;
}

static int prepare_forwarding(struct proxy_server *proxy, const struct proxy_config *config,
			      struct hl_error *err)
{
	struct connections *all = &proxy->connections;
	int r;

	TAILQ_INIT(&all->list);
	all->iscsi = config->iscsi;
	all->most = most_connections();
	all->forwarding.buffer_size = BUFFER_SIZE;
	all->forwarding.buffer = malloc(BUFFER_SIZE);
	if (!all->forwarding.buffer)
		return hl_error_errno(err, ENOMEM, "proxy");
	r = address_parse(config->to, &all->target, &all->target_size, err);
	if (r)
		return r;
	proxy->ring.data = proxy;
	proxy->ring.accepted = accepted;
	proxy->ring.timed = timed;
	r = ring_open(&proxy->ring, err);
	proxy->ring_is_open = !r;
	all->forwarding.ring = &proxy->ring;
	return r;
}

int proxy_open(struct proxy_server **opened, const struct proxy_config *config, struct hl_error *err)
{
	struct proxy_server *proxy = calloc(1, sizeof(*proxy));
	const struct control_owner owner = {proxy, faults_changed, status, quit, config->iscsi};
	int r;

	if (!proxy)
		return hl_error_errno(err, ENOMEM, "proxy");
	proxy->listener = -1;
	fiu_init(0);
	r = prepare_forwarding(proxy, config, err);
	if (!r)
		r = start_listening(proxy, config, err);
	if (!r)
		r = control_open(&proxy->control, &proxy->ring, &owner, config->control, config->fiu_prefix,
				 err);
	if (r) {
		proxy_close(proxy);
		return r;
	}
	ring_accept(&proxy->ring, proxy->listener);
	faults_changed(proxy);
	*opened = proxy;
	return 0;
}

int proxy_port(const struct proxy_server *proxy)
{
	return address_port(proxy->listener);
}

int proxy_serve(struct proxy_server *proxy, struct hl_error *err)
{
	return ring_run(&proxy->ring, &proxy->done, err);
}

void proxy_close(struct proxy_server *proxy)
{
	if (!proxy)
		return;
	if (proxy->ring_is_open)
		ring_close(&proxy->ring);
	control_close(proxy->control);
	connections_free(&proxy->connections);
	free(proxy->connections.forwarding.buffer);
	if (proxy->listener >= 0)
		close(proxy->listener);
	free(proxy);
}
