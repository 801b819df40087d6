/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_QMP_H
#define HANGLAB_VM_QMP_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * Client of the QEMU Machine Protocol. Calls are synchronous with a limit; events that arrive in between
 * are handed to the callback too: it takes note of them, and whoever watches qmp_fd() acts on them.
 */

struct qmp;

/** typedef qmp_on_event - an event came; @event is the whole JSON object, valid during the call */
typedef void (*qmp_on_event)(void *data, const char *name, const json_t *event);

/**
 * qmp_open() - take over a connected socket; reads the greeting and enters command mode
 * @fd: the socket; closed by qmp_close(), also when this fails
 * @timeout_ms: limit for this and every later call
 *
 * Return: 0, -ETIMEDOUT, -EPIPE when QEMU is gone, -EPROTO.
 */
int qmp_open(struct qmp **qmp, int fd, int timeout_ms, qmp_on_event on_event, void *data,
	     struct hl_error *err);

/** qmp_close() - accepts NULL */
void qmp_close(struct qmp *qmp);

/** qmp_set_timeout() - another limit for calls. Return: the limit before. */
int qmp_set_timeout(struct qmp *qmp, int timeout_ms);

/**
 * qmp_fd() - readable when events came, until qmp_dispatch() is called
 *
 * Those that the callback got while qmp_execute() waited for its answer count too: a loop that watches this
 * wakes up for them.
 */
int qmp_fd(const struct qmp *qmp);

/**
 * qmp_dispatch() - hand over the events that have arrived
 *
 * Return: 0, or -EPIPE when QEMU closed the connection.
 */
int qmp_dispatch(struct qmp *qmp, struct hl_error *err);

/**
 * qmp_await_event() - wait for an event, of any kind, and hand it over
 *
 * Return: 0; else as qmp_open().
 */
int qmp_await_event(struct qmp *qmp, struct hl_error *err);

/**
 * qmp_execute() - execute a command and wait for its answer
 * @command: its name
 * @arguments: object or NULL; the reference is consumed
 * @answer: receives a new reference to what it returned, or NULL
 *
 * Return: 0; -EREMOTEIO when QEMU refused it, with QEMU's reason; else as qmp_open().
 */
int qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, json_t **answer,
		struct hl_error *err);

#endif
