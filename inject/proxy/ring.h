/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_RING_H
#define HANGLAB_INJECT_PROXY_RING_H

#include "base/error.h"

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The proxy's event loop on io_uring: multishot accept, one-shot polls, one timer. The data itself moves by
 * recv() and send() on a socket that is known to be ready, through one buffer that stays in the cache.
 * Measured on two cores shared by both ends, that forwards as much as recv and send requests in the ring or
 * splice (1.0 to 1.3 GB/s each, of 2.2 direct), and no request owns data while a fault is switched: a stall
 * is in force when the call that sets it returns.
 */

/**
 * struct watch - waits once for a descriptor to become ready
 * @ready: called in the thread of ring_run(); the watch is idle by then
 * @data: for @ready
 * @fd: what is watched
 * @pending: the kernel has not completed the request: the watch must stay where it is
 */
struct watch {
	void (*ready)(void *data);
	void *data;
	int fd;
	bool pending;
};

/**
 * struct ring - the event loop
 * @accepted: called with each new connection
 * @timed: called when the timer is due
 * @data: for both
 * @listener: the listening socket that is accepted from
 * @accepting: an accept request is under way
 * @accept_wanted: there is to be one
 * @timer: CLOCK_MONOTONIC nanoseconds when the timer is due, INT64_MAX for none
 * @timer_number: of the request that stands for it; those before, which were later, are ignored
 */
struct ring {
	struct io_uring uring;
	void (*accepted)(void *data, int fd);
	void (*timed)(void *data);
	void *data;
	int listener;
	bool accepting, accept_wanted;
	int64_t timer;
	uint64_t timer_number;
	struct __kernel_timespec timer_request;
};

/** ring_now() - CLOCK_MONOTONIC in nanoseconds */
int64_t ring_now(void);

/** ring_open() - set up; the callbacks are the caller's. Return: 0 or -errno. */
int ring_open(struct ring *ring, struct hl_error *err);

void ring_close(struct ring *ring);

/** ring_watch() - call @watch->ready once when its descriptor has one of @events; one that is pending stays
 * as it is */
void ring_watch(struct ring *ring, struct watch *watch, short events);

/** ring_cancel() - complete a pending watch soon; its @ready is called */
void ring_cancel(struct ring *ring, struct watch *watch);

/** ring_accept() - accept from @listener, which listens, from now on; -1 to stop */
void ring_accept(struct ring *ring, int listener);

/** ring_timer() - call @timed at @when, unless it is due earlier: then call it only then */
void ring_timer(struct ring *ring, int64_t when);

/** ring_run() - dispatch until @done is set. Return: 0 or -errno. */
int ring_run(struct ring *ring, const bool *done, struct hl_error *err);

#endif
