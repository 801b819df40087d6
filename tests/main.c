// SPDX-License-Identifier: GPL-2.0-or-later
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

/*
 * One suite for each test_NAME.c, listed in the suites.def of the tests' own folder. "PROGRAM SUITE" runs one
 * of them, "PROGRAM SUITE TEST" one test of it.
 */

#define SUITE(name) extern CU_TestInfo name##_tests[];
#include SUITES
#undef SUITE

static CU_SuiteInfo suites[] = {
#define SUITE(name) {.pName = #name, .pTests = name##_tests},
#include SUITES
#undef SUITE
	CU_SUITE_INFO_NULL,
};

static CU_ErrorCode run(const char *suite_name, const char *test_name)
{
	CU_pSuite suite = suite_name ? CU_get_suite(suite_name) : NULL;
	CU_pTest test = suite && test_name ? CU_get_test_by_name(test_name, suite) : NULL;

	if (!suite_name)
		return CU_basic_run_tests();
	if (!suite || (test_name && !test)) {
		fprintf(stderr, "no %s \"%s\"\n", suite ? "test" : "suite", suite ? test_name : suite_name);
		return suite ? CUE_NOTEST : CUE_NOSUITE;
	}
	return test ? CU_basic_run_test(suite, test) : CU_basic_run_suite(suite);
}

int main(int argc, char **argv)
{
	CU_ErrorCode error = CU_initialize_registry();

	if (error == CUE_SUCCESS)
		error = CU_register_suites(suites);
	if (error == CUE_SUCCESS)
		error = run(argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL);
	if (error == CUE_SUCCESS && CU_get_number_of_tests_run() == 0)
		error = CUE_NOTEST;
	/* CU_get_error() stays CUE_SUCCESS when assertions fail. */
	if (CU_get_number_of_failures() || CU_get_number_of_tests_failed())
		error = CUE_TEST_INACTIVE;
	CU_cleanup_registry();
	return error != CUE_SUCCESS;
}
