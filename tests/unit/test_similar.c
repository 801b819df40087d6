// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/similar.h"

#include <CUnit/CUnit.h>
#include <limits.h>
#include <string.h>

static void test_distance(void)
{
	static const struct {
		const char *a, *b;
		unsigned int distance;
	} known[] = {
		{"", "", 0},
		{"writer", "writer", 0},
		{"writer", "writter", 1},
		{"writer", "wrter", 1},
		{"writer", "wrixer", 1},
		{"wiht", "with", 1},
		{"", "abc", 3},
		{"kitten", "sitting", 3},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		CU_ASSERT_EQUAL(similar_distance(known[i].a, known[i].b), known[i].distance);
		CU_ASSERT_EQUAL(similar_distance(known[i].b, known[i].a), known[i].distance);
	}
}

static void test_long_words(void)
{
	char word[65];

	memset(word, 'a', 64);
	word[64] = '\0';
	CU_ASSERT_EQUAL(similar_distance(word, "a"), UINT_MAX);
	CU_ASSERT_EQUAL(similar_distance("a", word), UINT_MAX);
	CU_ASSERT_EQUAL(similar_distance(word + 1, word + 1), 0);
}

static void test_find(void)
{
	static const char *const known[] = {"timeline", "checks", "disks", "vm", "sysctl"};

	CU_ASSERT_STRING_EQUAL(similar_find("timelime", known, 5), "timeline");
	CU_ASSERT_STRING_EQUAL(similar_find("check", known, 5), "checks");
	CU_ASSERT_STRING_EQUAL(similar_find("mv", known, 5), "vm");
	CU_ASSERT_PTR_NULL(similar_find("completely", known, 5));
	CU_ASSERT_PTR_NULL(similar_find("timeline", known, 0));
	/* The nearest wins, not the first. */
	CU_ASSERT_STRING_EQUAL(similar_find("disk", (const char *const[]){"risks", "disks"}, 2), "disks");
}

CU_TestInfo similar_tests[] = {
	{"distance", test_distance},
	{"words that are too long", test_long_words},
	{"nearest known word", test_find},
	CU_TEST_INFO_NULL,
};
