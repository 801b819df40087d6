// SPDX-License-Identifier: GPL-2.0-or-later
/* Seeds that lock up are found and grouped, and the least scenario that does is written and runs. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define SCENARIO                                                                                             \
	"scenario: explore\n"                                                                                \
	"vm: {cpus: 1, shift: 4}\n"                                                                          \
	"disks:\n"                                                                                           \
	"  - {name: data, size: 64M, fs: ext4, mount: /data}\n"                                              \
	"sysctl: {kernel.hung_task_timeout_secs: 5}\n"                                                       \
	"timeline:\n"                                                                                        \
	"  - {start: writer, with: {dir: /data}}\n"                                                          \
	"  - {at: 1s, inject: fsfreeze, with: {mount: /data}, until: {event: hung_task, hold: 1s}}\n"        \
	"checks: [{expect: hung_task, comm: writer}]\n"

static void check_json(const char *path)
{
	struct outcome outcome;
	json_t *json, *groups;

	HANGLAB(&outcome, "explore", "--format", "json", "--out", runs_folder(), "--seeds", "1", path);
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	json = json_loads(outcome.output, 0, NULL);
	groups = json_object_get(json, "groups");
	CU_ASSERT_EQUAL(json_array_size(groups), 1);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(groups, 0), "count")), 1);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(json, "results")), 1);
	json_decref(json);
	outcome_free(&outcome);
}

static void finds_and_minimizes(void)
{
	cleanup_free char *path = file_path("%s/explore.yaml", runs_folder());
	cleanup_free char *least = file_path("%s/explore-minimal.yaml", runs_folder()), *text = NULL;
	struct outcome outcome;

	CU_ASSERT_EQUAL_FATAL(file_write(path, SCENARIO, strlen(SCENARIO), NULL), 0);
	HANGLAB(&outcome, "explore", "--out", runs_folder(), "--seeds", "1..2", "--minimize", path);
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "explore: 2 of 2 seeds locked up"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "      2           1  hung task in "));
	outcome_free(&outcome);
	CU_ASSERT_EQUAL_FATAL(file_read(least, &text, NULL, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "inject: fsfreeze"));
	CU_ASSERT_PTR_NULL(strstr(text, "hold: 1s"));
	check_json(path);
	HANGLAB(&outcome, "run", "--warm", "--format", "json", least);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	outcome_free(&outcome);
}

static void real_time_is_refused(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "explore", "scenarios/nbd-pause.yaml");
	CU_ASSERT_EQUAL(outcome.exit_code, 64);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.errors, "runs in real time"));
	outcome_free(&outcome);
}

CU_TestInfo explore_tests[] = {
	{"seeds that lock up are grouped, and the least scenario is written", finds_and_minimizes},
	{"a scenario in real time is refused", real_time_is_refused},
	CU_TEST_INFO_NULL,
};
