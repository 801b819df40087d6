// SPDX-License-Identifier: GPL-2.0-or-later
/* The tester is tested: scenarios that must FAIL, be BROKEN or SKIP, each for its own reason. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *file, *verdict, *reason;
} expected[] = {
	{"broken-detector-off", "BROKEN", "the detector of hung_task is off in the guest"},
	{"broken-dies-early", "BROKEN", "the guest panicked before it was ready"},
	{"broken-event-never-comes", "BROKEN", "the event oom that step 2 waits for did not come"},
	{"broken-load-ended", "BROKEN", "injector cpu-hog could not release: process"},
	{"broken-load-starved", "BROKEN", "injector cpu-hog could not confirm: cpu1 of /proc/stat came to"},
	{"broken-never-comes-back", "BROKEN",
	 "injector server-stop could not confirm_released: a direct read of /dev/nbd0 did not succeed"},
	{"broken-no-such-detector", "BROKEN", "the detector of hung_task is off in the guest"},
	{"broken-no-such-page", "BROKEN",
	 "injector spte-corrupt could not inject: no second-level page table maps the guest-physical page "
	 "0x71000"},
	{"broken-no-such-tool", "BROKEN", "programs other than sh must be in the scenario's tools"},
	{"broken-no-such-sysctl", "BROKEN", "this kernel has no sysctl kernel.this_sysctl_does_not_exist"},
	{"broken-record-not-read", "BROKEN",
	 "injector hardware-error could not confirm: the guest has not read the error record (block status "
	 "0x11)"},
	{"broken-pause-unseen", "BROKEN",
	 "injector vm-pause could not inject: the guest's clocksource acpi_pm cannot show"},
	{"broken-shell-fails", "BROKEN", "step 1 (echo not ready; exit 3) ended with status 3: not ready"},
	{"broken-still-answers", "BROKEN",
	 "injector scsi-debug could not confirm: /dev/sda goes on answering"},
	{"broken-trigger-fails", "BROKEN", "step 1 (no-such-program) ended with status 127"},
	{"broken-trigger-killed", "BROKEN", "step 1 (kill -9 $$) ended with"},
	{"broken-unconfirmed", "BROKEN", "injector fsfreeze could not inject: FIFREEZE /run"},
	{"fail-bug-kills-trigger", "FAIL", "this kernel has the bug that \"a fix\" fixes"},
	{"fail-clock-watchdog", "FAIL", "Windows bugcheck 0x101 CLOCK_WATCHDOG_TIMEOUT"},
	{"fail-bug-is-there", "FAIL", "this kernel has the bug that \"thaw: never freeze\" fixes"},
	{"fail-dm-error", "FAIL", "workload writer did not move again within 5.0 s"},
	{"fail-dm-flakey-drop-writes", "FAIL", "acknowledged operations are lost"},
	{"fail-forbidden", "FAIL", "forbid: hung task in"},
	{"fail-harmless-bit", "FAIL", "no such ept_misconfig until"},
	{"fail-no-recovery", "FAIL", "workload writer did not move again within 1.0 s"},
	{"fail-late-recovery", "FAIL", "workload writer did not move again within 5.0 s"},
	{"fail-nothing-frozen", "FAIL", "no such hung_task until"},
	{"fail-stall-too-short", "FAIL", "no such clock_watchdog until"},
	{"fail-other-than-bug", "FAIL", "the guest panicked: panic"},
	{"fail-unexpected-panic", "FAIL", "the guest panicked: panic: hung_task: blocked tasks"},
	{"fail-watchdog-pauses", "FAIL", "the hardware watchdog ended the guest"},
	{"fail-wrong-stack", "FAIL", "this_function_does_not_exist is not on the stack"},
	{"skip-config", "SKIP", "CONFIG_THIS_OPTION_DOES_NOT_EXIST=n"},
	{"skip-min-kernel", "SKIP", "is older than 1000.1"},
};

static void look_at_verdict(const char *path, const json_t *result)
{
	const char *verdict = json_string_value(json_object_get(result, "verdict"));
	const char *reason = json_string_value(json_object_get(result, "reason"));
	const char *name = json_string_value(json_object_get(result, "scenario"));
	size_t i = 0, count = sizeof(expected) / sizeof(expected[0]);

	CU_ASSERT_FATAL(verdict && reason && name);
	while (i < count && strcmp(expected[i].file, name) != 0)
		i++;
	if (i == count) {
		CU_FAIL("no verdict is expected of this scenario");
		return;
	}
	if (strcmp(verdict, expected[i].verdict) != 0 || !strstr(reason, expected[i].reason))
		fprintf(stderr, "%s: %s, %s\n", path, verdict, reason);
	CU_ASSERT_STRING_EQUAL(verdict, expected[i].verdict);
	CU_ASSERT_PTR_NOT_NULL(strstr(reason, expected[i].reason));
	if (!strcmp(expected[i].file, "broken-dies-early"))
		CU_ASSERT_EQUAL(json_integer_value(json_object_get(result, "attempts")), 2);
}

static void verdicts(void)
{
	size_t count = sizeof(expected) / sizeof(expected[0]);
	cleanup_free char **paths = calloc(count, sizeof(*paths));

	for (size_t i = 0; i < count; i++)
		paths[i] = file_path("tests/meta/%s.yaml", expected[i].file);
	run_scenarios(START_WARM, paths, count, look_at_verdict);
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
}

static void bisect_codes(void)
{
	static const struct {
		const char *path;
		int code;
	} some[] = {
		{"tests/meta/broken-detector-off.yaml", 125},
		{"tests/meta/fail-dm-error.yaml", 1},
		{"tests/meta/skip-config.yaml", 125},
	};

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct outcome outcome;

		HANGLAB(&outcome, "run", "--bisect", some[i].path);
		CU_ASSERT_EQUAL(outcome.exit_code, some[i].code);
		outcome_free(&outcome);
	}
}

/*
 * A server that answers every request as it should, but puts nothing of what is written into its file: the
 * guest cannot see it.
 */
