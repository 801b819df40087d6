/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_CLIENT_H
#define HANGLAB_INJECT_PROXY_CLIENT_H

#include "base/error.h"
#include "base/process.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts "hanglab proxy" as a child and controls it through a socket pair: nothing has a name, so nothing can
 * be left. */

/** No value: a number takes its default, a LUN means every LUN. */
#define PROXY_NO_VALUE (-1)

/**
 * struct proxy_options - which proxy to start
 * @listen: "ADDRESS:PORT"; NULL for a free port of 127.0.0.1
 * @to: "ADDRESS:PORT" of the target
 * @iscsi: look for iSCSI PDUs, for the faults proxy/iscsi/...
 * @program: hanglab; NULL for the running program
 */
struct proxy_options {
	const char *listen, *to;
	bool iscsi;
	const char *program;
};

/**
 * struct proxy - a proxy that was started
 * @process: the child
 * @port: that it listens on
 * @socket: where commands go
 * @line: what was received of its next answer
 * @length: of @line
 */
struct proxy {
	struct process process;
	int port;
	int socket;
	char *line;
	size_t length;
};

#define PROXY_STOPPED                                                                                        \
	{                                                                                                    \
		PROCESS_NONE, 0, -1, NULL, 0                                                                 \
	}

/**
 * struct proxy_direction - one direction, all connections together, since the proxy was started
 * @bytes: given to the other side's socket
 * @held: that came in and were not given on, those in the sender's socket at the proxy included
 * @held_pdus: whole or partial PDUs that proxy/iscsi/hold-* keeps back
 * @swallowed: thrown away by proxy/black-hole
 * @stopped: proxy/stall is in force: @bytes stays what it is
 */
struct proxy_direction {
	uint64_t bytes, held, held_pdus, swallowed;
	bool stopped;
};

/**
 * struct proxy_status - what a proxy does
 * @connections: open now
 * @accepted: ever
 * @turned_away: reset at once: the target could not be reached, or there were too many
 * @reset: by proxy/reset, or because a peer reset them
 * @not_iscsi: with @iscsi: those that turned out not to speak it
 * @up: from the initiator to the target
 * @down: from the target to the initiator
 */
struct proxy_status {
	uint64_t connections, accepted, turned_away, reset, not_iscsi;
	struct proxy_direction up, down;
};

/**
 * proxy_start() - start a proxy and wait until it accepts connections
 * @proxy: PROXY_STOPPED; proxy_stop()
 * @timeout_ms: longest wait
 * @err: carries what the proxy printed when it could not start
 *
 * Return: 0 or -errno; nothing runs after a failure.
 */
int proxy_start(struct proxy *proxy, const struct proxy_options *options, int timeout_ms,
		struct hl_error *err);

/**
 * proxy_enable() - switch on a fault, or a group such as "proxy/stall"; it is in force when this returns
 * @value: milliseconds, bytes per second or LUN, or PROXY_NO_VALUE
 * @timeout_ms: longest wait for the answer
 *
 * Return: 0, -errno of the reason in @err, or -ETIMEDOUT.
 */
int proxy_enable(struct proxy *proxy, const char *fault, int64_t value, int timeout_ms, struct hl_error *err);

/** proxy_disable() - switch off a fault or a group; see proxy_enable() */
int proxy_disable(struct proxy *proxy, const char *fault, int timeout_ms, struct hl_error *err);

/** proxy_get_status() - ask what it does; see proxy_enable() */
int proxy_get_status(struct proxy *proxy, struct proxy_status *status, int timeout_ms, struct hl_error *err);

/** proxy_stop() - end and reap it; one that has ended or was never started is no error */
void proxy_stop(struct proxy *proxy);

#endif
