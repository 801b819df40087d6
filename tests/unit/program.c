// SPDX-License-Identifier: GPL-2.0-or-later
#include "program.h"

#include "base/cleanup.h"
#include "base/process.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define LIMIT_MS       20000
#define MOST_ARGUMENTS 32

static char *read_all(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	CU_ASSERT_EQUAL(pread(fd, text, (size_t)size, 0), size);
	return text;
}

struct program_result program_run(const char *const *arguments)
{
	cleanup_fd int output = memfd_create("output", MFD_CLOEXEC),
		       errors = memfd_create("errors", MFD_CLOEXEC);
	const char *program = getenv("HANGLAB"), *all[MOST_ARGUMENTS] = {program ? program : "./hanglab"};
	struct process_files files = {-1, output, errors, NULL, 0};
	struct process child = PROCESS_NONE;
	struct hl_error err = HL_ERROR_INIT;
	int status = -1;

	for (size_t i = 0; arguments[i] && i + 2 < MOST_ARGUMENTS; i++)
		all[i + 1] = arguments[i];
	if (process_start(&child, all, &files, &err) || process_wait(&child, LIMIT_MS, &status, &err)) {
		CU_FAIL("hanglab could not be run");
		printf("\n    %s", err.text);
		process_kill(&child);
	}
	return (struct program_result){
		.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		.output = read_all(output),
		.errors = read_all(errors),
	};
}

void program_free(struct program_result *result)
{
	free(result->output);
	free(result->errors);
}
