// SPDX-License-Identifier: GPL-2.0-or-later
/* The Debian package: lintian finds nothing, and what is in it works without the source tree. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define LIMIT_MS 240000

static char *package_root(void)
{
	return file_path("%s/package", runs_folder());
}

/* Runs with an empty folder as its working directory: nothing of the tree is in reach by chance. */
static int in_package(const char *arguments, char **output)
{
	cleanup_free char *root = package_root(), *script = NULL;
	const char *command[] = {"sh", "-c", NULL, NULL};
	struct outcome outcome;
	int code;

	script = file_path("mkdir -p %s/empty && cd %s/empty && exec %s/usr/bin/hanglab %s", root, root, root,
			   arguments);
	command[2] = script;
	run_command(command, LIMIT_MS, &outcome);
	code = outcome.exit_code;
	if (outcome.errors[0])
		printf("\n    %s", outcome.errors);
	if (output)
		*output = strdup(outcome.output);
	outcome_free(&outcome);
	return code;
}

static void check_output(const char *arguments, const char *part)
{
	cleanup_free char *output = NULL;

	CU_ASSERT_EQUAL(in_package(arguments, &output), 0);
	CU_ASSERT_PTR_NOT_NULL(output);
	CU_ASSERT_PTR_NOT_NULL(strstr(output, part));
}

static void build(void)
{
	static const char *const make[] = {"make", "--no-print-directory", "deb", NULL};
	cleanup_free char *root = package_root();
	const char *unpack[] = {"sh", "-c", NULL, NULL};
	cleanup_free char *script = file_path("dpkg-deb -x build/hanglab_*.deb %s", root);
	struct outcome outcome;

	run_command(make, LIMIT_MS, &outcome);
	CU_ASSERT_EQUAL_FATAL(outcome.exit_code, 0);
	outcome_free(&outcome);
	unpack[2] = script;
	run_command(unpack, LIMIT_MS, &outcome);
	CU_ASSERT_EQUAL_FATAL(outcome.exit_code, 0);
	outcome_free(&outcome);
}

static void lintian_is_silent(void)
{
	static const char *const lintian[] = {
		"sh", "-c", "lintian --allow-root --fail-on error,warning build/hanglab_*.deb", NULL};
	cleanup_free char *program = process_find_program("lintian");
	struct outcome outcome;

	if (!program) {
		printf("SKIP: lintian is not installed (make deps-test installs it) ");
		return;
	}
	run_command(lintian, LIMIT_MS, &outcome);
	if (outcome.output[0])
		printf("\n    %s", outcome.output);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_STRING_EQUAL(outcome.output, "");
	outcome_free(&outcome);
}

static void works_from_package(void)
{
	build();
	check_output("list scenarios", "fsfreeze-hung-task");
	check_output("check ../usr/share/hanglab/scenarios/exfat-loop-livelock.yaml", "is valid");
	check_output("init", "wrote ./first.yaml");
	check_output("run --format json first.yaml", "\"verdict\": \"PASS\"");
	check_output("report runs/latest", "report.html");
	check_output("report --text runs/latest", "PASS  first: ");
	check_output("diagnose runs/latest/kmsg.log", "Reproduce it here: hanglab run /");
}

CU_TestInfo package_tests[] = {
	{"what is in the package works without the tree", works_from_package},
	{"lintian is silent", lintian_is_silent},
	CU_TEST_INFO_NULL,
};
