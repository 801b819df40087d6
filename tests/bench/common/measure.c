// SPDX-License-Identifier: GPL-2.0-or-later
#include "measure.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/workload/workload.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ARGUMENTS 32

static char folder[] = "/tmp/hanglab-bench-XXXXXX";

void sample_free(struct sample *sample)
{
	json_decref(sample->results);
	*sample = (struct sample){0};
}

static void remove_folder(void)
{
	file_remove_tree(folder, NULL);
}

const char *measure_folder(void)
{
	static bool made;

	if (!made) {
		made = mkdtemp(folder) != NULL;
		atexit(remove_folder);
	}
	return folder;
}

int measure_command(const char *const *arguments, const char *output, struct sample *sample)
{
	cleanup_fd int file = open(output, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	int64_t begun = workload_now();
	pid_t pid = file < 0 ? -1 : fork();
	struct rusage usage = {0};
	int status = -1;

	if (!pid) {
		dup2(file, STDOUT_FILENO);
		execvp(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		status = -1;
	*sample = (struct sample){
		.wall = (double)(workload_now() - begun) / 1e9,
		.memory = (double)usage.ru_maxrss / 1024,
	};
	return status;
}

static bool all_passed(const json_t *results)
{
	const json_t *result;
	size_t i;

	json_array_foreach (results, i, result) {
		const char *verdict = json_string_value(json_object_get(result, "verdict"));
		const char *reason = json_string_value(json_object_get(result, "reason"));

		if (!verdict || strcmp(verdict, "PASS") != 0)
			fprintf(stderr, "bench: %s: %s\n", verdict ? verdict : "no verdict",
				reason ? reason : "");
	}
	return json_array_size(results) > 0;
}

bool measure_run(const char *const *arguments, struct sample *sample)
{
	const char *all[MOST_ARGUMENTS] = {"./hanglab", "run", "--format", "json", "--out", measure_folder()};
	cleanup_free char *output = file_path("%s/result", measure_folder());
	json_t *document;
	int status;

	for (size_t i = 6; *arguments && i < MOST_ARGUMENTS - 1; i++)
		all[i] = *arguments++;
	status = measure_command(all, output, sample);
	document = json_load_file(output, 0, NULL);
	sample->results = json_incref(json_object_get(document, "results"));
	json_decref(document);
	return all_passed(sample->results) && !status;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double measure_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}
