/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_WORKLOAD_BUSY_CPUS_H
#define HANGLAB_INJECT_WORKLOAD_BUSY_CPUS_H

#include "base/error.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct busy_cpus - threads that keep CPUs busy in user space, one bound to each
 * @count: how many threads there are
 * @rounds: of each thread, counted up when it has finished one
 * @stop: ends them
 */
struct busy_cpus {
	size_t count;
	pthread_t threads[CPU_SETSIZE];
	_Atomic uint64_t rounds[CPU_SETSIZE];
	_Atomic bool stop;
};

/** busy_cpus_bind() - bind the calling thread to one CPU. Return: 0 or -errno. */
int busy_cpus_bind(int cpu, struct hl_error *err);

/**
 * busy_cpus_start() - a thread on every CPU of this process but one
 * @busy: zeroed; busy_cpus_stop() it
 * @except: the CPU that gets none
 *
 * Return: 0 or -errno; then no thread is left.
 */
int busy_cpus_start(struct busy_cpus *busy, int except, struct hl_error *err);

/** busy_cpus_stop() - end the threads; waits for those whose CPU stands still */
void busy_cpus_stop(struct busy_cpus *busy);

/** busy_cpus_round() - keep the calling thread's CPU busy as long as a round of the others takes */
void busy_cpus_round(void);

#endif