static void server_keeps_nothing(void)
{
	cleanup_free char *real = process_find_program("nbdkit"),
			  *folder = file_path("%s/bin", runs_folder());
	cleanup_free char *path = file_path("PATH=%s:%s", folder, getenv("PATH"));
	cleanup_free char *wrapper = file_path("%s/nbdkit", folder);
	/* Behind the other filters, beside the plugin: a paused server must not answer from there. */
	cleanup_free char *script = file_path("#!/bin/sh\n"
					      "for word; do\n"
					      "	shift\n"
					      "	[ \"$word\" != file ] || set -- \"$@\" --filter=cow\n"
					      "	set -- \"$@\" \"$word\"\n"
					      "done\n"
					      "exec %s \"$@\"\n",
					      real);
	const char *const arguments[] = {"/usr/bin/env",
					 path,
					 program(),
					 "run",
					 "--out",
					 runs_folder(),
					 "--format",
					 "json",
					 "scenarios/nbd-pause.yaml",
					 NULL};
	struct outcome outcome;

	CU_ASSERT_FATAL(real && !file_make_folders(folder, NULL));
	CU_ASSERT_FATAL(!file_write(wrapper, script, strlen(script), NULL) && !chmod(wrapper, 0755));
	run_command(arguments, 240000, &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text_in(&outcome, "reason"), "disk data is not the same on both sides"));
	outcome_free(&outcome);
}

/* A verdict has its exit code; of several FAIL comes before BROKEN before SKIP, whatever the order. */
static void the_worst_wins(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "run", "--format", "json", "--jobs", "2", "tests/meta/fail-forbidden.yaml",
		"tests/meta/broken-unconfirmed.yaml", "tests/meta/skip-config.yaml");
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	CU_ASSERT_EQUAL(json_array_size(outcome.results), 3);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "scenario"), "fail-forbidden");
	outcome_free(&outcome);
	HANGLAB(&outcome, "run", "tests/meta/skip-config.yaml", "tests/meta/broken-unconfirmed.yaml");
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	outcome_free(&outcome);
	HANGLAB(&outcome, "run", "tests/meta/skip-config.yaml", "tests/meta/skip-min-kernel.yaml");
	CU_ASSERT_EQUAL(outcome.exit_code, 77);
	outcome_free(&outcome);
}

CU_TestInfo meta_tests[] = {
	{"verdict and reason of each", verdicts},
	{"exit codes for git bisect", bisect_codes},
	{"a server that keeps nothing", server_keeps_nothing},
	{"the worst of several wins", the_worst_wins},
	CU_TEST_INFO_NULL,
};
