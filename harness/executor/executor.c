// SPDX-License-Identifier: GPL-2.0-or-later
#include "executor/executor.h"

#include "base/cleanup.h"
#include "executor/job_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define EXECUTOR(name) extern const struct executor executor_##name;
#include "executor/list.def"
#undef EXECUTOR

static const struct executor *const executors[] = {
#define EXECUTOR(name) &executor_##name,
#include "executor/list.def"
#undef EXECUTOR
};

#define EXECUTORS (sizeof(executors) / sizeof(executors[0]))

static const struct executor *unknown(const char *text, struct hl_error *err)
{
	char names[200] = "local";

	for (size_t i = 0; i < EXECUTORS; i++) {
		size_t length = strlen(names);

		snprintf(names + length, sizeof(names) - length, ", %s%s%s", executors[i]->name,
			 executors[i]->operand ? ":" : "",
			 executors[i]->operand ? executors[i]->operand : "");
	}
	hl_error_set(err, EINVAL, "'%s' is none of %s", text, names);
	return NULL;
}

const struct executor *executor_find(const char *text, const char **hosts, struct hl_error *err)
{
	size_t length = strcspn(text, ":");

	*hosts = text[length] && text[length + 1] ? text + length + 1 : NULL;
	for (size_t i = 0; i < EXECUTORS; i++)
		if (strlen(executors[i]->name) == length && !strncmp(executors[i]->name, text, length) &&
		    !text[length] == !executors[i]->operand && !*hosts == !executors[i]->operand)
			return executors[i];
	return unknown(text, err);
}

/* The lines whose result is not there. */
static size_t find_missing(const struct job_list *list, size_t *lines)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		json_t *result = job_result(&list->jobs[i]);

		if (!result)
			lines[count++] = i + 1;
		json_decref(result);
	}
	return count;
}

int executor_run(const struct executor *executor, const char *list, size_t jobs, const char *hosts,
		 struct hl_error *err)
{
	struct job_list jobs_of_list cleanup_with(job_list_clear) = {0};
	cleanup_free size_t *lines = NULL;
	struct executor_order order = {.list = list, .jobs = jobs, .hosts = hosts};
	int r = job_list_read(list, &jobs_of_list, err);

	if (r)
		return r;
	lines = calloc(jobs_of_list.count + 1, sizeof(*lines));
	if (!lines)
		abort();
	order.lines = lines;
	for (int round = 0; !r && round < EXECUTOR_ROUNDS; round++) {
		order.count = find_missing(&jobs_of_list, lines);
		if (!order.count)
			break;
		if (round)
			fprintf(stderr, "%zu of %zu jobs left no result: they are run again\n", order.count,
				jobs_of_list.count);
		r = executor->run(&order, err);
	}
	return r;
}
