/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_WAITS_H
#define HANGLAB_INJECT_GUEST_WAITS_H

#include "inject/plan.h"

#include <sys/types.h>

/*
 * What the stalled workloads and everything else that is blocked wait for. Sampled in a child:
 * /proc/PID/stack of a blocked task is safe to read, but nothing here may hold up the guest program.
 */

/**
 * struct waiter - a workload
 * @workload: its name
 * @pid: of its process
 * @disk: name of the disk that it works on, or NULL
 * @wanted: what it waits for is to be found out; else it is only told from other tasks
 */
struct waiter {
	const char *workload;
	pid_t pid;
	const char *disk;
	bool wanted;
};

/** Most waiters of one sample; further ones are left out. */
#define MOST_WAITERS 32

/**
 * waits_sample() - start a sample; the findings go to the host as messages "waits"
 * @waiters: copied
 * @count: how many
 */
void waits_sample(const struct waiter *waiters, size_t count);

#endif
