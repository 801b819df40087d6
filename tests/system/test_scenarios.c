// SPDX-License-Identifier: GPL-2.0-or-later
/* Every shipped scenario, in a real VM. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <glob.h>
#include <stdbool.h>
#include <string.h>

static const char *evidence_of(const json_t *result, const char *key)
{
	const json_t *injection = json_array_get(json_object_get(result, "injections"), 0);
	const char *evidence = json_string_value(json_object_get(injection, key));

	return evidence ? evidence : "";
}

/* KVM met the very entry that was written, at the end of the walk that was confirmed, and KVM_RUN failed. */
static void kvm_prints_the_walk(const json_t *result)
{
	const json_t *check = json_array_get(json_object_get(result, "checks"), 0), *entry;
	const json_t *fields = json_object_get(json_object_get(check, "event"), "fields");
	const json_t *workload = json_array_get(json_object_get(result, "workloads"), 0);
	const char *walk = strstr(evidence_of(result, "evidence"), "the walk is now");
	size_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(walk);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(fields, "walk")), 4);
	json_array_foreach (json_object_get(fields, "walk"), i, entry) {
		walk = strstr(walk, json_string_value(json_object_get(entry, "spte")));
		CU_ASSERT_PTR_NOT_NULL_FATAL(walk);
	}
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(workload, "errors")), 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(json_object_get(workload, "first_error"));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(workload, "first_error")),
			       "Invalid argument");
}

static void kvm_repairs_the_entry(const json_t *result)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(evidence_of(result, "release_evidence"), "kernel has repaired it"));
}

/* Interval, 0, PRCB, and the processor that stood still. */
static void bugcheck_has_its_arguments(const json_t *result)
{
	const json_t *check = json_array_get(json_object_get(result, "checks"), 0);
	const json_t *fields = json_object_get(json_object_get(check, "event"), "fields");
	const json_t *arguments = json_object_get(fields, "arguments");

	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(fields, "bugcheck")), "0x101");
	CU_ASSERT_EQUAL_FATAL(json_array_size(arguments), 4);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(arguments, 0)), "0x61");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(arguments, 1)), "0x0");
	CU_ASSERT_STRING_NOT_EQUAL(json_string_value(json_array_get(arguments, 2)), "0x0");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(arguments, 3)), "0x1");
}

/* What some scenarios must show beside their verdict. */
static const struct {
	const char *path;
	void (*look)(const json_t *result);
} details[] = {
	{"scenarios/npt-misconfig.yaml", kvm_prints_the_walk},
	{"scenarios/npt-misconfig-control.yaml", kvm_repairs_the_entry},
	{"scenarios/windows-clock-watchdog.yaml", bugcheck_has_its_arguments},
};

static void look_at_details(const char *path, const json_t *result)
{
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++)
		if (!strcmp(details[i].path, path))
			details[i].look(result);
}

/* Each must PASS; a scenario that cannot run here says why, and is counted as skipped, not as passed. */
static void check_result(const char *path, const json_t *result)
{
	const char *verdict = json_string_value(json_object_get(result, "verdict"));
	const char *reason = json_string_value(json_object_get(result, "reason"));

	CU_ASSERT_PTR_NOT_NULL_FATAL(verdict);
	printf("\n    %-6s %s (%.1f s) %s", verdict, path,
	       json_number_value(json_object_get(result, "wall_seconds")),
	       strcmp(verdict, "PASS") ? reason : "");
	fflush(stdout);
	CU_ASSERT(!strcmp(verdict, "PASS") || !strcmp(verdict, "SKIP"));
	if (!strcmp(verdict, "PASS"))
		look_at_details(path, result);
}

static void every_scenario(void)
{
	glob_t files;

	CU_ASSERT_FATAL(!glob("scenarios/*.yaml", 0, NULL, &files));
	CU_ASSERT_FATAL(files.gl_pathc > 50);
	run_scenarios(START_COLD, files.gl_pathv, files.gl_pathc, check_result);
	globfree(&files);
}

