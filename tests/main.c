// SPDX-License-Identifier: GPL-2.0-or-later
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

/*
 * One suite for each test_NAME.c, listed in the suites.def of the tests' own folder. "PROGRAM NAME" runs one
 * of them.
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

static CU_ErrorCode run(const char *only)
{
	CU_pSuite suite;

	if (!only)
		return CU_basic_run_tests();
	suite = CU_get_suite(only);
	if (!suite) {
		fprintf(stderr, "no suite \"%s\"\n", only);
		return CUE_NOSUITE;
	}
	return CU_basic_run_suite(suite);
}

int main(int argc, char **argv)
{
	CU_ErrorCode error = CU_initialize_registry();

	if (error == CUE_SUCCESS)
		error = CU_register_suites(suites);
	if (error == CUE_SUCCESS)
		error = run(argc > 1 ? argv[1] : NULL);
	if (error == CUE_SUCCESS && CU_get_number_of_tests_run() == 0)
		error = CUE_NOTEST;
	/* CU_get_error() stays CUE_SUCCESS when assertions fail. */
	if (CU_get_number_of_failures() || CU_get_number_of_tests_failed())
		error = CUE_TEST_INACTIVE;
	CU_cleanup_registry();
	return error != CUE_SUCCESS;
}
