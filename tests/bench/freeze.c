// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shipped default-timeout freeze scenario as a user sees it, the wall time of the whole command: cold,
 * warm, and many seeds; memory; exactness.
 */
#include "common/measure.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCENARIO "scenarios/fsfreeze-hung-task.yaml"
#define RUNS	 5

/* Guest seconds from the freeze to the report. */
static double guest_seconds(const json_t *result)
{
	const json_t *check = json_array_get(json_object_get(result, "checks"), 0);
	const json_t *injection = json_array_get(json_object_get(result, "injections"), 0);

	return json_number_value(json_object_get(check, "at")) -
	       json_number_value(json_object_get(injection, "injected_at"));
}

static void hash_console(const json_t *result, char *hash)
{
	cleanup_free char *console =
		file_path("%s/console.log", json_string_value(json_object_get(result, "folder")));

	if (hash_file(console, hash, NULL))
		target_missed("there is no console.log");
}

/* One run. @hash: receives that of its console. */
static double run_once(const char *start, const char *seed, char *hash, double *guest, double *memory)
{
	const char *const arguments[] = {"--seed", seed, SCENARIO, start, NULL};
	struct sample sample;
	double wall;

	if (!measure_run(arguments, &sample))
		target_missed(SCENARIO " did not pass; run it to see why");
	hash_console(json_array_get(sample.results, 0), hash);
	*guest = guest_seconds(json_array_get(sample.results, 0));
	*memory = sample.memory > *memory ? sample.memory : *memory;
	wall = sample.wall;
	printf("    %s seed %s: %.2f s wall, %.1f guest s from freeze to report, console sha256 %.16s\n",
	       start ? "warm" : "cold", seed, wall, *guest, hash);
	fflush(stdout);
	sample_free(&sample);
	return wall;
}

static void measure_starts(const char *start, double most)
{
	char hash[RUNS][HASH_TEXT_SIZE];
	double walls[RUNS], guest = 0, memory = 0, median;
	size_t equal = 0;

	printf("freeze, %s start\n", start ? "warm" : "cold");
	for (size_t i = 0; i < RUNS; i++) {
		walls[i] = run_once(start, "1", hash[i], &guest, &memory);
		equal += !strcmp(hash[i], hash[0]);
	}
	median = measure_median(walls, RUNS);
	target("command to verdict, s (median of 5)", median, "<=", most);
	target("guest s from freeze to report per wall s of the whole run", guest / median,
	       ">=", start ? 150 : 30);
	target("runs of 5 with the same console.log", (double)equal, ">=", RUNS);
	target("memory of the VM at most, MiB", memory, "<=", 512);
}

/* Makes the snapshot, if it is not there. */
static void make_snapshot(void)
{
	static const char *const arguments[] = {"--warm", SCENARIO, NULL};
	struct sample sample;

	if (!measure_run(arguments, &sample))
		target_missed(SCENARIO " did not pass while its snapshot was made");
	sample_free(&sample);
}

static void measure_seeds(void)
{
	static const char *const arguments[] = {"--warm", "--jobs", "2", "--repeat", "20", SCENARIO, NULL};
	struct sample sample;

	printf("freeze, 20 seeds, warm, two at a time\n");
	if (!measure_run(arguments, &sample))
		target_missed("not all passed");
	target("command to the last verdict, s", sample.wall, "<=", 10);
	sample_free(&sample);
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

/* The bytes do not depend on what else runs here, but on the seed they do. */
static void measure_exactness(void)
{
	char alone[HASH_TEXT_SIZE], beside[HASH_TEXT_SIZE], other[HASH_TEXT_SIZE];
	double guest, memory = 0;
	pid_t busy[2];

	printf("freeze, beside two busy loops\n");
	run_once(NULL, "1", alone, &guest, &memory);
	for (int i = 0; i < 2; i++)
		busy[i] = start_busy_loop();
	run_once(NULL, "1", beside, &guest, &memory);
	for (int i = 0; i < 2; i++) {
		kill(busy[i], SIGKILL);
		waitpid(busy[i], NULL, 0);
	}
	run_once(NULL, "2", other, &guest, &memory);
	if (strcmp(alone, beside) != 0)
		target_missed("one seed gave two consoles");
	if (!strcmp(alone, other))
		target_missed("two seeds gave one console");
}

int main(void)
{
	measure_starts(NULL, 4.5);
	make_snapshot();
	measure_starts("--warm", 0.8);
	measure_seeds();
	measure_exactness();
	return targets_status();
}
