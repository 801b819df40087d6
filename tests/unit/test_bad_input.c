// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "program.h"

#include <CUnit/CUnit.h>
#include <glob.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/*
 * "hanglab check" of every tests/bad-input/NAME.yaml must end with 2 and print what stands in NAME.expected,
 * in which the folder is left out. UPDATE=1 writes those files anew, for review.
 */
#define FOLDER "tests/bad-input/"

#define FEWEST 30

static struct program_result check_file(const char *path)
{
	return program_run((const char *const[]){"check", path, NULL});
}

static void remove_all(char *text, const char *word)
{
	for (char *found = strstr(text, word); found; found = strstr(found, word))
		memmove(found, found + strlen(word), strlen(found + strlen(word)) + 1);
}

/* What the YAML library itself says, and at which column, differs between its versions. */
static bool is_as_expected(const char *expected, const char *printed)
{
	const char *syntax = strstr(expected, ": not valid YAML: "), *line = strchr(expected, ':');

	if (!syntax)
		return !strcmp(expected, printed);
	return !strncmp(expected, printed, (size_t)(line - expected)) &&
	       strstr(printed, ": not valid YAML: ");
}

static void compare(const char *path, const char *printed)
{
	cleanup_free char *expected_path =
		file_path("%.*s.expected", (int)(strlen(path) - strlen(".yaml")), path);
	cleanup_free char *expected = NULL;
	struct hl_error err = HL_ERROR_INIT;

	if (getenv("UPDATE"))
		CU_ASSERT_EQUAL(file_write(expected_path, printed, strlen(printed), &err), 0);
	if (file_read(expected_path, &expected, NULL, &err) || !is_as_expected(expected, printed)) {
		printf("\n    %s prints\n%s    and not\n%s", path, printed, expected ? expected : err.text);
		CU_FAIL("not the expected message");
	}
}

/* FILE:LINE:COLUMN: text, the line, a mark; the empty file has no line to show. */
static void check_form(const char *path, const char *printed)
{
	unsigned int line = 0, column = 0;

	if (strstr(printed, "the file is empty"))
		return;
	CU_ASSERT_EQUAL(sscanf(printed, "%*[^:]:%u:%u: ", &line, &column), 2);
	CU_ASSERT_TRUE(line > 0 && column > 0);
	if (!strstr(printed, "^\n")) {
		printf("\n    %s has no mark", path);
		CU_FAIL("no mark");
	}
	for (const char *c = printed; *c; c++)
		CU_ASSERT_TRUE((unsigned char)*c >= ' ' || *c == '\n' || *c == '\t');
}

static void test_files(void)
{
	glob_t files = {0};

	CU_ASSERT_EQUAL_FATAL(glob(FOLDER "*.yaml", 0, NULL, &files), 0);
	CU_ASSERT_TRUE(files.gl_pathc >= FEWEST);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct program_result result cleanup_with(program_free) = check_file(files.gl_pathv[i]);

		if (result.code != 2) {
			printf("\n    %s ends with %d: %s", files.gl_pathv[i], result.code, result.errors);
			CU_FAIL("not refused");
		}
		CU_ASSERT_STRING_EQUAL(result.output, "");
		remove_all(result.errors, FOLDER);
		compare(files.gl_pathv[i], result.errors);
		check_form(files.gl_pathv[i], result.errors);
	}
	globfree(&files);
}

static void check_refused(const char *path, const char *message)
{
	struct program_result result cleanup_with(program_free) = check_file(path);

	CU_ASSERT_EQUAL(result.code, 2);
	if (!strstr(result.errors, message))
		printf("\n    %.300s", result.errors);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, message));
	CU_ASSERT_TRUE(strlen(result.errors) < 2048);
}

static void test_unreadable(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *missing = file_path("%s/missing.yaml", folder),
			  *closed = file_path("%s/closed.yaml", folder);

	check_refused(folder, "Is a directory");
	check_refused(missing, "missing.yaml: No such file or directory");
	check_refused("", "No such file or directory");
	fixture_write_text(closed, "scenario: x\n");
	chmod(closed, 0);
	if (access(closed, R_OK))
		check_refused(closed, "Permission denied");
	else
		printf("(root reads every file: that one is not tested) ");
}

/* A megabyte of one character, or of a few. */
static void check_megabyte(const char *start, const char *pattern, const char *message)
{
	cleanup_free char *path = file_path("%s/large.yaml", fixture_folder()),
			  *text = calloc(1, (1 << 20) + 100);
	size_t length = strlen(pattern), used = (size_t)sprintf(text, "%s", start);

	for (; used < 1 << 20; used += length)
		memcpy(text + used, pattern, length);
	fixture_write_text(path, text);
	check_refused(path, message);
}

static void test_large(void)
{
	check_megabyte("scenario: ", "[", "not valid YAML");
	check_megabyte("", "{", "not valid YAML");
	check_megabyte("", "- ", "not valid YAML");
	check_megabyte("", "? ", "not valid YAML");
	check_megabyte("scenario: ", "x", "the name has 1048566 characters");
	check_megabyte("", "x", "a single value where a mapping is expected");
	check_megabyte("scenario: sample\nchecks: [", "{forbid: panic}, ", "not valid YAML");
	check_megabyte("scenario: sample\na: &a x\nb: [", "*a, ", "not valid YAML");
}

/* A broken file does not keep the others from being checked. */
static void test_several(void)
{
	cleanup_free char *good = file_path("%s/good.yaml", fixture_folder());
	const char *const arguments[] = {"check", FOLDER "tabs.yaml", good, FOLDER "no-unit.yaml", NULL};
	struct program_result result cleanup_with(program_free) = {0, NULL, NULL};

	fixture_write_text(good, "scenario: good\nchecks:\n  - forbid: panic\n");
	result = program_run(arguments);
	CU_ASSERT_EQUAL(result.code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.output, "good.yaml: good is valid\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, "tabs.yaml:4:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, "no-unit.yaml:4:"));
}

CU_TestInfo bad_input_tests[] = {
	{"every file of tests/bad-input", test_files},
	{"what cannot be read", test_unreadable},
	{"a megabyte of nonsense", test_large},
	{"several files", test_several},
	CU_TEST_INFO_NULL,
};
