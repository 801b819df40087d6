// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What README.md says of programs that read logs with the library alone: the one that is printed there is
 * built and run as printed. */

#define LIBRARY "build/libhanglab-checkers.a"

/* The indented lines from "#include" on. */
static void write_program(const char *path)
{
	FILE *readme = fopen("README.md", "r"), *program = fopen(path, "w");
	char line[1024];
	bool begun = false;

	CU_ASSERT_FATAL(readme && program);
	while (fgets(line, sizeof(line), readme)) {
		bool code = strncmp(line, "    ", 4) == 0;

		begun |= strcmp(line, "    #include \"checkers/checkers.h\"\n") == 0;
		if (begun && !code && *line != '\n')
			break;
		if (begun)
			fputs(code ? line + 4 : line, program);
	}
	CU_ASSERT_TRUE(begun);
	fclose(readme);
	fclose(program);
}

/* The text between "It is built with `" and "`", with @source and @program for "my.c". */
static char *read_command(const char *source, const char *program)
{
	cleanup_free char *text = NULL;
	const char *command, *name, *end;
	size_t size;

	CU_ASSERT_EQUAL_FATAL(file_read("README.md", &text, &size, NULL), 0);
	command = strstr(text, "It is built with `");
	CU_ASSERT_PTR_NOT_NULL_FATAL(command);
	command += strlen("It is built with `");
	name = strstr(command, "my.c");
	end = strchr(command, '`');
	CU_ASSERT_FATAL(name && end && name < end);
	return file_path("%.*s%s -o %s%.*s", (int)(name - command), command, source, program,
			 (int)(end - name - 4), name + 4);
}

static void test_program_of_readme(void)
{
	cleanup_free char *source = file_path("%s/my.c", fixture_folder());
	cleanup_free char *program = file_path("%s/my", fixture_folder());
	cleanup_free char *build = read_command(source, program);
	cleanup_free char *run = file_path("%s < tests/samples/iscsi-stall.log", program);
	char line[256] = "";
	size_t lines = 1;
	FILE *output;

	if (access(LIBRARY, R_OK)) {
		printf("SKIP (no " LIBRARY ") ");
		return;
	}
	write_program(source);
	CU_ASSERT_EQUAL_FATAL(system(build), 0);
	output = popen(run, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(output);
	CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof(line), output));
	CU_ASSERT_STRING_EQUAL(line, "hung_task: hung task in ext4_sync_file\n");
	while (fgets(line, sizeof(line), output))
		lines++;
	CU_ASSERT_EQUAL(lines, 7);
	CU_ASSERT_EQUAL(pclose(output), 0);
}

CU_TestInfo library_tests[] = {
	{"the program in README.md", test_program_of_readme},
	CU_TEST_INFO_NULL,
};
