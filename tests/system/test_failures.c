// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes wrong around a run is BROKEN with its reason, leaves what was written readable, and no VM. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define SCENARIO "scenarios/fsfreeze-timeout-20-panic.yaml"

static void assert_journal_is_readable(const char *folder)
{
	cleanup_free char *path = file_path("%s/journal.jsonl", folder), *text = NULL;
	char *position = NULL;

	CU_ASSERT_FATAL(!file_read(path, &text, NULL, NULL));
	CU_ASSERT(!text[0] || text[strlen(text) - 1] == '\n');
	for (char *line = strtok_r(text, "\n", &position); line; line = strtok_r(NULL, "\n", &position)) {
		json_t *json = json_loads(line, 0, NULL);

		CU_ASSERT_PTR_NOT_NULL(json_object_get(json, "action"));
		json_decref(json);
	}
}

/* libfiu's own tool switches a failure point on from outside, after some successful passes. */
static void run_scenario_with_failure(const char *scenario, const char *rule, const char *reason)
{
	/* No named pipes for its remote control, which would stay when the guest's helpers are ended. */
	const char *const arguments[] = {"fiu-run", "-f",     "",      "-c",	      rule,
					 program(), "run",    "--out", runs_folder(), "--format",
					 "json",    scenario, NULL};
	struct outcome outcome;

	run_command(arguments, 120000, &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "BROKEN");
	CU_ASSERT_PTR_NOT_NULL(strstr(text_in(&outcome, "reason"), reason));
	if (!strstr(text_in(&outcome, "reason"), reason))
		fprintf(stderr, "%s: %s\n", rule, text_in(&outcome, "reason"));
	assert_journal_is_readable(text_in(&outcome, "folder"));
	CU_ASSERT_EQUAL(processes_naming(text_in(&outcome, "folder")), 0);
	outcome_free(&outcome);
}

static void run_with_failure(const char *rule, const char *reason)
{
	run_scenario_with_failure(SCENARIO, rule, reason);
}

/* A vCPU that was to stand still and does not, or of which nothing can be learned, is no reproduction. */
static void vcpu_that_goes_on(void)
{
	static const char scenario[] = "scenarios/rcu-stall.yaml";

	run_scenario_with_failure(scenario, "enable name=gdb/hold",
				  "injector vcpu-stall could not confirm: vCPU 1 goes on");
	run_scenario_with_failure("scenarios/vcpu-stall-thread.yaml", "enable name=vcpu_threads/hold",
				  "injector vcpu-stall could not confirm: the thread of vCPU 1 goes on");
	run_scenario_with_failure(scenario, "enable name=gdb/send",
				  "injector vcpu-stall could not inject: gdb command qSupported");
	run_scenario_with_failure(scenario, "enable name=gdb/receive",
				  "QEMU closed the connection of its gdb stub");
}

static void failure_points(void)
{
	run_with_failure("enable name=journal/write", "write the journal (start): No space left on device");
	run_with_failure("enable_random name=journal/write,probability=0.3", "write the journal");
	run_with_failure("enable name=qmp/receive", "QEMU closed the QMP connection");
	run_with_failure("enable name=qmp/send", "QEMU closed the QMP connection");
	run_with_failure("enable name=channel/read", "read from the guest");
}

static void missing_qemu(void)
{
	cleanup_free char *empty = file_path("%s/empty", runs_folder());
	cleanup_free char *path = file_path("PATH=%s", empty);
	const char *const arguments[] = {"/usr/bin/env", path,		program(), "run",
					 "--out",	 runs_folder(), SCENARIO,  NULL};
	struct outcome outcome;

	mkdir(empty, 0755);
	run_command(arguments, 60000, &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "make deps"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "qemu-system-x86_64 is not installed"));
	outcome_free(&outcome);
}

static void missing_kernel(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "run", "--kernel", "no-such-kernel", SCENARIO);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "no-such-kernel"));
	outcome_free(&outcome);
}

/* /proc takes no folders, from root neither. */
static void unwritable_run_folder(void)
{
	const char *const arguments[] = {program(), "run", "--out", "/proc/hanglab", SCENARIO, NULL};
	struct outcome outcome;

	run_command(arguments, 60000, &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "create folder /proc/hanglab"));
	outcome_free(&outcome);
}

static void bad_packages(void)
{
	cleanup_free char *text = file_path("%s/text.deb", runs_folder());
	struct outcome outcome;

	CU_ASSERT(!file_write(text, "not a package\n", 14, NULL));
	HANGLAB(&outcome, "kernel", "add", text);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.errors, text));
	outcome_free(&outcome);
	HANGLAB(&outcome, "kernel", "add", "/nonexistent.deb");
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	outcome_free(&outcome);
}

/* Whichever file of the run hits the limit first: never a pass, never a hang. */
static void full_disk(void)
{
	cleanup_free char *mount_point = file_path("%s/full", runs_folder());
	const char *const arguments[] = {program(),  "run",  "--out",  mount_point,
					 "--format", "json", SCENARIO, NULL};
	struct outcome outcome;

	mkdir(mount_point, 0755);
	if (mount("tmpfs", mount_point, "tmpfs", 0, "size=64k")) {
		printf("SKIP (a small file system cannot be mounted here: %s) ", strerror(errno));
		return;
	}
	run_command(arguments, 120000, &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "BROKEN");
	printf("(%s) ", text_in(&outcome, "reason"));
	CU_ASSERT_EQUAL(processes_naming(mount_point), 0);
	umount(mount_point);
	outcome_free(&outcome);
}

CU_TestInfo failures_tests[] = {
	{"failure points in our own I/O paths", failure_points},
	{"a vCPU that goes on", vcpu_that_goes_on},
	{"QEMU is missing", missing_qemu},
	{"the kernel is missing", missing_kernel},
	{"the run folder cannot be created", unwritable_run_folder},
	{"files that are no packages", bad_packages},
	{"the disk is full", full_disk},
	CU_TEST_INFO_NULL,
};
