/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_FLOW_H
#define HANGLAB_INJECT_PROXY_FLOW_H

#include "faults.h"
#include "iscsi_pdu.h"
#include "iscsi_tasks.h"
#include "queue.h"
#include "ring.h"

/*
 * One direction of a connection: receives from its source, applies the faults, sends to its sink. What cannot
 * be sent at once is kept in a queue; while that is because the sink is full, nothing more is received, so
 * that the source feels the sink's back-pressure.
 */

/** enum direction - up is from the initiator (who connected) to the target; index of the tables below */
enum direction { UP, DOWN, DIRECTIONS };

/**
 * struct link - one direction of all connections together
 * @bytes: given to the sinks
 * @swallowed: received and thrown away
 * @free_at: a bandwidth limit lets the next bytes pass at this time (CLOCK_MONOTONIC nanoseconds)
 */
struct link {
	uint64_t bytes, swallowed;
	int64_t free_at;
};

/**
 * struct forwarding - what all flows share
 * @ring: event loop
 * @faults: those in force
 * @links: by enum direction
 * @kept: bytes of memory in the queues of all flows
 * @not_iscsi: connections whose peers turned out not to speak iSCSI
 * @buffer: where everything is received
 * @buffer_size: of it
 */
struct forwarding {
	struct ring *ring;
	struct faults faults;
	struct link links[DIRECTIONS];
	size_t kept;
	uint64_t not_iscsi;
	uint8_t *buffer;
	size_t buffer_size;
};

/**
 * struct iscsi_connection - what the two flows of an iSCSI connection share
 * @broken: a peer does not speak iSCSI, so that the rest is forwarded as plain bytes
 */
struct iscsi_connection {
	struct iscsi_negotiation negotiation;
	struct iscsi_tasks tasks;
	bool broken;
};

/**
 * struct flow - one direction of a connection
 * @forwarding: shared by all
 * @direction: which
 * @in: watches the source
 * @out: watches the sink
 * @ready: to be sent in order
 * @held: PDUs to be kept until the fault that holds them changes
 * @held_pdus: how many
 * @hold: that fault, as it was when the flow last looked
 * @iscsi: of the connection, NULL when PDUs are not looked at (any more)
 * @parser: finds the PDUs
 * @inside: the header of a PDU has been passed on, its end not yet
 * @holding: the PDU at hand goes to @held
 * @release: @held goes to @ready at the end of the PDU at hand
 * @full: the sink takes no more for now
 * @ended: nothing more comes from the source
 * @closed: the end was passed on to the sink
 * @swallowed: bytes were thrown away, so what follows them must not be delivered
 * @wait_until: nothing happens before this time; 0 when it does not wait for a time
 */
struct flow {
	struct forwarding *forwarding;
	enum direction direction;
	struct watch in, out;
	struct queue ready, held;
	size_t held_pdus;
	struct fault_state hold;
	struct iscsi_connection *iscsi;
	struct iscsi_parser parser;
	bool inside, holding, release;
	bool full, ended, closed, swallowed;
	int64_t wait_until;
};

/** flow_start() - @flow, zeroed, joins two sockets; @iscsi or NULL; the callbacks of the watches are the
 * caller's */
void flow_start(struct flow *flow, struct forwarding *forwarding, enum direction direction, int source,
		int sink, struct iscsi_connection *iscsi);

/**
 * flow_pump() - move what can be moved now and watch for what comes next
 *
 * Return: 0, or -errno when a peer is gone or memory is exhausted.
 */
int flow_pump(struct flow *flow);

/** flow_close() - pass on an end to the sink (FIN) and forget what it did not get */
void flow_close(struct flow *flow);

/** flow_held() - bytes that came from the source and did not reach the sink, those in the source's socket
 * included */
size_t flow_held(const struct flow *flow);

/** flow_free() - forget what it keeps; the sockets are the caller's */
void flow_free(struct flow *flow);

#endif
