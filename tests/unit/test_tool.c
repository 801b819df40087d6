// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/tool.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define TOOL(...)                                                                                            \
	(const char *const[])                                                                                \
	{                                                                                                    \
		__VA_ARGS__, NULL                                                                            \
	}

static void test_status(void)
{
	char output[100];
	int status = -1;

	CU_ASSERT_EQUAL(tool_run(TOOL("sh", "-c", "echo one; echo two >&2; exit 3"), &status, output,
				 sizeof(output), NULL),
			0);
	CU_ASSERT_EQUAL(status, 3);
	CU_ASSERT_STRING_EQUAL(output, "one two");
	CU_ASSERT_EQUAL(tool_run(TOOL("sh", "-c", "kill -9 $$"), &status, output, sizeof(output), NULL), 0);
	CU_ASSERT_EQUAL(status, 128 + 9);
	CU_ASSERT_EQUAL(tool_run(TOOL("no-such-program"), &status, output, sizeof(output), NULL), 0);
	CU_ASSERT_EQUAL(status, 127);
	CU_ASSERT_STRING_EQUAL(output, "no-such-program: No such file or directory");
}

/* The end matters: it says why a checker failed. */
static void test_long_output(void)
{
	char output[16];
	int status;

	CU_ASSERT_EQUAL(tool_run(TOOL("sh", "-c", "seq 1 20000; echo the end"), &status, output,
				 sizeof(output), NULL),
			0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_STRING_EQUAL(output, " 20000 the end");
}

static void test_must(void)
{
	struct hl_error err = HL_ERROR_INIT;
	char output[100];

	CU_ASSERT_EQUAL(tool_must(TOOL("echo", "fine"), output, sizeof(output), &err), 0);
	CU_ASSERT_STRING_EQUAL(output, "fine");
	CU_ASSERT_EQUAL(tool_must(TOOL("sh", "-c", "echo why; exit 2"), NULL, 0, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "sh ended with status 2: why");
}

CU_TestInfo tool_tests[] = {
	{"status and output", test_status},
	{"long output", test_long_output},
	{"a failure is an error", test_must},
	CU_TEST_INFO_NULL,
};
