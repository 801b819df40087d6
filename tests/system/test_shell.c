// SPDX-License-Identifier: GPL-2.0-or-later
/* The shell in a guest, fed from a pipe. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <string.h>

static void shell_with(const char *commands, const char *scenario, struct outcome *outcome)
{
	cleanup_free char *script =
		file_path("printf '%s' | %s shell --out %s %s", commands, program(), runs_folder(), scenario);
	const char *const arguments[] = {"sh", "-c", script, NULL};

	run_command(arguments, 180000, outcome);
}

static void commands_from_a_pipe(void)
{
	struct outcome outcome;

	shell_with("uname -s; echo it is $((6 * 7))\\n", "", &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "\nLinux"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "it is 42"));
	outcome_free(&outcome);
}

static void faults_by_command(void)
{
	struct outcome outcome;

	shell_with("fault list\\nfault inject fsfreeze\\nfault inject nothing\\nfault\\n",
		   "scenarios/fsfreeze-hung-task.yaml", &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "fsfreeze: not in force"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "fsfreeze: injecting"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "nothing: the scenario has no such fault"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "usage: fault inject NAME"));
	/* What was in force at the end was released. */
	CU_ASSERT_PTR_NOT_NULL(
		strstr(outcome.errors, "fsfreeze active: a second FIFREEZE of /data says EBUSY"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(outcome.errors, "fsfreeze released: a second FITHAW of /data says EINVAL"));
	outcome_free(&outcome);
}

CU_TestInfo shell_tests[] = {
	{"commands from a pipe are executed in the guest", commands_from_a_pipe},
	{"faults are injected and released by command", faults_by_command},
	CU_TEST_INFO_NULL,
};
