// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"

#include "base/cleanup.h"
#include "package_fixture.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void test_write_and_read(void)
{
	cleanup_free char *path = file_path("%s/file", fixture_folder()), *data = NULL;
	size_t before = resources_descriptors(), size = 0, large = 3 << 20;
	cleanup_free char *pattern = malloc(large);

	for (size_t i = 0; i < large; i++)
		pattern[i] = (char)(i * 31 >> 3);
	CU_ASSERT_EQUAL(file_write(path, pattern, large, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(file_read(path, &data, &size, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(size, large);
	CU_ASSERT_EQUAL(memcmp(data, pattern, large), 0);
	CU_ASSERT_EQUAL(data[large], '\0');
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static void test_replace(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *path = file_path("%s/file", folder), *data = NULL;

	CU_ASSERT_EQUAL(file_write(path, "long old text", 13, NULL), 0);
	CU_ASSERT_EQUAL(file_write(path, "new", 3, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(file_read(path, &data, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(data, "new");
	CU_ASSERT_EQUAL(fixture_count(folder, ""), fixture_count(folder, "cache") + 1);
}

static void test_proc(void)
{
	cleanup_free char *data = NULL;
	size_t size = 0;

	CU_ASSERT_EQUAL_FATAL(file_read("/proc/self/status", &data, &size, NULL), 0);
	CU_ASSERT_EQUAL(strncmp(data, "Name:", 5), 0);
	CU_ASSERT_EQUAL(strlen(data), size);
}

static void test_read_errors(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *missing = file_path("%s/missing", folder);
	size_t before = resources_descriptors();
	struct hl_error err = HL_ERROR_INIT;
	char *data = NULL;

	CU_ASSERT_EQUAL(file_read(missing, &data, NULL, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "missing: No such file or directory"));
	CU_ASSERT_EQUAL(file_read(folder, &data, NULL, &err), -EISDIR);
	CU_ASSERT_PTR_NULL(data);
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static void test_write_errors(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *inside = file_path("%s/missing/file", folder),
			  *over = file_path("%s/folder", folder);
	size_t before = resources_descriptors();

	mkdir(over, 0755);
	CU_ASSERT_EQUAL(file_write(inside, "x", 1, NULL), -ENOENT);
	CU_ASSERT_NOT_EQUAL(file_write(over, "x", 1, NULL), 0);
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static void test_folders(void)
{
	cleanup_free char *root = strdup(fixture_folder());
	cleanup_free char *deep = file_path("%s/a//b/c/", root), *file = file_path("%s/a/file", root);
	cleanup_free char *blocked = file_path("%s/a/file/x", root);
	struct hl_error err = HL_ERROR_INIT;
	struct stat status;

	CU_ASSERT_EQUAL(file_make_folders(deep, NULL), 0);
	CU_ASSERT_EQUAL(file_make_folders(deep, NULL), 0);
	CU_ASSERT_EQUAL(stat(deep, &status), 0);
	CU_ASSERT_TRUE(S_ISDIR(status.st_mode));
	CU_ASSERT_EQUAL(file_write(file, "", 0, NULL), 0);
	CU_ASSERT_EQUAL(file_make_folders(blocked, &err), -ENOTDIR);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a/file/x"));
	CU_ASSERT_EQUAL(file_make_folders("", &err), -ENOENT);
}

static void test_remove_tree(void)
{
	cleanup_free char *root = strdup(fixture_folder());
	cleanup_free char *tree = file_path("%s/tree", root), *deep = file_path("%s/tree/a/b", root);
	cleanup_free char *kept = file_path("%s/kept", root), *link = file_path("%s/tree/a/link", root);
	cleanup_free char *file = file_path("%s/file", kept);

	CU_ASSERT_EQUAL(file_make_folders(deep, NULL), 0);
	CU_ASSERT_EQUAL(file_make_folders(kept, NULL), 0);
	CU_ASSERT_EQUAL(file_write(file, "x", 1, NULL), 0);
	CU_ASSERT_EQUAL(symlink(kept, link), 0);
	CU_ASSERT_EQUAL(file_remove_tree(tree, NULL), 0);
	CU_ASSERT_EQUAL(access(tree, F_OK), -1);
	CU_ASSERT_EQUAL(access(file, F_OK), 0);
	CU_ASSERT_EQUAL(file_remove_tree(tree, NULL), 0);
}

static void test_cache_folder(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *path = NULL, *expected = file_path("%s/cache/hanglab/things", folder);

	CU_ASSERT_EQUAL_FATAL(file_cache_folder("things", &path, NULL), 0);
	CU_ASSERT_STRING_EQUAL(path, expected);
	CU_ASSERT_EQUAL(access(path, W_OK), 0);
}

CU_TestInfo file_tests[] = {
	{"what is written reads back", test_write_and_read},
	{"a file is replaced whole", test_replace},
	{"files of /proc", test_proc},
	{"errors of reading", test_read_errors},
	{"errors of writing", test_write_errors},
	{"folders", test_folders},
	{"a tree is removed, not what it links to", test_remove_tree},
	{"folder in the cache", test_cache_folder},
	CU_TEST_INFO_NULL,
};
