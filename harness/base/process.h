/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_PROCESS_H
#define HANGLAB_BASE_PROCESS_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct process - a child that hanglab started
 * @pid: its process id, 0 for none; also the id of its process group
 * @pidfd: readable once it has ended; -1 for none
 *
 * The child dies with hanglab whatever ends hanglab (PR_SET_PDEATHSIG, which it cannot change), gains no
 * privileges (PR_SET_NO_NEW_PRIVS), and is only ever signalled by this pid.
 */
struct process {
	pid_t pid;
	int pidfd;
};

#define PROCESS_NONE                                                                                         \
	{                                                                                                    \
		0, -1                                                                                        \
	}

/**
 * struct process_files - what a child gets as its descriptors
 * @input: its standard input, -1 for /dev/null
 * @output: its standard output, -1 for /dev/null
 * @error: its standard error, -1 for /dev/null
 * @keep: further descriptors it inherits under their own numbers
 * @keep_count: how many
 */
struct process_files {
	int input, output, error;
	const int *keep;
	size_t keep_count;
};

/**
 * process_start() - run a program found through PATH
 * @process: receives the child
 * @arguments: NULL-terminated; the first names the program
 * @files: its descriptors, or NULL for /dev/null everywhere
 *
 * Return: 0 or -errno; a program that does not exist is reported here (-ENOENT), not by the child.
 */
int process_start(struct process *process, const char *const *arguments, const struct process_files *files,
		  struct hl_error *err);

/**
 * process_wait() - wait until the child has ended and forget it
 * @process: the child; PROCESS_NONE afterwards unless it timed out
 * @timeout_ms: longest wait in milliseconds, -1 for no limit
 * @status: wait status, or NULL
 *
 * Return: 0, -ETIMEDOUT or -errno.
 */
int process_wait(struct process *process, int timeout_ms, int *status, struct hl_error *err);

/**
 * process_kill() - SIGKILL a child and its process group, reap it, forget it
 * @process: the child; one that has ended or was never started is no error
 */
void process_kill(struct process *process);

/** process_has_thread() - is @thread one of the child's? */
bool process_has_thread(const struct process *process, pid_t thread);

/**
 * process_run() - run a program to its end and collect what it prints
 * @arguments: as for process_start()
 * @timeout_ms: it is killed after this time
 * @output: newly allocated standard output, NUL-terminated, or NULL to drop it
 * @err: names the program, its exit status and the end of what it printed on standard error
 *
 * Return: 0 when it exited with 0, else -errno (-EIO for a non-zero exit).
 */
int process_run(const char *const *arguments, int timeout_ms, char **output, struct hl_error *err);

/**
 * struct process_listener - who is told what a program prints
 * @take: called with each line, without its end; one that is longer than 4 KiB comes in parts
 * @data: handed to @take
 * @silent_ms: longest time in which it may print nothing, and from the end of its output to its own
 * @errors: descriptor for its standard error; -1: that is told too
 */
struct process_listener {
	void (*take)(void *data, const char *line);
	void *data;
	int silent_ms, errors;
};

/**
 * process_follow() - run a program to its end and tell what it prints, line by line
 * @arguments: as for process_start()
 * @status: receives its wait status
 *
 * Return: 0 when it ended, however it did; else -errno, and it was killed.
 */
int process_follow(const char *const *arguments, const struct process_listener *listener, int *status,
		   struct hl_error *err);

/**
 * process_find_program() - where PATH (or /usr/sbin, /sbin) has a program
 *
 * Return: newly allocated absolute path, or NULL.
 */
char *process_find_program(const char *name);

#endif
