/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_CHILD_H
#define HANGLAB_INJECT_GUEST_CHILD_H

#include "base/error.h"

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Children of the guest program: whatever may block on what is being broken runs in one. A child talks to
 * its parent in JSON lines, the parent to a child in single bytes; neither waits for the other.
 */

struct child;

/**
 * typedef child_body - what a child does; the process ends when it returns
 * @child: for child_report() and child_await_command()
 * @data: as given to child_start()
 */
typedef void (*child_body)(struct child *child, void *data);

/**
 * struct child_watcher - what the parent does with news of a child
 * @on_report: a message came
 * @on_exit: it ended; @status as of waitpid(2)
 */
struct child_watcher {
	void (*on_report)(void *data, json_t *report);
	void (*on_exit)(void *data, int status);
};

/**
 * child_start() - start a child
 * @comm: name of its process
 * @body: what it does
 * @watcher: what the parent does; must stay valid
 * @data: for @body and @watcher
 * @child: receives a handle that is valid until on_exit() returned, or NULL
 *
 * Return: 0 or -errno.
 */
int child_start(const char *comm, child_body body, const struct child_watcher *watcher, void *data,
		struct child **child, struct hl_error *err);

/** child_pid() - parent: process id of a child */
pid_t child_pid(const struct child *child);

/** child_command() - parent: send a byte to a child */
void child_command(struct child *child, char command);

/** child_await_command() - child: wait for a byte. Return: it, or -1 when the parent is gone. */
int child_await_command(struct child *child);

/** child_report() - child: send a message; the reference is consumed */
void child_report(struct child *child, json_t *report);

/**
 * child_poll_fill() - what poll(2) has to watch for the children
 * @fds: room for @most entries; children beyond that are read when another wakes the loop
 *
 * Return: entries used.
 */
size_t child_poll_fill(struct pollfd *fds, size_t most);

/** child_dispatch() - read what children sent, reap those that ended, tell the watchers */
void child_dispatch(void);

#endif
