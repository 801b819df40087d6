// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/polling.h"

#include <CUnit/CUnit.h>
#include <time.h>

#define MILLISECOND 1000000

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* A step passes between two looks, and it ends no sooner than the limit. */
static void steps_and_limit(void)
{
	const struct polling polling = polling_begin(30 * MILLISECOND, 10 * MILLISECOND);
	int64_t begun = now(), before = begun;
	int looks = 0;

	CU_ASSERT(!polling_over(&polling));
	for (; polling_again(&polling); looks++) {
		CU_ASSERT(now() - before >= 10 * MILLISECOND);
		before = now();
	}
	CU_ASSERT(looks >= 1 && looks <= 4);
	CU_ASSERT(now() - begun >= 30 * MILLISECOND);
	CU_ASSERT(polling_over(&polling));
}

CU_TestInfo polling_tests[] = {
	{"steps and limit", steps_and_limit},
	CU_TEST_INFO_NULL,
};
