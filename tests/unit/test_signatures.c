// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/report.h"
#include "events.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

/* Every row of signatures.def recognises its sample, and not its near miss. */

static void explain(const struct signature *row, const char *problem)
{
	printf("\n    signature %s: %s", row->id, problem);
}

static bool has_event(const struct events *events, const struct signature *row, bool same_row)
{
	for (size_t i = 0; i < events->count; i++)
		if (events->list[i].kind == row->kind &&
		    (!same_row || strcmp(events->list[i].signature, row->id) == 0))
			return true;
	return false;
}

static void test_samples(void)
{
	for (size_t i = 0; i < signature_count; i++) {
		const struct signature *row = &signatures[i];
		struct events events = events_read(row->sample, strlen(row->sample), 4096);
		bool found =
			row->kind == HL_EVENT_STALLED ? events.count == 0 : has_event(&events, row, true);

		if (!found)
			explain(row, "the sample is not recognised");
		CU_ASSERT_TRUE(found);
		events_free(&events);
	}
}

static void test_near_misses(void)
{
	for (size_t i = 0; i < signature_count; i++) {
		const struct signature *row = &signatures[i];
		struct events events = events_read(row->near_miss, strlen(row->near_miss), 4096);

		if (has_event(&events, row, false))
			explain(row, "the near miss is taken for an event");
		CU_ASSERT_FALSE(has_event(&events, row, false));
		events_free(&events);
	}
}

static void test_anchors(void)
{
	for (size_t i = 0; i < signature_count; i++) {
		CU_ASSERT_TRUE(strlen(signatures[i].anchor) >= 5);
		CU_ASSERT_PTR_NOT_NULL(strstr(signatures[i].sample, signatures[i].anchor));
		CU_ASSERT_TRUE(strlen(signatures[i].kernels) > 0);
	}
}

CU_TestInfo signatures_tests[] = {
	{"every sample is recognised", test_samples},
	{"no near miss is recognised", test_near_misses},
	{"anchors are usable", test_anchors},
	CU_TEST_INFO_NULL,
};
