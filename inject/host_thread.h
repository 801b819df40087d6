/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_HOST_THREAD_H
#define HANGLAB_INJECT_HOST_THREAD_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the host's kernel says of threads, from /proc/PID/task/TID: evidence that they stand still or run. */

/**
 * struct host_thread - one thread
 * @state: letter of its state (proc(5), /proc/pid/stat): T stopped by a signal, t by its tracer, Z dead
 * @run_nanoseconds: CPU time that it has used
 */
struct host_thread {
	char state;
	uint64_t run_nanoseconds;
};

/** host_thread_look() - at one thread. Return: 0; -ENOENT when there is none; -errno. */
int host_thread_look(pid_t process, pid_t thread, struct host_thread *seen, struct hl_error *err);

/**
 * struct host_threads - the living threads of a process
 * @count: how many there are
 * @stopped, @traced: how many of them are stopped by a signal, and by their tracer
 * @run_nanoseconds: CPU time of all
 */
struct host_threads {
	size_t count, stopped, traced;
	uint64_t run_nanoseconds;
};

/** host_threads_look() - at all threads of a process. Return: 0 or -errno. */
int host_threads_look(pid_t process, struct host_threads *seen, struct hl_error *err);

/** host_threads_stand_still() - is none of them running? */
bool host_threads_stand_still(const struct host_threads *threads);

#endif
