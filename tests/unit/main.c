// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the unit tests: all suites of suites.def, or those named as arguments.
 * Exit status: 0 when every assertion held, 1 when not, 2 when nothing could be run.
 */
#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SUITE(name) extern CU_TestInfo name##_tests[];
#include "suites.def"
#undef SUITE

static CU_SuiteInfo suites[] = {
#define SUITE(name) {.pName = #name, .pTests = name##_tests},
#include "suites.def"
#undef SUITE
	CU_SUITE_INFO_NULL,
};

static bool is_wanted(const char *name, char **names)
{
	for (size_t i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return true;
	return !names[0];
}

static bool is_known(const char *name)
{
	for (size_t i = 0; suites[i].pName; i++)
		if (!strcmp(suites[i].pName, name))
			return true;
	return false;
}

static int register_suites(char **names)
{
	for (size_t i = 0; names[i]; i++)
		if (!is_known(names[i])) {
			fprintf(stderr, "unit: no suite \"%s\" in suites.def\n", names[i]);
			return -1;
		}
	for (size_t i = 0; suites[i].pName; i++) {
		CU_SuiteInfo one[] = {suites[i], CU_SUITE_INFO_NULL};

		if (is_wanted(suites[i].pName, names) && CU_register_suites(one) != CUE_SUCCESS) {
			fprintf(stderr, "unit: register %s: %s\n", suites[i].pName, CU_get_error_msg());
			return -1;
		}
	}
	return 0;
}

int main(int count, char **arguments)
{
	bool failed;

	(void)count;
	if (CU_initialize_registry() != CUE_SUCCESS || register_suites(arguments + 1) ||
	    CU_basic_run_tests() != CUE_SUCCESS)
		return 2;
	/* CU_get_error() stays 0 when assertions fail: count them. */
	failed = CU_get_number_of_failures() || CU_get_number_of_suites_failed() ||
		 !CU_get_number_of_tests_run();
	CU_cleanup_registry();
	return failed;
}
