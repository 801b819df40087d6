// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/folder.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_latest(const char *out, const char *path)
{
	cleanup_free char *link = file_path("%s/latest", out), *found = realpath(link, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	CU_ASSERT_STRING_EQUAL(found, path);
}

static void test_names(void)
{
	cleanup_free char *out = file_path("%s/a/runs", fixture_folder());
	char *paths[20];

	for (size_t i = 0; i < 20; i++) {
		struct stat status;

		CU_ASSERT_EQUAL_FATAL(run_folder_create(out, "sample", &paths[i], NULL), 0);
		CU_ASSERT_EQUAL(stat(paths[i], &status), 0);
		CU_ASSERT_TRUE(S_ISDIR(status.st_mode));
		CU_ASSERT_EQUAL(paths[i][0], '/');
		CU_ASSERT_PTR_NOT_NULL(strstr(paths[i], "/runs/sample-20"));
		check_latest(out, paths[i]);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(paths[i], paths[j]);
		/* Nothing but what the run will put there. */
		CU_ASSERT_EQUAL(fixture_count(paths[i], ""), 0);
	}
	CU_ASSERT_EQUAL(fixture_count(out, "sample-"), 20);
	for (size_t i = 0; i < 20; i++)
		free(paths[i]);
}

static void test_relative(void)
{
	cleanup_free char *folder = strdup(fixture_folder()), *old = realpath(".", NULL), *path = NULL;

	CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
	CU_ASSERT_EQUAL(run_folder_create("runs", "sample", &path, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(chdir(old), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(path);
	CU_ASSERT_EQUAL(strncmp(path, folder, strlen(folder)), 0);
}

/* What the user called "latest" is not ours to replace. */
static void test_folder_called_latest(void)
{
	cleanup_free char *out = strdup(fixture_folder()), *latest = file_path("%s/latest", out),
			  *path = NULL;
	struct stat status;

	CU_ASSERT_EQUAL_FATAL(mkdir(latest, 0755), 0);
	CU_ASSERT_EQUAL(run_folder_create(out, "sample", &path, NULL), 0);
	CU_ASSERT_EQUAL(lstat(latest, &status), 0);
	CU_ASSERT_TRUE(S_ISDIR(status.st_mode));
	CU_ASSERT_EQUAL(fixture_count(path, ".latest"), 0);
}

static void test_errors(void)
{
	cleanup_free char *file = file_path("%s/file", fixture_folder()), *below = file_path("%s/runs", file);
	struct hl_error err = HL_ERROR_INIT;
	char *path = NULL;

	fixture_write_text(file, "x");
	CU_ASSERT_EQUAL(run_folder_create(below, "sample", &path, &err), -ENOTDIR);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, below));
	CU_ASSERT_EQUAL(run_folder_create(file, "sample", &path, &err), -ENOTDIR);
	CU_ASSERT_EQUAL(run_folder_create("", "sample", &path, &err), -ENOENT);
	CU_ASSERT_PTR_NULL(path);
}

CU_TestInfo folder_tests[] = {
	{"every run has its own", test_names},
	{"below a relative path", test_relative},
	{"a folder called latest", test_folder_called_latest},
	{"errors", test_errors},
	CU_TEST_INFO_NULL,
};
