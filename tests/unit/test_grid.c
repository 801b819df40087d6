// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/grid.h"

#include "report/report.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

static void add(struct grid *grid, const char *scenario, const char *kernel, const char *verdict,
		const char *signature, const char *health)
{
	json_t *result = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "scenario", scenario, "verdict",
				   verdict, "signature", signature, "reason", "the run", "health", "verdict",
				   health, "reason", "the rest");

	grid_add(grid, kernel, result);
	json_decref(result);
}

static void add_seen(struct grid *grid, const char *scenario, const char *kernel)
{
	add(grid, scenario, kernel, "FAIL", "seen", "PASS");
}

static void add_clean(struct grid *grid, const char *scenario, const char *kernel)
{
	add(grid, scenario, kernel, "PASS", "absent", "PASS");
}

static char *print(const struct grid *grid)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	grid_print(grid, out);
	fclose(out);
	return text;
}

static void check_table(const struct grid *grid, const char *expected)
{
	char *text = print(grid);

	if (strcmp(text, expected) != 0)
		printf("\n%s", text);
	CU_ASSERT_STRING_EQUAL(text, expected);
	free(text);
}

static void test_table(void)
{
	struct grid grid = {.baseline = -1};

	CU_ASSERT_EQUAL(grid_add_kernel(&grid, "debian:old", "6.1.170-3"), 0);
	CU_ASSERT_EQUAL(grid_add_kernel(&grid, "debian:new", "6.1.192-2"), 1);
	/* Named twice it is one column. */
	CU_ASSERT_EQUAL(grid_add_kernel(&grid, "debian:old", "6.1.170-3"), 0);
	add_seen(&grid, "first-scenario", "debian:old");
	add_clean(&grid, "first-scenario", "debian:new");
	add_seen(&grid, "second", "debian:old");
	add(&grid, "second", "debian:new", "BROKEN", "unknown", "BROKEN");
	check_table(&grid, "scenario        6.1.170-3  6.1.192-2\n"
			   "first-scenario  seen       clean\n"
			   "second          seen       unknown\n"
			   "second on debian:new: the run\n");
	CU_ASSERT_EQUAL(grid_verdict(&grid), VERDICT_BROKEN);
	grid_clear(&grid);
}

static void test_repeats(void)
{
	struct grid grid = {.baseline = -1};

	add_seen(&grid, "one", "a");
	add_clean(&grid, "one", "a");
	add_clean(&grid, "two", "a");
	add_clean(&grid, "two", "b");
	check_table(&grid, "scenario  a          b\n"
			   "one       seen 1/2   -\n"
			   "two       clean 1/1  clean 1/1\n");
	CU_ASSERT_EQUAL(grid_verdict(&grid), VERDICT_PASS);
	grid_clear(&grid);
}

static void test_one_version_twice(void)
{
	struct grid grid = {.baseline = -1};

	grid_add_kernel(&grid, "debian:cloud", "6.1.192-2");
	grid_add_kernel(&grid, "debian:amd64", "6.1.192-2");
	add_clean(&grid, "s", "debian:amd64");
	check_table(&grid, "scenario  debian:cloud  debian:amd64\n"
			   "s         -             clean\n");
	grid_clear(&grid);
}

/* Only what the baseline does not have is worse; what says nothing is not. */
static void test_baseline(void)
{
	struct grid grid = {.baseline = 0};

	add_clean(&grid, "regressed", "base");
	add_seen(&grid, "regressed", "new");
	add_seen(&grid, "old-bug", "base");
	add_seen(&grid, "old-bug", "new");
	CU_ASSERT(grid_is_worse(&grid, 0, 1));
	CU_ASSERT(!grid_is_worse(&grid, 1, 1));
	CU_ASSERT_EQUAL(grid_verdict(&grid), VERDICT_FAIL);
	check_table(&grid, "scenario   base   new\n"
			   "regressed  clean  seen !\n"
			   "old-bug    seen   seen\n"
			   "! is worse than base\n");
	grid_clear(&grid);

	grid.baseline = 0;
	add_clean(&grid, "other", "base");
	add(&grid, "other", "new", "FAIL", "absent", "FAIL");
	CU_ASSERT_EQUAL(grid_verdict(&grid), VERDICT_FAIL);
	grid_clear(&grid);

	grid.baseline = 0;
	add_seen(&grid, "mended", "base");
	add_clean(&grid, "mended", "new");
	CU_ASSERT_EQUAL(grid_verdict(&grid), VERDICT_PASS);
	grid_clear(&grid);

	grid.baseline = 0;
	add_clean(&grid, "unknown", "base");
	add(&grid, "unknown", "new", "BROKEN", "unknown", "BROKEN");
	CU_ASSERT_EQUAL(grid_verdict(&grid), VERDICT_BROKEN);
	grid_clear(&grid);
}

static const char *cell_text(const json_t *json, size_t index, const char *key)
{
	return result_text(json_array_get(json_object_get(json, "cells"), index), key);
}

static void test_json(void)
{
	struct grid grid = {.baseline = 0};
	json_t *json, *named;

	grid_add_kernel(&grid, "base", "1.0");
	add_clean(&grid, "s", "base");
	add_seen(&grid, "s", "new");
	json = grid_json(&grid);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(json, "cells")), 2);
	CU_ASSERT_STRING_EQUAL(cell_text(json, 0, "kernel"), "base");
	CU_ASSERT_STRING_EQUAL(cell_text(json, 0, "label"), "1.0");
	CU_ASSERT_STRING_EQUAL(cell_text(json, 0, "outcome"), "clean");
	CU_ASSERT_STRING_EQUAL(cell_text(json, 1, "outcome"), "seen");
	CU_ASSERT(json_is_true(json_object_get(json_array_get(json_object_get(json, "cells"), 1), "worse")));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(json, "results")), 2);
	named = grid_named_runs(&grid);
	CU_ASSERT_STRING_EQUAL(result_text(json_array_get(named, 1), "scenario"), "s@new");
	CU_ASSERT_STRING_EQUAL(result_text(json_array_get(grid.runs, 1), "scenario"), "s");
	json_decref(named);
	json_decref(json);
	grid_clear(&grid);
}

/* JUnit and KTAP list the runs by name. */
static void test_lists(void)
{
	static const struct {
		const char *format, *text;
	} expected[] = {
		{"junit", "<testcase classname=\"new\" name=\"s@new\""},
		{"junit", "failures=\"1\""},
		{"ktap", "ok 1 s@base\n"},
		{"ktap", "not ok 2 s@new\n"},
	};
	struct grid grid = {.baseline = 0};
	json_t *named;

	add_clean(&grid, "s", "base");
	add_seen(&grid, "s", "new");
	named = grid_named_runs(&grid);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		report_format_find(expected[i].format)->print(named, out);
		fclose(out);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, expected[i].text));
		free(text);
	}
	json_decref(named);
	grid_clear(&grid);
}

CU_TestInfo grid_tests[] = {
	{"table", test_table},
	{"repeats and empty cells", test_repeats},
	{"one version twice", test_one_version_twice},
	{"worse than the baseline", test_baseline},
	{"JSON", test_json},
	{"JUnit and KTAP", test_lists},
	CU_TEST_INFO_NULL,
};
