/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_CONTROL_H
#define HANGLAB_INJECT_PROXY_CONTROL_H

#include "base/error.h"
#include "ring.h"

#include <jansson.h>

/*
 * How others switch faults and ask what the proxy does. On the control socket, or on standard input and
 *output: JSON objects, one a line,
 *
 *	{"command": "status"}
 *	{"command": "enable", "fault": "proxy/delay", "value": 200}
 *	{"command": "disable", "fault": "proxy/delay"}
 *
 * each answered by the status with "ok": true, or by {"ok": false, "error": TEXT}. A fault is in force, or is
 *no more, when the answer comes. And through libfiu's own remote control (fiu-ctrl), when asked for.
 */

/**
 * struct control_owner - what the control needs from the proxy
 * @data: for the callbacks
 * @faults_changed: some may have been switched in libfiu
 * @status: new JSON object
 * @quit: the proxy is to end
 * @iscsi: it follows PDUs; without it, a fault that needs them is refused rather than switched on in vain
 */
struct control_owner {
	void *data;
	void (*faults_changed)(void *data);
	json_t *(*status)(void *data);
	void (*quit)(void *data);
	bool iscsi;
};

struct control;

/**
 * control_open() - listen to others, and to SIGTERM and SIGINT, which end the proxy
 * @opened: receives it; control_close()
 * @ring: event loop
 * @owner: copied
 * @path: of the control socket to create ("@NAME" for one without a file), "-" for standard input and output,
 *whose end then ends the proxy, or NULL
 * @fiu_prefix: beginning of the path of libfiu's named pipes, or NULL
 *
 * Return: 0 or -errno.
 */
int control_open(struct control **opened, struct ring *ring, const struct control_owner *owner,
		 const char *path, const char *fiu_prefix, struct hl_error *err);

/** control_close() - after the ring was closed; removes the socket's file; accepts NULL */
void control_close(struct control *control);

#endif
