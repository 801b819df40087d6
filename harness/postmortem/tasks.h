/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_TASKS_H
#define HANGLAB_POSTMORTEM_TASKS_H

#include "postmortem/types.h"

#include <sys/types.h>

/**
 * struct task - a thread of the guest
 * @address: of its task_struct
 * @state: as the kernel keeps it
 * @sp: where its registers lie when it does not run
 * @stack: lowest address of its kernel stack
 * @mm: address of its mm_struct
 * @on_cpu: it runs
 */
struct task {
	uint64_t address, state, sp, stack, mm;
	pid_t pid;
	char comm[32];
	bool on_cpu;
};

/** struct task_list - all threads; free @list */
struct task_list {
	struct task *list;
	size_t count;
};

/**
 * tasks_read() - walk the kernel's list of processes and their threads
 *
 * Return: 0, -ENODATA.
 */
int tasks_read(struct task_list *tasks, const struct mapping *mapping, const struct symbols *symbols,
	       const struct types *types, struct hl_error *err);

/** tasks_find() - the one whose task_struct is at an address, or NULL */
const struct task *tasks_find(const struct task_list *tasks, uint64_t address);

/** task_is_blocked() - does it sleep uninterruptibly (state D), other than an idle worker? */
bool task_is_blocked(const struct task *task);

/** task_state() - the letter that ps prints */
const char *task_state(const struct task *task);

/** task_of_cpu() - the task that a CPU runs; idle ones are in no list. Return: false when it is not known. */
bool task_of_cpu(struct task *task, const struct mapping *mapping, const struct symbols *symbols,
		 const struct types *types, unsigned int cpu);

#endif
