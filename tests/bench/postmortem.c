// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The post-mortem of a hung guest as a user sees it: how long the guest stands still for it, and the wall
 * time of the whole "hanglab postmortem" process, which prints log, stacks and lock holders.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "inject/workload/workload.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#define RUN_LIMIT_MS 300000
#define MOST_SECONDS 3.0
#define MOST_PAUSE   0.1
#define READS	     5

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Runs a scenario. Return: its result, NULL unless it passed. */
static json_t *run_scenario(const char *scenario, const char *out)
{
	const char *const arguments[] = {"./hanglab", "run",	  "--out", out,	     "--postmortem",
					 "hang",      "--format", "json",  scenario, NULL};
	cleanup_free char *output = NULL;
	struct hl_error err = HL_ERROR_INIT;
	json_t *document, *result;

	if (process_run(arguments, RUN_LIMIT_MS, &output, &err)) {
		fprintf(stderr, "bench: %s\n", err.text);
		return NULL;
	}
	document = json_loads(output, 0, NULL);
	result = json_incref(json_array_get(json_object_get(document, "results"), 0));
	json_decref(document);
	return result;
}

static json_t *read_postmortem(const char *folder, double *seconds)
{
	const char *const arguments[] = {"./hanglab", "postmortem", "--format", "json", folder, NULL};
	cleanup_free char *output = NULL;
	int64_t begun = workload_now();

	if (process_run(arguments, RUN_LIMIT_MS, &output, NULL))
		return NULL;
	*seconds = (double)(workload_now() - begun) / 1e9;
	return json_loads(output, 0, NULL);
}

/* The first task that waits for something: "writer waits for frozen file system, ext4 on loop0 ...". */
static void print_waits(const json_t *report)
{
	const json_t *task, *wait, *holder;
	size_t i;

	json_array_foreach (json_object_get(report, "blocked"), i, task) {
		wait = json_object_get(task, "waits_for");
		holder = json_object_get(wait, "holder");
		printf("  %s waits for: %s, %s%s%s\n", text_of(task, "comm"), text_of(wait, "kind"),
		       text_of(wait, "what"), holder ? ", held by " : "", text_of(holder, "comm"));
	}
}

static bool measure(const char *scenario, const char *out)
{
	json_t *result = run_scenario(scenario, out), *report = NULL;
	const json_t *taken = json_object_get(result, "postmortem");
	double pause = json_number_value(json_object_get(taken, "paused_seconds")), best = 0, seconds = 0;
	bool good;

	for (int i = 0; taken && i < READS; i++) {
		json_decref(report);
		report = read_postmortem(text_of(result, "folder"), &seconds);
		if (!i || seconds < best)
			best = seconds;
	}
	printf("%s\n", scenario);
	if (report) {
		printf("  guest stood still for %.3f s (target <= %.1f)\n", pause, MOST_PAUSE);
		printf("  %zu lines of log, %zu blocked tasks read in %.2f s, best of %d (target <= %.0f)\n",
		       json_array_size(json_object_get(report, "dmesg")),
		       json_array_size(json_object_get(report, "blocked")), best, READS, MOST_SECONDS);
		print_waits(report);
	} else {
		printf("  NO POST-MORTEM: %s\n", text_of(result, "reason"));
	}
	good = report && best <= MOST_SECONDS;
	json_decref(report);
	json_decref(result);
	return good;
}

int main(void)
{
	static const char *const scenarios[] = {"scenarios/fsfreeze-hung-task.yaml",
						"scenarios/inode-lock-behind-stalled-disk.yaml",
						"scenarios/rtnl-behind-dead-network-card.yaml"};
	char folder[] = "/tmp/hanglab-bench-XXXXXX";
	bool good = mkdtemp(folder) != NULL;

	for (size_t i = 0; good && i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		good = measure(scenarios[i], folder);
	file_remove_tree(folder, NULL);
	return !good;
}
