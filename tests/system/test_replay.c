// SPDX-License-Identifier: GPL-2.0-or-later
/* A run can be repeated from its folder, to the byte, and a difference is named. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define SCENARIO                                                                                             \
	"scenario: replay\n"                                                                                 \
	"disks: [{name: data, size: 64M, fs: ext4, mount: /data}]\n"                                         \
	"sysctl: {kernel.hung_task_timeout_secs: 10}\n"                                                      \
	"timeline:\n"                                                                                        \
	"  - {start: writer, with: {dir: /data}}\n"                                                          \
	"  - {at: 2s, inject: fsfreeze, with: {mount: /data}, until: {event: hung_task, hold: 1s}}\n"        \
	"checks: [{expect: hung_task, comm: writer}]\n"

/* Runs the scenario. Return: its folder, newly allocated. */
static char *run_once(void)
{
	cleanup_free char *path = file_path("%s/replay.yaml", runs_folder());
	struct outcome outcome;
	char *folder;

	CU_ASSERT_EQUAL_FATAL(file_write(path, SCENARIO, strlen(SCENARIO), NULL), 0);
	HANGLAB(&outcome, "run", "--format", "json", "--seed", "5", "--sysctl", "kernel.hung_task_warnings=7",
		path);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	folder = strdup(text_in(&outcome, "folder"));
	outcome_free(&outcome);
	return folder;
}

static void change_seed(const char *folder)
{
	cleanup_free char *path = file_path("%s/plan.json", folder), *text = NULL;
	char *seed;

	CU_ASSERT_EQUAL_FATAL(file_read(path, &text, NULL, NULL), 0);
	seed = strstr(text, "\"seed\": \"5\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(seed);
	seed[strlen("\"seed\": \"")] = '6';
	CU_ASSERT_EQUAL(file_write(path, text, strlen(text), NULL), 0);
}

static void check_json(const char *folder)
{
	struct outcome outcome;
	json_t *answer;

	HANGLAB(&outcome, "replay", "--format", "json", "--out", runs_folder(), folder);
	answer = json_loads(outcome.output, 0, NULL);
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	CU_ASSERT_TRUE(json_is_false(json_object_get(answer, "equal")));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		json_string_value(json_object_get(json_object_get(answer, "difference"), "where")), ".log"));
	json_decref(answer);
	outcome_free(&outcome);
}

static void equal_until_changed(void)
{
	cleanup_free char *folder = run_once();
	struct outcome outcome;

	HANGLAB(&outcome, "replay", "--out", runs_folder(), folder);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "EQUAL to the byte: console.log, "));
	outcome_free(&outcome);
	change_seed(folder);
	HANGLAB(&outcome, "replay", "--out", runs_folder(), folder);
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "DIFFERS: line "));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "\n  then  "));
	outcome_free(&outcome);
	check_json(folder);
}

static void no_run_folder(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "replay", "scenarios");
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.errors, "is no run folder"));
	outcome_free(&outcome);
}

CU_TestInfo replay_tests[] = {
	{"a replay is equal to the byte; with another seed the first line that differs is named",
	 equal_until_changed},
	{"what is no run folder is not replayed", no_run_folder},
	CU_TEST_INFO_NULL,
};
