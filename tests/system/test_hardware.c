// SPDX-License-Identifier: GPL-2.0-or-later
/* The hardware error of a report from the field, reproduced line for line. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <glob.h>
#include <stdbool.h>
#include <string.h>

#define TAG	   "{1}[Hardware Error]: "
#define MOST_LINES 64

/* The lines of the first error record in a log, from the tag on. Cuts @text into them. Return: how many. */
static size_t record_lines(char *text, const char **lines)
{
	char *position = NULL;
	size_t count = 0;

	for (char *line = strtok_r(text, "\r\n", &position); line && count < MOST_LINES;
	     line = strtok_r(NULL, "\r\n", &position)) {
		const char *tag = strstr(line, TAG);

		if (tag)
			lines[count++] = tag;
		else if (count)
			break;
	}
	return count;
}

static char *read_seed(void)
{
	char *text = NULL;
	glob_t files = {0};

	if (glob("../shared/seeds/002_*", 0, NULL, &files) || file_read(files.gl_pathv[0], &text, NULL, NULL))
		printf("SKIP (no ../shared/seeds/002_*) ");
	globfree(&files);
	return text;
}

static void record_is_that_of_the_report(void)
{
	cleanup_free char *seed = read_seed(), *path = NULL, *console = NULL;
	const char *wanted[MOST_LINES], *found[MOST_LINES];
	struct outcome outcome;
	size_t count;

	if (!seed)
		return;
	HANGLAB(&outcome, "run", "--format", "json", "scenarios/pcie-fatal-hardware-error.yaml");
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	path = file_path("%s/console.log", text_in(&outcome, "folder"));
	CU_ASSERT_EQUAL_FATAL(file_read(path, &console, NULL, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(console, "Fatal hardware error"));
	count = record_lines(seed, wanted);
	CU_ASSERT_EQUAL(count, 13);
	CU_ASSERT_EQUAL_FATAL(record_lines(console, found), count);
	for (size_t i = 0; i < count; i++)
		CU_ASSERT_STRING_EQUAL(found[i], wanted[i]);
	outcome_free(&outcome);
}

CU_TestInfo hardware_tests[] = {
	{"the error record is that of the report", record_is_that_of_the_report},
	CU_TEST_INFO_NULL,
};
