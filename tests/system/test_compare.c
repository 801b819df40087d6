// SPDX-License-Identifier: GPL-2.0-or-later
/* One scenario on two kernels: verify, and bisect with one. They are fetched by "make check". */
#include "hanglab.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <string.h>

#define SCENARIO "scenarios/exfat-loop-livelock.yaml"
#define BROKEN	 "debian:6.1.0-47-cloud-amd64"
#define FIXED	 "debian"

/* Debian's archive may no longer serve the old kernel. */
static bool is_missing(const char *kernel)
{
	struct outcome outcome;
	bool missing;

	HANGLAB(&outcome, "kernel", "list");
	missing = !strstr(outcome.output, kernel);
	outcome_free(&outcome);
	if (missing)
		printf("SKIP (%s is not in the store) ", kernel);
	return missing;
}

static void check(const char *broken, const char *fixed, int exit_code, const char *text)
{
	struct outcome outcome;

	HANGLAB(&outcome, "verify", "--out", runs_folder(), "--repeat", "1", "--jobs", "2", "--broken",
		broken, "--fixed", fixed, SCENARIO);
	CU_ASSERT_EQUAL(outcome.exit_code, exit_code);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, text));
	if (!strstr(outcome.output, text))
		printf("\n%s", outcome.output);
	outcome_free(&outcome);
}

static void verify(void)
{
	if (is_missing(BROKEN))
		return;
	check(BROKEN, FIXED, 0, "fix verified: the signature came in 1 of 1 runs");
	check(FIXED, BROKEN, 1, "not fixed: the signature came in 1 of 1 runs");
	check(BROKEN, "6.1.170-3", 1, "are the same kernel, " BROKEN ": it cannot be both");
}

static void check_answer(const char *find, const char *kernel, int exit_code)
{
	struct outcome outcome;

	HANGLAB(&outcome, "bisect", "--out", runs_folder(), "--find", find, SCENARIO, kernel);
	CU_ASSERT_EQUAL(outcome.exit_code, exit_code);
	outcome_free(&outcome);
}

/* For "git bisect run": the old side is 0, here the one with the bug. */
static void answers(void)
{
	if (is_missing(BROKEN))
		return;
	check_answer("fixed", BROKEN, 0);
}

CU_TestInfo compare_tests[] = {
	{"a fix is verified; not with the kernels swapped, nor with one", verify},
	{"answers for git bisect run", answers},
	CU_TEST_INFO_NULL,
};
