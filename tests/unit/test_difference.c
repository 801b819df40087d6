// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/difference.h"

#include <CUnit/CUnit.h>
#include <string.h>

/* Compares two texts, and asserts the line that differs: 0 for none. */
static void expect_line(const char *first, const char *second, size_t number, const char *first_line,
			const char *second_line)
{
	struct difference difference = {0};
	bool differs = difference_of_texts(first, strlen(first), second, strlen(second), &difference);

	CU_ASSERT_EQUAL(differs, number > 0);
	CU_ASSERT_EQUAL(difference.number, number);
	if (first_line) {
		CU_ASSERT_STRING_EQUAL(difference.first, first_line);
	} else {
		CU_ASSERT_PTR_NULL(difference.first);
	}
	if (second_line) {
		CU_ASSERT_STRING_EQUAL(difference.second, second_line);
	} else {
		CU_ASSERT_PTR_NULL(difference.second);
	}
	difference_clear(&difference);
	CU_ASSERT_PTR_NULL(difference.first);
}

static void equal_texts(void)
{
	expect_line("", "", 0, NULL, NULL);
	expect_line("a\nb\n", "a\nb\n", 0, NULL, NULL);
	expect_line("no newline", "no newline", 0, NULL, NULL);
}

static void first_line_that_differs(void)
{
	expect_line("a\nb\nc\n", "a\nB\nC\n", 2, "b", "B");
	expect_line("x", "y", 1, "x", "y");
	expect_line("one\ntwo 2\n", "one\ntwo 22\n", 2, "two 2", "two 22");
	/* A blank line is one. */
	expect_line("a\n\nb\n", "a\nb\n", 2, "", "b");
}

static void one_ends_sooner(void)
{
	expect_line("a\nb\n", "a\n", 2, "b", NULL);
	expect_line("", "a\n", 1, NULL, "a");
	expect_line("a\nb", "a\nb\n", 2, "b", "b");
}

static void unprintable_bytes(void)
{
	expect_line("a\r\n\x1b[2J\n", "a\n", 1, "a\\x0d", "a");
}

static json_t *events(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	return json;
}

static void events_in_order(void)
{
	json_t *old = events("[{\"kind\": \"stalled\", \"title\": \"a\", \"time\": 1.0},"
			     " {\"kind\": \"hung_task\", \"title\": \"b\", \"time\": 2.0}]");
	json_t *later = events("[{\"kind\": \"stalled\", \"title\": \"a\", \"time\": 1.5},"
			       " {\"kind\": \"hung_task\", \"title\": \"b\", \"time\": 2.5}]");
	json_t *swapped = events("[{\"kind\": \"hung_task\", \"title\": \"b\"},"
				 " {\"kind\": \"stalled\", \"title\": \"a\"}]");
	json_t *fewer = events("[{\"kind\": \"stalled\", \"title\": \"a\"}]");
	struct difference difference = {0};

	CU_ASSERT_FALSE(difference_of_events(old, later, &difference));
	CU_ASSERT_TRUE(difference_of_events(old, swapped, &difference));
	CU_ASSERT_EQUAL(difference.number, 1);
	CU_ASSERT_STRING_EQUAL(difference.second, "hung_task: b");
	difference_clear(&difference);
	CU_ASSERT_TRUE(difference_of_events(old, fewer, &difference));
	CU_ASSERT_EQUAL(difference.number, 2);
	CU_ASSERT_STRING_EQUAL(difference.first, "hung_task: b");
	CU_ASSERT_PTR_NULL(difference.second);
	difference_clear(&difference);
	json_decref(old);
	json_decref(later);
	json_decref(swapped);
	json_decref(fewer);
}

CU_TestInfo difference_tests[] = {
	{"equal texts do not differ", equal_texts},
	{"the first line that differs is named", first_line_that_differs},
	{"a text that ends sooner differs", one_ends_sooner},
	{"unprintable bytes are shown", unprintable_bytes},
	{"events are compared by kind and title, in order", events_in_order},
	CU_TEST_INFO_NULL,
};
