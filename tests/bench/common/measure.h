/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include "target.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* "hanglab run" measured as its user sees it. */

/**
 * struct sample - one command
 * @wall: seconds of the whole process
 * @memory: MiB at most resident in one process of it: the VM, when there was one
 * @results: "results" of its --format json output; may be NULL
 */
struct sample {
	double wall, memory;
	json_t *results;
};

/** sample_free() - release what it holds */
void sample_free(struct sample *sample);

/** measure_folder() - a new folder for runs, removed when the benchmark exits; static memory */
const char *measure_folder(void);

/**
 * measure_command() - any command; its standard output goes to a file
 * @arguments: program, looked up in PATH, and its arguments; NULL-terminated
 * @output: path of that file
 * @sample: receives what was measured, without results
 *
 * Return: exit status as wait(2) gives it, -1 when it could not be started.
 */
int measure_command(const char *const *arguments, const char *output, struct sample *sample);

/**
 * measure_run() - "hanglab run --format json ARGUMENTS...", with an --out of ours
 * @arguments: NULL-terminated
 * @sample: receives what was measured, also when the run did not pass
 *
 * Return: whether every verdict was PASS; if not, why was printed.
 */
bool measure_run(const char *const *arguments, struct sample *sample);

/** measure_median() - of @count values, which are sorted */
double measure_median(double *values, size_t count);

#endif
