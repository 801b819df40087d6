// SPDX-License-Identifier: GPL-2.0-or-later
#include "executor/job_list.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "executor/executor.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

static char *write_list(const char *text)
{
	char *path;

	strcpy(folder, "/tmp/hanglab-unit-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	path = file_path("%s/plan", folder);
	CU_ASSERT_EQUAL_FATAL(file_write(path, text, strlen(text), NULL), 0);
	return path;
}

static void test_read(void)
{
	cleanup_free char *path =
		write_list("/bin/hanglab run --kernel a --seed 1 --out o --result '/r 1' '/s 1.yaml'\n"
			   "hanglab run --kernel 'b c' --sysctl kernel.panic=1 --result r2 s2.yaml\n");
	struct job_list list cleanup_with(job_list_clear) = {0};

	CU_ASSERT_EQUAL_FATAL(job_list_read(path, &list, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(list.count, 2);
	CU_ASSERT_STRING_EQUAL(list.jobs[0].kernel, "a");
	CU_ASSERT_STRING_EQUAL(list.jobs[0].result, "/r 1");
	CU_ASSERT_STRING_EQUAL(list.jobs[0].scenario, "/s 1.yaml");
	CU_ASSERT_STRING_EQUAL(list.jobs[1].kernel, "b c");
	CU_ASSERT_PTR_NULL(job_result(&list.jobs[0]));
	file_remove_tree(folder, NULL);
}

static void check_refused(const char *text, const char *message)
{
	cleanup_free char *path = write_list(text);
	struct job_list list cleanup_with(job_list_clear) = {0};
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(job_list_read(path, &list, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, message));
	file_remove_tree(folder, NULL);
}

static void test_bad_lists(void)
{
	check_refused("", "an empty plan");
	check_refused("hanglab run --kernel a --result r s.yaml\nhanglab run --kernel a s.yaml\n",
		      "plan:2: not a line of a plan");
	check_refused("hanglab run --kernel 'a --result r s.yaml\n", "plan:1: ");
	check_refused("hanglab run --kernel $(id) --result r s.yaml\n", "plan:1: ");
	check_refused("\n", "plan:1: ");
}

/* Half a result, as of a job that was killed, is none. */
static void test_result(void)
{
	static const char whole[] = "{\"results\": [{\"verdict\": \"PASS\"}]}";
	cleanup_free char *path = write_list(whole);
	struct job job = {.result = path};
	json_t *result = job_result(&job);

	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(result, "verdict")), "PASS");
	json_decref(result);
	CU_ASSERT_EQUAL(file_write(path, whole, sizeof(whole) / 2, NULL), 0);
	CU_ASSERT_PTR_NULL(job_result(&job));
	file_remove_tree(folder, NULL);
}

static void check_executor(const char *text, const char *name, const char *hosts)
{
	struct hl_error err = HL_ERROR_INIT;
	const char *found_hosts = NULL;
	const struct executor *executor = executor_find(text, &found_hosts, &err);

	if (!name) {
		CU_ASSERT_PTR_NULL(executor);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is none of local, parallel:HOSTS, slurm"));
		return;
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(executor);
	CU_ASSERT_STRING_EQUAL(executor->name, name);
	CU_ASSERT(hosts ? found_hosts && !strcmp(found_hosts, hosts) : !found_hosts);
}

static void test_executors(void)
{
	check_executor("slurm", "slurm", NULL);
	check_executor("parallel::", "parallel", ":");
	check_executor("parallel:alpha,user@beta", "parallel", "alpha,user@beta");
	check_executor("parallel", NULL, NULL);
	check_executor("parallel:", NULL, NULL);
	check_executor("slurm:here", NULL, NULL);
	check_executor("slur", NULL, NULL);
	check_executor("", NULL, NULL);
}

CU_TestInfo job_list_tests[] = {
	{"lines of a plan", test_read},
	{"files that are no plans", test_bad_lists},
	{"what a job leaves", test_result},
	{"executors by name", test_executors},
	CU_TEST_INFO_NULL,
};
