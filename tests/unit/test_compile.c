// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "vm-images/program.h"

#include <CUnit/CUnit.h>
#include <string.h>

static int compile(const char *text, char **image, size_t *size, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/repro.c", fixture_folder());

	fixture_write_text(path, text);
	return program_compile(path, image, size, err);
}

static void test_compile(void)
{
	static const char source[] = "#include <pthread.h>\nint main(void) { return pthread_self() == 0; }\n";
	cleanup_free char *first = NULL, *second = NULL;
	struct hl_error err = HL_ERROR_INIT;
	size_t first_size = 0, second_size = 1;

	CU_ASSERT_EQUAL_FATAL(compile(source, &first, &first_size, &err), 0);
	CU_ASSERT_EQUAL_FATAL(compile(source, &second, &second_size, &err), 0);
	CU_ASSERT_FATAL(first_size == second_size && first_size > 1000);
	CU_ASSERT(!memcmp(first, "\177ELF", 4));
	CU_ASSERT(!memcmp(first, second, first_size));
}

static void test_errors(void)
{
	struct hl_error err = HL_ERROR_INIT;
	char *image = NULL;
	size_t size;

	CU_ASSERT_EQUAL(compile("int main(void) { return nonesuch; }\n", &image, &size, &err), -EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nonesuch"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "repro.c"));
	CU_ASSERT_EQUAL(program_compile("/nonexistent/repro.c", &image, &size, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/repro.c"));
	CU_ASSERT_PTR_NULL(image);
}

CU_TestInfo compile_tests[] = {
	{"a program", test_compile},
	{"errors", test_errors},
	CU_TEST_INFO_NULL,
};
