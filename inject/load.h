/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_LOAD_H
#define HANGLAB_INJECT_LOAD_H

#include "base/parameter.h"
#include "inject/inject.h"

#include <stdatomic.h>
#include <sys/types.h>

/*
 * A load on the guest: processes that keep its CPUs, memory manager or scheduler busy from inject() to
 * release(). They refuse to start outside a lab VM, die with the injector, and end by themselves at the
 * load's limit, so that no load outlives a run that has gone wrong.
 */

#define LOAD_MOST_WORKERS 128

/** The longest time that a load lasts, as a parameter of the injector whose struct has @field. */
#define LOAD_LIMIT_PARAMETER(type_, field)                                                                   \
	{                                                                                                    \
		.name = "limit", .type = PARAMETER_DURATION, .offset = offsetof(type_, field),               \
		.fallback = "10m", .least = 1000000000, .most = INT64_C(86400000000000),                     \
		.help = "the load ends by itself after this time; a run that lasts longer is BROKEN"         \
	}

struct load_shared;

/**
 * struct load_worker - what a process of the load knows
 * @number: 0 for the first that was started
 * @data: as given to load_start()
 */
struct load_worker {
	struct load_shared *shared;
	size_t number;
	const void *data;
};

/** typedef load_body - what it does; the process ends when it returns, which must be soon after
 * load_goes_on() is false */
typedef void (*load_body)(struct load_worker *worker);

/**
 * struct load - a load; zeroed, then load_open()
 * @shared: memory that all its processes share
 * @pids: its processes
 * @count: how many
 */
struct load {
	struct load_shared *shared;
	pid_t pids[LOAD_MOST_WORKERS];
	size_t count;
};

/**
 * load_open() - prepare a load without any process
 * @limit: nanoseconds until it ends by itself
 *
 * Return: 0; -EPERM outside a lab VM; -errno.
 */
int load_open(struct load *load, int64_t limit, struct hl_error *err);

/**
 * load_start() - start a process of the load
 * @comm: its name, up to 15 characters
 * @cpu: the only CPU it may run on, or -1 for any
 *
 * Return: 0 or -errno.
 */
int load_start(struct load *load, const char *comm, int cpu, load_body body, const void *data,
	       struct hl_error *err);

/**
 * load_start_each() - start a process on each CPU of a list
 * @cpus: bit N stands for CPU N; those that are not there are left out
 *
 * Return: 0 or -errno.
 */
int load_start_each(struct load *load, const char *comm, uint64_t cpus, load_body body, const void *data,
		    struct hl_error *err);

/** load_goes_on() - worker: false once the load was stopped or has reached its limit */
bool load_goes_on(const struct load_worker *worker);

/** load_pause() - worker: sleep for @nanoseconds, or until the load was stopped or has reached its limit */
void load_pause(const struct load_worker *worker, int64_t nanoseconds);

/** load_count() - worker: another @operations were done */
void load_count(struct load_worker *worker, uint64_t operations);

/** load_operations() - what all workers have done */
uint64_t load_operations(const struct load *load);

/**
 * load_ask_to_end() - load_goes_on() is false from now on; does not wait
 *
 * For workers that have to be woken before they see it; load_stop() comes after that.
 *
 * Return: 0; -ECHILD when one had ended before, so that the load was not there all the time.
 */
int load_ask_to_end(struct load *load, struct hl_error *err);

/**
 * load_stop() - stop all and wait until they have ended; those that do not within 30 seconds are killed
 *
 * Return: 0; -ECHILD as load_ask_to_end(), unless that was called; -ETIMEDOUT when one does not even die.
 */
int load_stop(struct load *load, struct hl_error *err);

/**
 * load_confirm_ended() - prove that no process of it is left
 *
 * Return: 0 with injection->evidence filled in; -EBUSY.
 */
int load_confirm_ended(const struct load *load, struct injection *injection, struct hl_error *err);

#endif
