// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/command_result.h"

#include "checks.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <string.h>

static void test_parse(void)
{
	CU_ASSERT_EQUAL(command_status_parse("0"), 0);
	CU_ASSERT_EQUAL(command_status_parse("255"), 255);
	CU_ASSERT_EQUAL(command_status_parse("256"), -1);
	CU_ASSERT_EQUAL(command_status_parse("-1"), -1);
	CU_ASSERT_EQUAL(command_status_parse("EIO"), -1);
	CU_ASSERT_EQUAL(command_errno_parse("EINVAL"), EINVAL);
	CU_ASSERT_EQUAL(command_errno_parse("EIO"), EIO);
	CU_ASSERT_EQUAL(command_errno_parse("EINVALID"), 0);
	CU_ASSERT_EQUAL(command_errno_parse("5"), 0);
}

static void check(const char *step, int status, const char *output, bool succeeded, const char *refusal)
{
	char json[512];
	struct plan plan;
	const char *found;

	snprintf(json, sizeof(json), "{'scenario': 'x', 'timeline': [{'shell': 'x'%s}]}", step);
	plan = checks_plan(json);
	found = command_refusal(&plan.steps[0], status, output);
	CU_ASSERT_EQUAL(command_succeeded(&plan.steps[0], status), succeeded);
	CU_ASSERT_EQUAL(found != NULL, refusal != NULL);
	if (found && refusal)
		CU_ASSERT_STRING_EQUAL(found, refusal);
	plan_free(&plan);
}

/* What tc and mount say is from our own runs. */
static void test_results(void)
{
	static const char *const tc = "RTNETLINK answers: Invalid argument";

	check("", 0, "", true, NULL);
	check("", 1, "", false, NULL);
	check(", 'exit': ['0', '1']", 1, "", true, NULL);
	check(", 'exit': '1'", 0, "", false, NULL);
	check(", 'refused': ['EINVAL']", 2, tc, false, "EINVAL");
	check(", 'refused': ['EINVAL']", 0, tc, true, NULL);
	check(", 'refused': ['EIO', '2']", 2, tc, false, "2");
	check(", 'refused': ['EIO']", 2, tc, false, NULL);
	check(", 'refused': ['EIO']", 1, "mount: Input/output error", false, "EIO");
	check(", 'refused': ['EIO']", 1, "failed with EIO", false, "EIO");
	check(", 'refused': ['EINVAL']", 32, "mount: unknown filesystem type 'exfat'", false, NULL);
}

CU_TestInfo command_result_tests[] = {
	{"statuses and errors", test_parse},
	{"fine, refused or failed", test_results},
	CU_TEST_INFO_NULL,
};
