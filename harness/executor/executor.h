/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_EXECUTOR_EXECUTOR_H
#define HANGLAB_EXECUTOR_EXECUTOR_H

#include "base/error.h"

#include <stddef.h>

/*
 * Runs on other machines. What is to be run is a job list (job_list.h), a plain file; whatever executes its
 * lines, the results land where the lines say. All machines must see the same folders and have the same
 * kernels in their store.
 */

/**
 * struct executor_order - what an executor is to do
 * @list: absolute path of the job list
 * @lines: which of its lines, counted from 1; @count of them
 * @jobs: how many at a time (on each host, where hosts are named); 0 for no limit
 * @hosts: what followed the colon of --executor, or NULL
 */
struct executor_order {
	const char *list;
	const size_t *lines;
	size_t count, jobs;
	const char *hosts;
};

/**
 * struct executor - a way to hand jobs over; lives in harness/executor/NAME.c, one line in list.def
 * @name: word for --executor
 * @operand: what follows the word and a colon, or NULL for nothing
 * @summary: one line for the help
 * @run: returns when all jobs have ended, however they did. 0, -EINTR when SIGINT, SIGTERM or SIGHUP came
 *(the jobs are then cancelled), or -errno when nothing could be handed over
 */
struct executor {
	const char *name, *operand, *summary;
	int (*run)(const struct executor_order *order, struct hl_error *err);
};

/**
 * executor_find() - what --executor names
 * @text: "NAME" or "NAME:HOSTS"
 * @hosts: receives what follows the colon, in @text, or NULL
 *
 * Return: the executor, or NULL after a message that lists them.
 */
const struct executor *executor_find(const char *text, const char **hosts, struct hl_error *err);

/**
 * executor_run() - run a job list to its end
 * @executor: how
 * @list: absolute path of the job list
 * @jobs: see struct executor_order
 * @hosts: see struct executor_order
 *
 * Jobs that ended without a result, or were lost with their machine, are run again, EXECUTOR_ROUNDS times
 * altogether.
 *
 * Return: 0, also when results are still missing; -EINTR after a signal, or -errno.
 */
int executor_run(const struct executor *executor, const char *list, size_t jobs, const char *hosts,
		 struct hl_error *err);

/** How often a job is tried. */
#define EXECUTOR_ROUNDS 3

#endif
