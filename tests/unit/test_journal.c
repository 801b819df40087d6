// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/journal.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fiu-control.h>
#include <fiu.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static char *new_path(void)
{
	return file_path("%s/journal.jsonl", fixture_folder());
}

/* Every line of a journal as an array; fails when one cannot be read. */
static json_t *read_lines(const char *path)
{
	cleanup_free char *text = NULL;
	json_t *lines = json_array();
	size_t size = 0;

	CU_ASSERT_EQUAL_FATAL(file_read(path, &text, &size, NULL), 0);
	CU_ASSERT_TRUE(!size || text[size - 1] == '\n');
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);

		CU_ASSERT_PTR_NOT_NULL(json);
		json_array_append_new(lines, json);
	}
	return lines;
}

static void check_action(const json_t *lines, size_t index, const char *action)
{
	const char *found = json_string_value(json_object_get(json_array_get(lines, index), "action"));

	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	CU_ASSERT_STRING_EQUAL(found, action);
}

static void test_lines(void)
{
	struct journal journal = JOURNAL_NONE;
	cleanup_free char *path = new_path();
	size_t before = resources_descriptors();
	double now = (double)time(NULL);
	json_t *lines;

	CU_ASSERT_EQUAL_FATAL(journal_open(&journal, path, NULL), 0);
	CU_ASSERT_EQUAL(journal_write(&journal, "inject",
				      json_pack("{s:i, s:s}", "step", 1, "text", "two\nlines"), NULL),
			0);
	CU_ASSERT_EQUAL(journal_write(&journal, "release", NULL, NULL), 0);
	lines = read_lines(path);
	CU_ASSERT_EQUAL(json_array_size(lines), 2);
	check_action(lines, 0, "inject");
	check_action(lines, 1, "release");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(lines, 0), "step")), 1);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(lines, 0), "text")),
			       "two\nlines");
	CU_ASSERT_DOUBLE_EQUAL(json_real_value(json_object_get(json_array_get(lines, 1), "host_time")), now,
			       10);
	json_decref(lines);
	journal_close(&journal);
	CU_ASSERT_EQUAL(journal.fd, -1);
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static void test_open_errors(void)
{
	cleanup_free char *path = new_path();
	struct hl_error err = HL_ERROR_INIT;
	struct journal journal = JOURNAL_NONE;

	fixture_write_text(path, "old\n");
	CU_ASSERT_EQUAL(journal_open(&journal, path, &err), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "journal.jsonl: File exists"));
	CU_ASSERT_EQUAL(journal_open(&journal, "/no/such/folder/journal", &err), -ENOENT);
	journal_close(&journal);
	journal_close(&journal);
}

/* The kernel cuts the line in the middle, as a full disk does: the rest of the line must not stay. */
static void test_cut_line(void)
{
	struct journal journal = JOURNAL_NONE;
	cleanup_free char *path = new_path();
	struct hl_error err = HL_ERROR_INIT;
	struct rlimit old, small;
	json_t *lines;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	CU_ASSERT_EQUAL_FATAL(journal_open(&journal, path, NULL), 0);
	CU_ASSERT_EQUAL(journal_write(&journal, "first", NULL, NULL), 0);
	small = (struct rlimit){(rlim_t)lseek(journal.fd, 0, SEEK_END) + 20, old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	CU_ASSERT_EQUAL(journal_write(&journal, "second", NULL, &err), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	CU_ASSERT_STRING_EQUAL(err.text, "write the journal (second): File too large");
	CU_ASSERT_EQUAL(journal_write(&journal, "third", NULL, NULL), 0);
	lines = read_lines(path);
	CU_ASSERT_EQUAL(json_array_size(lines), 2);
	check_action(lines, 0, "first");
	check_action(lines, 1, "third");
	json_decref(lines);
	journal_close(&journal);
	signal(SIGXFSZ, SIG_DFL);
}

static void test_failure_point(void)
{
	struct journal journal = JOURNAL_NONE;
	cleanup_free char *path = new_path();
	struct hl_error err = HL_ERROR_INIT;
	json_t *lines;

	fiu_init(0);
	CU_ASSERT_EQUAL_FATAL(journal_open(&journal, path, NULL), 0);
	CU_ASSERT_EQUAL(journal_write(&journal, "first", NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(fiu_enable("journal/write", 1, NULL, FIU_ONETIME), 0);
	CU_ASSERT_EQUAL(journal_write(&journal, "second", json_object(), &err), -ENOSPC);
	CU_ASSERT_STRING_EQUAL(err.text, "write the journal (second): No space left on device");
	CU_ASSERT_EQUAL(journal_write(&journal, "third", NULL, NULL), 0);
	lines = read_lines(path);
	CU_ASSERT_EQUAL(json_array_size(lines), 2);
	check_action(lines, 1, "third");
	json_decref(lines);
	journal_close(&journal);
	fiu_disable("journal/write");
}

CU_TestInfo journal_tests[] = {
	{"lines", test_lines},
	{"errors of opening", test_open_errors},
	{"a line that was cut is removed", test_cut_line},
	{"failure point journal/write", test_failure_point},
	CU_TEST_INFO_NULL,
};
