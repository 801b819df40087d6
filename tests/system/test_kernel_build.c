// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel from Debian's source package with a patch of one line, which boots and shows the patch. Quick only
 * where ccache has compiled the rest before: make check-kernels does that. The unit tests of the suite
 * "build" build everywhere, from a small tree of their own.
 */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "vm-images/kernel_store.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define PLAIN	 "lab-6.1" /* of make check-kernels */
#define NAME	 "system-test"
#define SOURCE	 "debian:6.1"
#define SCENARIO "scenarios/fsfreeze-control.yaml"

static const char patch[] = "--- a/init/main.c\n"
			    "+++ b/init/main.c\n"
			    "@@ -1393,7 +1393,7 @@\n"
			    " \tconst char *const *p;\n"
			    " \n"
			    " \targv_init[0] = init_filename;\n"
			    "-\tpr_info(\"Run %s as init process\\n\", init_filename);\n"
			    "+\tpr_info(\"Patched to run %s\\n\", init_filename);\n"
			    " \tpr_debug(\"  with arguments:\\n\");\n"
			    " \tfor (p = argv_init; *p; p++)\n"
			    " \t\tpr_debug(\"    %s\\n\", *p);\n";

static bool is_warm(void)
{
	struct kernel *plain = NULL;
	bool found = !kernel_store_find(PLAIN, &plain, NULL);

	kernel_free(plain);
	if (!found)
		printf("SKIP: a first build takes many minutes; make check-kernels does one ");
	return found;
}

static void build(const char *path, const char *said)
{
	struct outcome outcome;

	HANGLAB(&outcome, "kernel", "build", "--source", SOURCE, "--name", NAME, "--patch", path);
	if (outcome.exit_code)
		printf("\n    %s", outcome.errors);
	CU_ASSERT_EQUAL_FATAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, said));
	outcome_free(&outcome);
}

static void shows_the_patch(void)
{
	cleanup_free char *log = NULL, *text = NULL;
	struct outcome outcome;

	HANGLAB(&outcome, "run", "--format", "json", "--kernel", NAME, SCENARIO);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	log = file_path("%s/kmsg.log", text_in(&outcome, "folder"));
	CU_ASSERT_EQUAL_FATAL(file_read(log, &text, NULL, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Patched to run /init"));
	outcome_free(&outcome);
}

static void one_line(void)
{
	cleanup_free char *path = file_path("%s/one-line.patch", runs_folder());

	if (!is_warm())
		return;
	CU_ASSERT_EQUAL_FATAL(file_write(path, patch, strlen(patch), NULL), 0);
	build(path, NAME);
	build(path, "is up to date");
	shows_the_patch();
}

CU_TestInfo kernel_build_tests[] = {
	{"one line", one_line},
	CU_TEST_INFO_NULL,
};
