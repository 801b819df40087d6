/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_TASK_H
#define HANGLAB_INJECT_GUEST_TASK_H

#include "inject/wait_layer.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * What tasks of the guest wait for, read in /proc. Reading the stack of a blocked task is safe, but only
 * children of the guest program do it.
 */

/**
 * struct task - a task that does not run
 * @pid: its thread id
 * @process: its thread group
 * @state: letter in /proc/PID/stat
 * @layer: what it waits for, as its stack shows
 * @function: that decided @layer, or the innermost one
 * @stack: as /proc/PID/stack prints it; of a kernel without CONFIG_STACKTRACE /proc/PID/wchan
 */
struct task {
	pid_t pid, process;
	char comm[64], state;
	enum wait_layer layer;
	char function[64], stack[2048];
};

/** task_read() - thread @pid of @process. Return: is it there? */
bool task_read(pid_t process, pid_t pid, struct task *task);

/**
 * task_each() - go over threads
 * @process: only the threads of this one; 0 for all but hanglab's own
 * @states: letters of those that count
 * @each: called for each
 * @data: for @each
 */
void task_each(pid_t process, const char *states, void (*each)(void *data, const struct task *task),
	       void *data);

#endif
