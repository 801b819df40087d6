// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/shell.h"

#include "base/process.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>

static void check(const char *word, const char *quoted)
{
	char *text = shell_quote(word);

	CU_ASSERT_STRING_EQUAL(text, quoted);
	free(text);
}

static void test_quotes(void)
{
	check("debian:6.1.0-56-cloud-amd64", "debian:6.1.0-56-cloud-amd64");
	check("", "''");
	check("two words", "'two words'");
	check("it's", "'it'\\''s'");
	check("*", "'*'");
	check("~", "'~'");
}

/* The real shell agrees. */
static void test_shell_reads_it(void)
{
	static const char word[] = "a $HOME `id` \"b\" 'c' \\ * ~ #;&|\n\tend";
	char *quoted = shell_quote(word), *output = NULL;
	char command[400];
	const char *const arguments[] = {"sh", "-c", command, NULL};

	snprintf(command, sizeof(command), "printf %%s %s", quoted);
	CU_ASSERT_EQUAL_FATAL(process_run(arguments, 10000, &output, NULL), 0);
	CU_ASSERT_STRING_EQUAL(output, word);
	free(output);
	free(quoted);
}

CU_TestInfo shell_tests[] = {
	{"quotes where they are needed", test_quotes},
	{"a shell reads the word as it was", test_shell_reads_it},
	CU_TEST_INFO_NULL,
};
