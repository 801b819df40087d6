// SPDX-License-Identifier: GPL-2.0-or-later
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static double seconds[sizeof(suites) / sizeof(suites[0])];
static double last_completed;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Suites run one after the other. */
static void on_suite_complete(const CU_pSuite suite, const CU_pFailureRecord failures)
{
	double at = now();

	(void)failures;
	for (size_t i = 0; suites[i].pName; i++)
		if (!strcmp(suites[i].pName, suite->pName))
			seconds[i] = at - last_completed;
	last_completed = at;
}

static void print_seconds(void)
{
	printf("Seconds of each suite:\n");
	for (size_t i = 0; suites[i].pName; i++)
		if (seconds[i] >= 0.1)
			printf("  %7.1f %s\n", seconds[i], suites[i].pName);
}

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

	/* Behind the suites' own: it forgets what failed. */
	atexit(CU_cleanup_registry);

	if (error == CUE_SUCCESS)
		error = CU_register_suites(suites);
	CU_set_suite_complete_handler(on_suite_complete);
	last_completed = now();
	if (error == CUE_SUCCESS)
		error = run(argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL);
	if (error == CUE_SUCCESS && CU_get_number_of_tests_run() == 0)
		error = CUE_NOTEST;
	/* CU_get_error() stays CUE_SUCCESS when assertions fail. */
	if (CU_get_number_of_failures() || CU_get_number_of_tests_failed())
		error = CUE_TEST_INACTIVE;
	print_seconds();
	return error != CUE_SUCCESS;
}
