/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_LOOP_H
#define HANGLAB_RUN_LOOP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The one event loop of a run, on io_uring: descriptors that become readable and timers. Callbacks run
 * one after the other in the thread that calls loop_run().
 */

struct loop;
struct loop_source;

/** typedef loop_callback - a descriptor is readable or has hung up, or a timer is due */
typedef void (*loop_callback)(void *data);

/**
 * loop_open() - make a loop
 * @loop: receives it; loop_close()
 * @err: says so when io_uring is not permitted here, and what to do
 *
 * Return: 0 or -errno.
 */
int loop_open(struct loop **loop, struct hl_error *err);

/** loop_close() - free a loop and its sources; accepts NULL */
void loop_close(struct loop *loop);

/**
 * loop_watch() - call back whenever @fd is readable
 * @fd: must stay open until loop_remove()
 * @source: receives a handle, or NULL
 *
 * Return: 0 or -errno.
 */
int loop_watch(struct loop *loop, int fd, loop_callback callback, void *data, struct loop_source **source,
	       struct hl_error *err);

/**
 * loop_timer() - call back once after @nanoseconds, unless it is set again or removed before
 * @source: where the handle is kept: a timer that is there already is replaced; NULL again once it fired
 *
 * Return: 0 or -errno.
 */
int loop_timer(struct loop *loop, int64_t nanoseconds, loop_callback callback, void *data,
	       struct loop_source **source, struct hl_error *err);

/** loop_remove() - no more callbacks of this source, which is set to NULL; accepts NULL */
void loop_remove(struct loop *loop, struct loop_source **source);

/**
 * loop_run() - dispatch until @done is true
 * @done: set by a callback
 *
 * Return: 0 or -errno.
 */
int loop_run(struct loop *loop, const bool *done, struct hl_error *err);

#endif
