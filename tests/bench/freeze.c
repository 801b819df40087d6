// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Speed, memory and exactness of the shipped default-timeout freeze scenario, measured as a user sees them:
 * the wall time of the whole "hanglab run" process.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "inject/workload/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define SCENARIO "scenarios/fsfreeze-hung-task.yaml"
#define RUNS	 5

/**
 * struct sample - one run
 * @wall: seconds of the whole process
 * @guest: guest seconds from the freeze to the report
 * @memory: KiB at most resident in hanglab itself (not QEMU)
 */
struct sample {
	double wall, guest, memory;
	char hash[HASH_TEXT_SIZE];
};

static const char *out;

static pid_t start_hanglab(const char *seed, int output)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	dup2(output, STDOUT_FILENO);
	execl("./hanglab", "hanglab", "run", "--out", out, "--seed", seed, "--format", "json", SCENARIO,
	      NULL);
	_exit(127);
}

static int read_result(const char *path, struct sample *sample)
{
	json_t *document = json_load_file(path, 0, NULL);
	const json_t *result = json_array_get(json_object_get(document, "results"), 0);
	const json_t *check = json_array_get(json_object_get(result, "checks"), 0);
	const json_t *injection = json_array_get(json_object_get(result, "injections"), 0);
	const char *verdict = json_string_value(json_object_get(result, "verdict"));
	const char *folder = json_string_value(json_object_get(result, "folder"));
	cleanup_free char *console = folder ? file_path("%s/console.log", folder) : NULL;
	int r = verdict && !strcmp(verdict, "PASS") && console ? hash_file(console, sample->hash, NULL)
							       : -EIO;

	sample->guest = json_number_value(json_object_get(check, "at")) -
			json_number_value(json_object_get(injection, "injected_at"));
	sample->memory = json_number_value(json_object_get(result, "memory_kib"));
	json_decref(document);
	return r;
}

static int measure(const char *seed, struct sample *sample)
{
	cleanup_free char *path = file_path("%s/result", out);
	cleanup_fd int output = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	int64_t begun = workload_now();
	int status;
	pid_t pid;

	pid = start_hanglab(seed, output);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return -EIO;
	sample->wall = (double)(workload_now() - begun) / 1e9;
	return read_result(path, sample);
}

static int by_wall(const void *a, const void *b)
{
	double x = ((const struct sample *)a)->wall, y = ((const struct sample *)b)->wall;

	return x < y ? -1 : x > y;
}

static pid_t start_busy_loop(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	while (getppid() == parent)
		;
	_exit(0);
}

static int measure_all(struct sample *samples, size_t count, const char *seed)
{
	for (size_t i = 0; i < count; i++) {
		int r = measure(seed, &samples[i]);

		if (r) {
			fprintf(stderr, "bench: %s did not pass; run it to see why\n", SCENARIO);
			return r;
		}
		printf("  seed %s: %.2f s wall, %.1f guest s from freeze to report, console sha256 %.16s\n",
		       seed, samples[i].wall, samples[i].guest, samples[i].hash);
		fflush(stdout);
	}
	return 0;
}

static void print_speed(struct sample *samples)
{
	const struct sample *median = &samples[RUNS / 2];

	qsort(samples, RUNS, sizeof(*samples), by_wall);
	printf("freeze: median of %d: %.2f s wall from command to verdict, boot included (target <= 6)\n",
	       RUNS, median->wall);
	printf("freeze: %.1f guest seconds from freeze to report per wall second of the whole run (target >= "
	       "30)\n",
	       median->guest / median->wall);
	printf("freeze: at most %.1f MiB resident in hanglab (target <= 64)\n", median->memory / 1024);
}

static int print_exactness(const struct sample *samples, size_t count, const char *other)
{
	size_t equal = 0;

	for (size_t i = 0; i < count; i++)
		equal += !strcmp(samples[i].hash, samples[0].hash);
	printf("freeze: %zu of %zu runs of one seed have the same console.log, %d of them beside two busy "
	       "loops;\n"
	       "        another seed gives %s\n",
	       equal, count, RUNS, strcmp(other, samples[0].hash) ? "another one" : "THE SAME");
	return equal == count && strcmp(other, samples[0].hash) ? 0 : -EIO;
}

int main(void)
{
	char folder[] = "/tmp/hanglab-bench-XXXXXX";
	struct sample samples[2 * RUNS], other;
	pid_t busy[2];
	int r;

	out = mkdtemp(folder);
	if (!out)
		return 1;
	r = measure_all(samples, RUNS, "1");
	for (int i = 0; i < 2; i++)
		busy[i] = start_busy_loop();
	if (!r)
		r = measure_all(samples + RUNS, RUNS, "1");
	for (int i = 0; i < 2; i++) {
		kill(busy[i], SIGKILL);
		waitpid(busy[i], NULL, 0);
	}
	if (!r)
		r = measure_all(&other, 1, "2");
	if (!r)
		r = print_exactness(samples, 2 * RUNS, other.hash);
	print_speed(samples);
	file_remove_tree(out, NULL);
	return r ? 1 : 0;
}
