/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_EXECUTOR_JOB_LIST_H
#define HANGLAB_EXECUTOR_JOB_LIST_H

#include "base/error.h"

#include <jansson.h>
#include <wordexp.h>

/*
 * A list of runs as a plain file: each line is a shell command, "hanglab run ... --result FILE SCENARIO",
 * that anything can execute anywhere, in any order and more than once.
 */

/**
 * struct job - a line of a job list
 * @words: of its command
 * @scenario, @kernel: what runs on what
 * @result: the file that its result lands in, whole or not at all
 *
 * The texts are in @words.
 */
struct job {
	wordexp_t words;
	const char *scenario, *kernel, *result;
};

/** struct job_list - @count jobs, owned */
struct job_list {
	struct job *jobs;
	size_t count;
};

/**
 * job_list_read() - read the file
 * @list: zeroed; receives the jobs; job_list_clear() it also after a failure
 * @err: names file and line
 *
 * Return: 0 or -errno.
 */
int job_list_read(const char *path, struct job_list *list, struct hl_error *err);

/** job_list_clear() - release everything */
void job_list_clear(struct job_list *list);

/** job_result() - what a job left: a new reference, or NULL when there is no result yet */
json_t *job_result(const struct job *job);

#endif
