/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_MANY_H
#define HANGLAB_RUN_MANY_H

#include "run/run.h"

/**
 * struct run_many - runs to do, each in a process of its own
 * @count: runs
 * @jobs: how many at a time
 * @settings: how to run each
 * @load: makes the plan of run @index in @plan (zeroed) and names its scenario file in @path; 0 or -errno
 * @done: in the process of the run, when it has ended; may be NULL
 * @data: for both
 */
struct run_many {
	size_t count, jobs;
	const struct run_settings *settings;
	int (*load)(void *data, size_t index, struct plan *plan, const char **path, struct hl_error *err);
	void (*done)(void *data, size_t index, const json_t *result);
	void *data;
};

/**
 * run_many() - do them all
 * @results: receives a new array, one result for each run: BROKEN where a plan could not be loaded or a
 *process died; to be released also after a failure
 *
 * Return: 0, -EINTR after a signal, or -errno.
 */
int run_many(const struct run_many *many, json_t **results, struct hl_error *err);

#endif
