// SPDX-License-Identifier: GPL-2.0-or-later
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define SCENARIO "scenarios/fsfreeze-hung-task.yaml"

static void dry_run_starts_nothing(void)
{
	cleanup_free char *folder = file_path("%s/latest", runs_folder());
	struct outcome outcome;

	HANGLAB(&outcome, "run", "--dry-run", SCENARIO);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "inject fsfreeze mount=/data"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "-icount shift=4,sleep=off"));
	/* Without a run folder there is no VM either. */
	CU_ASSERT_EQUAL(access(folder, F_OK), -1);
	outcome_free(&outcome);
	HANGLAB(&outcome, "run", "--dry-run", "--clock", "real", "--seed", "42", SCENARIO);
	CU_ASSERT_PTR_NULL(strstr(outcome.output, "-icount"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "-seed 42"));
	outcome_free(&outcome);
}

static void wrong_usage_is_64(void)
{
	static const char *const wrong[][5] = {
		{"run", NULL},
		{"run", "--no-such-option", SCENARIO, NULL},
		{"run", "--seed", "-1", SCENARIO, NULL},
		{"run", "--clock", "imaginary", SCENARIO, NULL},
		{"run", "--jobs", "0", SCENARIO, NULL},
		{"run", "--sysctl", "novalue", SCENARIO, NULL},
		{"run", "--format", "xml", SCENARIO, NULL},
		{"nonsense", NULL},
		{"kernel", "nonsense", NULL},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct outcome outcome;

		run_hanglab(&outcome, wrong[i]);
		CU_ASSERT_EQUAL(outcome.exit_code, 64);
		CU_ASSERT(strlen(outcome.errors) > 10);
		outcome_free(&outcome);
	}
}

static void sysctl_option_reaches_the_guest(void)
{
	struct outcome outcome;
	const json_t *result;

	HANGLAB(&outcome, "run", "--format", "json", "--sysctl", "kernel.hung_task_timeout_secs=10",
		SCENARIO);
	result = json_array_get(outcome.results, 0);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_object_get(result, "sysctls"),
								 "kernel.hung_task_timeout_secs")),
			       "10");
	/* The soft lockup that is forbidden decides it now, 55 s after the fault, and not the 243 s of the
	 * default. */
	CU_ASSERT(number_in(&outcome, "guest_seconds") < 60);
	outcome_free(&outcome);
}

static void two_jobs_and_repeats(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "run", "--format", "json", "--jobs", "2", "--repeat", "2",
		"scenarios/fsfreeze-timeout-20-panic.yaml", "scenarios/fsfreeze-control.yaml");
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_EQUAL_FATAL(json_array_size(outcome.results), 4);
	for (size_t i = 0; i < 4; i++) {
		const json_t *result = json_array_get(outcome.results, i);

		CU_ASSERT_EQUAL(json_integer_value(json_object_get(result, "seed")), (json_int_t)(1 + i % 2));
		CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(result, "scenario")),
				       i < 2 ? "fsfreeze-timeout-20-panic" : "fsfreeze-control");
	}
	outcome_free(&outcome);
}

static void a_pipe_gets_plain_lines(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "run", "scenarios/fsfreeze-timeout-20-panic.yaml");
	CU_ASSERT_PTR_NULL(strchr(outcome.output, '\r'));
	CU_ASSERT_PTR_NULL(strchr(outcome.output, '\033'));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "PASS  fsfreeze-timeout-20-panic"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "task writer:"));
	outcome_free(&outcome);
}

static void real_time_gives_the_same_events(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "run", "--format", "json", "--clock", "real", "--accel", "tcg", "--sysctl",
		"kernel.hung_task_timeout_secs=5", SCENARIO);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "clock"), "real");
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "exact"), "none");
	outcome_free(&outcome);
}

CU_TestInfo command_line_tests[] = {
	{"--dry-run starts nothing", dry_run_starts_nothing},
	{"wrong usage is 64", wrong_usage_is_64},
	{"--sysctl reaches the guest", sysctl_option_reaches_the_guest},
	{"--jobs and --repeat", two_jobs_and_repeats},
	{"a pipe gets plain lines", a_pipe_gets_plain_lines},
	{"--clock real", real_time_gives_the_same_events},
	CU_TEST_INFO_NULL,
};
