/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_WORKLOAD_WORKLOAD_H
#define HANGLAB_INJECT_WORKLOAD_WORKLOAD_H

#include "inject/inject.h"

#include <stdatomic.h>

/*
 * A workload is what suffers: it runs in a process of its own in the guest, keeps count of what was
 * acknowledged outside the disk, and can prove afterwards that all of that is still there. Each lives
 * in inject/workload/NAME.c with its descriptor at the bottom and has one line in list.def.
 */

/**
 * struct workload_progress - shared between the guest program and the workload's process
 * @acknowledged: operations that the kernel said are done; none after the first error counts
 * @started_at: CLOCK_MONOTONIC nanoseconds when the operation in flight was started, 0 for none
 * @longest: nanoseconds of the longest finished operation
 * @longest_ended: CLOCK_MONOTONIC nanoseconds when that one ended
 * @errors: operations that failed
 * @first_errno: of the first of them
 * @stop: set by the guest program: finish the operation in flight, then end
 *
 * Lives in anonymous shared memory, so that it can be read while the process hangs and after it died.
 */
struct workload_progress {
	_Atomic uint64_t acknowledged;
	_Atomic int64_t started_at;
	_Atomic int64_t longest;
	_Atomic int64_t longest_ended;
	_Atomic uint64_t errors;
	_Atomic int first_errno;
	_Atomic bool stop;
};

/**
 * struct workload_verification - what verify() found
 * @checked: acknowledged operations whose result was looked at
 * @lost: those that are missing or wrong
 * @unsynced: those that are missing or wrong but were never promised to be durable: no loss
 * @detail: the first loss in words
 */
struct workload_verification {
	uint64_t checked, lost, unsynced;
	char detail[256];
};

/**
 * struct workload_run - one use of a workload in a run
 * @name: of its process (comm), as the scenario names it
 * @parameters: the struct that the workload's table describes
 * @seed: of its data and its pauses
 * @progress: see there
 */
struct workload_run {
	const char *name;
	const void *parameters;
	uint64_t seed;
	struct workload_progress *progress;
};

/**
 * struct workload - descriptor
 * @name: what scenarios call it
 * @summary: one line
 * @help: a paragraph
 * @parameters: table of what may stand under "with:"
 * @parameters_size: of the struct that the table describes
 * @needs: see struct needs
 * @run: works until progress->stop is set; 0, or -errno when it cannot work at all
 * @verify: after run() ended and the file system was unmounted, checked and mounted again; NULL when
 *	there is nothing to verify
 */
struct workload {
	const char *name, *summary, *help;
	const struct parameter *parameters;
	size_t parameters_size;
	struct needs needs;
	int (*run)(struct workload_run *run, struct hl_error *err);
	int (*verify)(const struct workload_run *run, struct workload_verification *found,
		      struct hl_error *err);
};

/** workload_find() - the workload called @name, or NULL */
const struct workload *workload_find(const char *name);

/** workload_list() - all workloads, NULL-terminated, sorted by name */
const struct workload *const *workload_list(void);

/** workload_next_random() - xorshift64 (Marsaglia 2003): reproducible, different in every call; @state is not
 * 0 */
uint64_t workload_next_random(uint64_t *state);

/** workload_pause() - half to three halves of @interval: the seed moves the workload against the fault */
void workload_pause(int64_t interval, uint64_t *state);

/** workload_now() - CLOCK_MONOTONIC in nanoseconds */
int64_t workload_now(void);

/** workload_begin() - note in @progress that an operation starts now */
void workload_begin(struct workload_progress *progress);

/**
 * workload_end() - note that the operation in flight has ended
 * @progress: where
 * @result: 0 or -errno; the first error voids all later acknowledgements
 */
void workload_end(struct workload_progress *progress, int result);

#endif
