// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The post-mortem of a hung guest as a user sees it: how long the guest stands still for it, and the wall
 * time of the whole "hanglab postmortem" process, which prints log, stacks and lock holders.
 */
#include "common/measure.h"

#include "base/cleanup.h"
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

static void measure(const char *scenario)
{
	const char *const arguments[] = {"--postmortem", "hang", scenario, NULL};
	struct sample sample;
	bool passed = measure_run(arguments, &sample);
	const json_t *result = json_array_get(sample.results, 0);
	const json_t *taken = json_object_get(result, "postmortem");
	json_t *report = NULL;
	double seconds[READS];

	printf("%s\n", scenario);
	for (int i = 0; passed && i < READS; i++) {
		json_decref(report);
		report = read_postmortem(text_of(result, "folder"), &seconds[i]);
		passed = report != NULL;
	}
	if (passed) {
		target("guest stood still for it, s",
		       json_number_value(json_object_get(taken, "paused_seconds")), "<=", MOST_PAUSE);
		target("reading log, stacks and lock holders, s (median of 5)",
		       measure_median(seconds, READS), "<=", MOST_SECONDS);
		printf("  %zu lines of log, %zu blocked tasks\n",
		       json_array_size(json_object_get(report, "dmesg")),
		       json_array_size(json_object_get(report, "blocked")));
		print_waits(report);
	} else {
		target_missed("there is no post-mortem");
	}
	json_decref(report);
	sample_free(&sample);
}

int main(void)
{
	static const char *const scenarios[] = {"scenarios/fsfreeze-hung-task.yaml",
						"scenarios/inode-lock-behind-stalled-disk.yaml",
						"scenarios/rtnl-behind-dead-network-card.yaml"};

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		measure(scenarios[i]);
	return targets_status();
}
