/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_PROXY_H
#define HANGLAB_INJECT_PROXY_PROXY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The network fault proxy: sits between an initiator, who connects to it, and a target, and injects the
 *faults of faults.def. It runs in a process of its own ("hanglab proxy"); client.h starts and controls one.
 *
 *	proxy     joins the parts
 *	control   commands and status in JSON, libfiu's remote control, signals
 *	faults    the failure points
 *	connection, flow, queue   state of a connection, of one direction of it, and the bytes kept
 *	iscsi_pdu, iscsi_tasks    PDUs and their logical units
 *	ring, address             io_uring, sockets
 */

/**
 * struct proxy_config - what to forward
 * @listen: "ADDRESS:PORT"; port 0 lets the kernel choose
 * @to: "ADDRESS:PORT" of the target
 * @iscsi: look for iSCSI PDUs, for the faults that need them
 * @control: see control_open(), or NULL
 * @fiu_prefix: see control_open(), or NULL
 */
struct proxy_config {
	const char *listen, *to;
	bool iscsi;
	const char *control, *fiu_prefix;
};

struct proxy_server;

/**
 * proxy_open() - listen; faults that are on in libfiu already are in force from the start
 * @opened: receives it; proxy_close()
 *
 * Return: 0 or -errno.
 */
int proxy_open(struct proxy_server **opened, const struct proxy_config *config, struct hl_error *err);

/** proxy_port() - the port that it listens on */
int proxy_port(const struct proxy_server *proxy);

/** proxy_serve() - forward until a signal or the owner ends it. Return: 0 or -errno. */
int proxy_serve(struct proxy_server *proxy, struct hl_error *err);

/** proxy_close() - close everything; accepts NULL */
void proxy_close(struct proxy_server *proxy);

#endif
