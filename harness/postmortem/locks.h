/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_LOCKS_H
#define HANGLAB_POSTMORTEM_LOCKS_H

#include "postmortem/tasks.h"
#include "postmortem/unwind.h"

/**
 * struct wait - what a blocked task waits for
 * @kind: "mutex", "rw_semaphore", "semaphore", "frozen file system", "percpu_rw_semaphore", "page", "buffer";
 *NULL when not known
 * @what: which one, in words
 * @lock: its address, 0 for none
 * @holder: the task that holds it, or NULL
 * @readers: it is held by readers: @holder is the last that came, others may hold it too
 */
struct wait {
	const char *kind;
	char what[256];
	uint64_t lock;
	const struct task *holder;
	bool readers;
};

struct locks;

/** locks_open() - prepare; everything is borrowed. Never NULL. */
struct locks *locks_open(const struct mapping *mapping, const struct symbols *symbols,
			 const struct types *types, const struct task_list *tasks);

/** locks_close() - accepts NULL */
void locks_close(struct locks *locks);

/**
 * locks_find() - what a blocked task waits for
 * @frames: its stack
 *
 * A waiter queues a structure on its own stack: it is found there, and the lock through it.
 */
struct wait locks_find(const struct locks *locks, const struct task *task, const struct frame *frames,
		       size_t count);

#endif
