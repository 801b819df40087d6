// SPDX-License-Identifier: GPL-2.0-or-later
/* Values are tried in VMs: one is recommended, or none, or nothing can be said. */
#include "hanglab.h"

#include "report/report.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define SCENARIO "scenarios/fsfreeze-hung-task.yaml"
#define TIMEOUT	 "kernel.hung_task_timeout_secs"

static const json_t *point_of(const json_t *measured, size_t index)
{
	return json_array_get(json_object_get(measured, "points"), index);
}

/* 2 s reports too soon, 20 s too late. */
static void value_is_recommended(void)
{
	struct outcome outcome;
	const json_t *latency;
	json_t *measured;

	HANGLAB(&outcome, "sweep", "--out", runs_folder(), "--format", "json", "--load", "0", "--sysctl",
		TIMEOUT "=2,6,20", "--want", "silent<5s", "--want", "detect>15s within 15s", SCENARIO);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	measured = json_loads(outcome.output, 0, NULL);
	CU_ASSERT_STRING_EQUAL(result_text(json_object_get(measured, "advice"), "point"), TIMEOUT "=6");
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(result_number(json_object_get(point_of(measured, i), "held"), "reported"), 1);
	latency = json_object_get(json_object_get(point_of(measured, 1), "held"), "latency");
	CU_ASSERT_TRUE(result_number(latency, "max") >= 6 && result_number(latency, "max") <= 12.5);
	json_decref(measured);
	outcome_free(&outcome);
}

/* The tester is tested: a want that cannot be met, and a kernel that panics on what should pass. */
static void no_value_will_do(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "sweep", "--out", runs_folder(), "--load", "1s", "--sysctl", TIMEOUT "=2",
		"--sysctl", "kernel.hung_task_panic=1", "--want", "no-panic<10s", SCENARIO);
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "NONE  no value satisfies every want"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(outcome.output, "no-panic<10s: 1 of 1 faults of 9.9 s brought a panic"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "quiet"));
	outcome_free(&outcome);
}

static void unknown_names(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "sweep", "--out", runs_folder(), "--load", "0", "--sysctl", "printk.time=1",
		SCENARIO);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output,
				      "unknown: BROKEN: this kernel has no sysctl printk.time, "
				      "but a boot parameter of that name"));
	outcome_free(&outcome);
	HANGLAB(&outcome, "sweep", "--out", runs_folder(), "--load", "0", "--boot", "no_such_parameter=1",
		"--sysctl", TIMEOUT "=2", SCENARIO);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(outcome.output, "unknown: this kernel has no boot parameter no_such_parameter"));
	outcome_free(&outcome);
}

static void shipped_sweeps(void)
{
	static const char *const names[] = {"hung-task-timeout", "hung-task-advice", "rcu-stall-timeout"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct outcome outcome;
		char path[128];

		snprintf(path, sizeof(path), "scenarios/sweeps/%s.yaml", names[i]);
		HANGLAB(&outcome, "sweep", "--dry-run", path);
		CU_ASSERT_EQUAL(outcome.exit_code, 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "held until reported"));
		outcome_free(&outcome);
	}
}

CU_TestInfo sweep_tests[] = {
	{"the value that satisfies all wants is recommended", value_is_recommended},
	{"a want that no value satisfies is exit code 1, and the nearest value is named", no_value_will_do},
	{"names that the kernel does not know are said to be unknown", unknown_names},
	{"the sweeps that are shipped can be run", shipped_sweeps},
	CU_TEST_INFO_NULL,
};