/* What the README promises about the first scenario. */
static void freeze_is_reported_and_mended(void)
{
	struct outcome outcome;
	const json_t *result, *injection, *check, *event, *workload;

	HANGLAB(&outcome, "run", "--format", "json", "scenarios/fsfreeze-hung-task.yaml");
	result = json_array_get(outcome.results, 0);
	injection = json_array_get(json_object_get(result, "injections"), 0);
	CU_ASSERT(json_is_true(json_object_get(injection, "confirmed")));
	CU_ASSERT(json_is_true(json_object_get(injection, "confirmed_released")));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(injection, "evidence")),
			       "a second FIFREEZE of /data says EBUSY");
	check = json_array_get(json_object_get(result, "checks"), 0);
	event = json_object_get(check, "event");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(event, "comm")), "writer");
	CU_ASSERT(json_number_value(json_object_get(event, "seconds")) == 120);
	CU_ASSERT(json_array_size(json_object_get(event, "frames")) > 5);
	/* Between one and two timeouts after the freeze, and the writer stood still all that time. */
	CU_ASSERT(json_number_value(json_object_get(check, "at")) -
			  json_number_value(json_object_get(injection, "injected_at")) >
		  120);
	CU_ASSERT(json_number_value(json_object_get(check, "at")) -
			  json_number_value(json_object_get(injection, "injected_at")) <
		  243);
	workload = json_array_get(json_object_get(result, "workloads"), 0);
	CU_ASSERT(json_number_value(json_object_get(workload, "longest_stall")) > 120);
	CU_ASSERT(json_integer_value(json_object_get(workload, "checked")) > 10);
	CU_ASSERT(json_integer_value(json_object_get(workload, "lost")) == 0);
	CU_ASSERT(json_integer_value(json_object_get(json_object_get(result, "sysctls"),
						     "kernel.hung_task_timeout_secs")) == 120 ||
		  !strcmp(json_string_value(json_object_get(json_object_get(result, "sysctls"),
							    "kernel.hung_task_timeout_secs")),
			  "120"));
	outcome_free(&outcome);
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words;
}

/* The kernel's own report is in its log, and ours names the same tasks. */
static void check_sysrq(const struct outcome *outcome)
{
	const json_t *result = json_array_get(outcome->results, 0);
	const json_t *sysrq = json_array_get(json_object_get(result, "sysrq"), 0), *task;
	cleanup_free char *path = file_path("%s/kmsg.log", text_in(outcome, "folder")), *log = NULL;
	const json_t *disk = json_array_get(json_object_get(sysrq, "disks"), 0);
	const char *report;
	size_t i;

	CU_ASSERT_FATAL(!file_read(path, &log, NULL, NULL));
	report = strstr(log, "sysrq: Show Blocked State");
	CU_ASSERT_PTR_NOT_NULL_FATAL(report);
	CU_ASSERT(json_array_size(json_object_get(sysrq, "tasks")) >= 5);
	json_array_foreach (json_object_get(sysrq, "tasks"), i, task) {
		cleanup_free char *line =
			file_path("task:%s ", json_string_value(json_object_get(task, "comm")));

		/* Other names than these differ between the two, or wait for a moment only. */
		CU_ASSERT(strncmp(line, "task:w-", 7) != 0 || strstr(report, line));
		CU_ASSERT(json_array_size(json_object_get(task, "stack")) > 3);
	}
	CU_ASSERT(json_is_true(json_object_get(disk, "suspended")));
}

/* Every workload of the scenario is named, and each waits in one of these layers. */
static void check_waits(const char *scenario, const char *const *layers)
{
	struct outcome outcome;
	const json_t *result, *wait;
	size_t i, workloads = 0;

	HANGLAB(&outcome, "run", "--format", "json", scenario);
	result = json_array_get(outcome.results, 0);
	json_array_foreach (json_object_get(result, "waits"), i, wait) {
		if (!json_object_get(wait, "workload"))
			continue;
		CU_ASSERT(is_one_of(json_string_value(json_object_get(wait, "layer")), layers));
		workloads++;
	}
	CU_ASSERT(workloads >= json_array_size(json_object_get(result, "workloads")));
	CU_ASSERT(workloads > 0);
	if (json_object_get(result, "sysrq"))
		check_sysrq(&outcome);
	outcome_free(&outcome);
}

static void waits_name_the_layer(void)
{
	static const char *const freeze[] = {"freeze", NULL}, *const storage[] = {"block", "journal", NULL};

	check_waits("scenarios/fsfreeze-all-engines.yaml", freeze);
	check_waits("scenarios/dm-suspend-freeze.yaml", freeze);
	check_waits("scenarios/dm-suspend-stall.yaml", storage);
}

static const char *const run_files[] = {"scenario.yaml", "plan.json",	  "console.log", "kmsg.log",
					"events.jsonl",	 "journal.jsonl", "result.json", "channel.log"};

static void run_folder_is_complete(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "run", "--format", "json", "scenarios/fsfreeze-timeout-20-panic.yaml");
	for (size_t i = 0; i < sizeof(run_files) / sizeof(run_files[0]); i++) {
		cleanup_free char *path = file_path("%s/%s", text_in(&outcome, "folder"), run_files[i]),
				  *text = NULL;
		size_t size = 0;

		CU_ASSERT(!file_read(path, &text, &size, NULL) && size > 0);
	}
	outcome_free(&outcome);
}

CU_TestInfo scenarios_tests[] = {
	{"every shipped scenario", every_scenario},
	{"the freeze is reported and mended", freeze_is_reported_and_mended},
	{"waits name the layer, sysrq the tasks", waits_name_the_layer},
	{"the run folder is complete", run_folder_is_complete},
	CU_TEST_INFO_NULL,
};
