// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "package_fixture.h"
#include "scenario/loader.h"
#include "scenario/override.h"
#include "scenario/quote.h"

#include <CUnit/CUnit.h>
#include <glob.h>
#include <string.h>

#define S NANOSECONDS_PER_SECOND

static const char full[] =
	"scenario: full\n"
	"summary: Everything is given.\n"
	"case: some-case\n"
	"seed: 7\n"
	"vm: {cpus: 4, memory: 1G, clock: real, accel: tcg, shift: 3, kernel: mine, boot: quiet}\n"
	"disks:\n"
	"  - {name: a, size: 64M, fs: ext4, mount: /a}\n"
	"  - {name: b, size: 300M, fs: xfs, via: virtio, mount: /a/b}\n"
	"sysctl: {kernel.hung_task_timeout_secs: 20, kernel.panic: '0'}\n"
	"requires: {config: [DETECT_HUNG_TASK, XFS_FS], min_kernel: \"3.10\"}\n"
	"timeline:\n"
	"  - start: writer\n"
	"    name: w1\n"
	"    with: {dir: /a, engine: mmap}\n"
	"  - at: 2s\n"
	"    inject: fsfreeze\n"
	"    with: {mount: /a}\n"
	"    until: {event: hung_task, comm: w1, hold: 5s, within: 60s}\n"
	"  - inject: fsfreeze\n"
	"    after: {event: soft_lockup}\n"
	"    with: {mount: /a/b}\n"
	"    for: 250ms\n"
	"checks:\n"
	"  - expect: hung_task\n"
	"    comm: w1\n"
	"    stack: {all: vfs_write, any: [a, b]}\n"
	"    within: 1m\n"
	"  - forbid: [panic, oops]\n"
	"  - recovers: {within: 7s}\n"
	"  - data: intact\n"
	"  - ends: running\n";

static const char small[] = "scenario: small\nchecks:\n  - forbid: panic\n";

/* Loads a scenario from text; the plan is empty when that failed. */
static int load(const char *text, struct plan *plan, char **path, struct hl_error *err)
{
	*path = file_path("%s/scenario.yaml", fixture_folder());
	fixture_write_text(*path, text);
	memset(plan, 0, sizeof(*plan));
	return scenario_load(*path, plan, err);
}

static void test_everything(void)
{
	struct plan plan cleanup_with(plan_free);
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *path = NULL;

	CU_ASSERT_EQUAL_FATAL(load(full, &plan, &path, &err), 0);
	CU_ASSERT_STRING_EQUAL(plan.scenario, "full");
	CU_ASSERT_STRING_EQUAL(plan.case_name, "some-case");
	CU_ASSERT_EQUAL(plan.seed, 7);
	CU_ASSERT_EQUAL(plan.vm->cpus, 4);
	CU_ASSERT_EQUAL(plan.vm->memory, 1ULL << 30);
	CU_ASSERT_EQUAL(plan.vm->clock, PLAN_CLOCK_REAL);
	CU_ASSERT_EQUAL(plan.vm->accel, PLAN_ACCEL_TCG);
	CU_ASSERT_EQUAL_FATAL(plan.disk_count, 2);
	CU_ASSERT_EQUAL(plan.disks[1].fs, PLAN_FS_XFS);
	CU_ASSERT_EQUAL(plan.disks[1].via, PLAN_VIA_VIRTIO);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(plan.sysctl, "kernel.panic")), "0");
	CU_ASSERT_STRING_EQUAL(plan.requires->config[1], "XFS_FS");
	CU_ASSERT_PTR_NULL(plan.requires->config[2]);
	CU_ASSERT_STRING_EQUAL(plan.requires->min_kernel, "3.10");
}

static void test_timeline(void)
{
	struct plan plan cleanup_with(plan_free);
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *path = NULL;

	CU_ASSERT_EQUAL_FATAL(load(full, &plan, &path, &err), 0);
	CU_ASSERT_EQUAL_FATAL(plan.step_count, 3);
	CU_ASSERT_STRING_EQUAL(plan.steps[0].start, "writer");
	CU_ASSERT_STRING_EQUAL(plan.steps[0].name, "w1");
	CU_ASSERT_EQUAL(plan.steps[0].at, -1);
	CU_ASSERT_EQUAL(plan.steps[0].hold_for, -1);
	CU_ASSERT_EQUAL(plan.steps[1].at, 2 * S);
	CU_ASSERT_STRING_EQUAL(plan.steps[1].name, "fsfreeze");
	CU_ASSERT_EQUAL(plan.steps[1].until->pattern.kind, HL_EVENT_HUNG_TASK);
	CU_ASSERT_STRING_EQUAL(plan.steps[1].until->pattern.comm, "w1");
	CU_ASSERT_EQUAL(plan.steps[1].until->hold, 5 * S);
	CU_ASSERT_EQUAL(plan.steps[1].until->within, 60 * S);
	CU_ASSERT_PTR_NULL(plan.steps[1].after);
	CU_ASSERT_EQUAL(plan.steps[2].hold_for, S / 4);
	CU_ASSERT_EQUAL(plan.steps[2].after->pattern.kind, HL_EVENT_SOFT_LOCKUP);
}

static void test_checks(void)
{
	struct plan plan cleanup_with(plan_free);
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *path = NULL;

	CU_ASSERT_EQUAL_FATAL(load(full, &plan, &path, &err), 0);
	CU_ASSERT_EQUAL_FATAL(plan.check_count, 5);
	CU_ASSERT_EQUAL(plan.checks[0].within, 60 * S);
	CU_ASSERT_STRING_EQUAL(plan.checks[0].pattern.stack->all[0], "vfs_write");
	CU_ASSERT_STRING_EQUAL(plan.checks[0].pattern.stack->any[1], "b");
	CU_ASSERT_STRING_EQUAL(plan.checks[1].forbid[1], "oops");
	CU_ASSERT_EQUAL(plan_recovery_limit(&plan), 7 * S);
	CU_ASSERT_TRUE(plan_has_check(&plan, CHECK_DATA));
	CU_ASSERT_EQUAL(plan.checks[4].ends, CHECK_END_RUNNING);
}

static void test_defaults(void)
{
	struct plan plan cleanup_with(plan_free);
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *path = NULL;

	CU_ASSERT_EQUAL_FATAL(load(small, &plan, &path, &err), 0);
	CU_ASSERT_STRING_EQUAL(plan.summary, "");
	CU_ASSERT_PTR_NULL(plan.case_name);
	CU_ASSERT_EQUAL(plan.seed, 1);
	CU_ASSERT_EQUAL(plan.vm->cpus, 2);
	CU_ASSERT_EQUAL(plan.vm->memory, 512ULL << 20);
	CU_ASSERT_EQUAL(plan.vm->clock, PLAN_CLOCK_VIRTUAL);
	CU_ASSERT_EQUAL(plan.vm->accel, PLAN_ACCEL_AUTO);
	CU_ASSERT_STRING_EQUAL(plan.vm->kernel, "debian");
	CU_ASSERT_EQUAL(plan.disk_count, 0);
	CU_ASSERT_EQUAL(plan.step_count, 0);
	CU_ASSERT_PTR_NULL(plan.sysctl);
	CU_ASSERT_PTR_NULL(plan.requires->config[0]);
	CU_ASSERT_EQUAL(plan.checks[0].pattern.cpu, -1);
}

static void test_positions(void)
{
	struct plan plan cleanup_with(plan_free);
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *path = NULL;

	CU_ASSERT_EQUAL_FATAL(load(full, &plan, &path, &err), 0);
	CU_ASSERT_STRING_EQUAL(schema_position(plan.source, "seed"), "4:1");
	CU_ASSERT_STRING_EQUAL(schema_position(plan.disks[1].source, "via"), "8:36");
	CU_ASSERT_STRING_EQUAL(schema_position(plan.steps[0].with, "engine"), "14:21");
	CU_ASSERT_STRING_EQUAL(schema_position(plan.sysctl, "kernel.panic"), "9:45");
	CU_ASSERT_STRING_EQUAL(schema_position(plan.steps[1].until->source, "hold"), "18:41");
	CU_ASSERT_STRING_EQUAL(schema_position(plan.checks[1].source, NULL), "28:5");
}

/* A value that is used twice may be written once. */
static void test_aliases(void)
{
	struct plan plan cleanup_with(plan_free);
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *path = NULL;

	CU_ASSERT_EQUAL(load("scenario: x\nchecks:\n  - forbid: &kinds [panic, &one oops]\n  - &check\n    "
			     "forbid: *kinds\n"
			     "  - *check\n  - forbid: [*one]\n",
			     &plan, &path, &err),
			0);
	CU_ASSERT_EQUAL_FATAL(plan.check_count, 4);
	CU_ASSERT_STRING_EQUAL(plan.checks[2].forbid[1], "oops");
	CU_ASSERT_STRING_EQUAL(plan.checks[3].forbid[0], "oops");
}

static int override(struct plan *plan, const char *object, const char *key, const char *value,
		    struct hl_error *err)
{
	return scenario_override("scenario.yaml", plan, object, key, value, err);
}

static void test_override(void)
{
	struct plan plan cleanup_with(plan_free);
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *path = NULL;

	CU_ASSERT_EQUAL_FATAL(load(small, &plan, &path, &err), 0);
	CU_ASSERT_EQUAL(override(&plan, NULL, "seed", "42", &err), 0);
	CU_ASSERT_EQUAL(override(&plan, "vm", "clock", "real", &err), 0);
	CU_ASSERT_EQUAL(override(&plan, "sysctl", "kernel.watchdog_thresh", "5", &err), 0);
	CU_ASSERT_EQUAL(override(&plan, "sysctl", "kernel.watchdog_thresh", "6", &err), 0);
	CU_ASSERT_EQUAL(plan.seed, 42);
	CU_ASSERT_EQUAL(plan.vm->clock, PLAN_CLOCK_REAL);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(plan.sysctl, "kernel.watchdog_thresh")),
			       "6");
	CU_ASSERT_STRING_EQUAL(plan.scenario, "small");
}

static void check_bad_override(const char *object, const char *key, const char *value, const char *message)
{
	struct plan plan cleanup_with(plan_free);
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *path = NULL;

	CU_ASSERT_EQUAL_FATAL(load(small, &plan, &path, &err), 0);
	CU_ASSERT_NOT_EQUAL(override(&plan, object, key, value, &err), 0);
	if (!strstr(err.text, message))
		printf("\n    %s", err.text);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, message));
}

static void test_bad_override(void)
{
	check_bad_override(NULL, "seed", "-1", "'-1' is out of range");
	check_bad_override("vm", "clock", "virtuell", "did you mean 'virtual'?");
	check_bad_override("sysctl", "hung", "1", "'hung' is not a sysctl");
	check_bad_override("sysctl", "@a.b", "1", "not a sysctl");
	check_bad_override("sysctl", "kernel.x", "caf\xe9", "not valid UTF-8");
	check_bad_override("sysctl", "kernel.\xe9", "1", "not valid UTF-8");
}

static void check_quote(const char *text, int line, int column, const char *expected)
{
	char quote[600];

	quote_line(text, strlen(text), line, column, quote, sizeof(quote));
	CU_ASSERT_STRING_EQUAL(quote, expected);
}

static void test_quote(void)
{
	check_quote("a\nbc: d\ne\n", 2, 5, "\n  bc: d\n      ^");
	check_quote("bc: d", 1, 1, "\n  bc: d\n  ^");
	check_quote("a\tb\r\n", 1, 3, "\n  a\tb\n   \t^");
	check_quote("\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80x", 1, 4,
		    "\n  \xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80x\n     ^");
	/* Overlong, surrogate, C1 and cut sequences are no characters. */
	check_quote("\xc0\xaf\xed\xa0\x80\xc2\x9b\xe2\x82", 1, 2, "\n  ????????\n   ^");
	check_quote("a\x1b[31m", 1, 2, "\n  a?[31m\n   ^");
	check_quote("a\n", 3, 1, "");
}

/* The mark stands below the character it means, also when only a part of the line is shown. */
static void test_quote_of_long_line(void)
{
	char text[400], quote[600];
	const char *mark;

	memset(text, 'x', sizeof(text));
	text[200] = 'Y';
	quote_line(text, sizeof(text), 1, 201, quote, sizeof(quote));
	mark = strrchr(quote, '\n');
	CU_ASSERT_PTR_NOT_NULL_FATAL(mark);
	CU_ASSERT_EQUAL(strchr(quote, 'Y') - (quote + 1), strchr(mark, '^') - (mark + 1));
	CU_ASSERT_EQUAL(strncmp(quote, "\n  ...x", 7), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(quote, "x...\n"));
}

/* Each is valid, is named after its file, and the case that it names is there. */
static void test_shipped(void)
{
	glob_t files;

	CU_ASSERT_FATAL(!glob("scenarios/*.yaml", 0, NULL, &files));
	for (size_t i = 0; i < files.gl_pathc; i++) {
		cleanup_free char *expected = NULL, *found = NULL;
		struct hl_error err = HL_ERROR_INIT;
		struct plan plan = {0};

		CU_ASSERT_EQUAL(scenario_load(files.gl_pathv[i], &plan, &err), 0);
		CU_ASSERT_STRING_EQUAL(err.text, "");
		expected = file_path("scenarios/%s.yaml", plan.scenario);
		CU_ASSERT_STRING_EQUAL(files.gl_pathv[i], expected);
		found = plan.case_name ? file_path("scenarios/cases/%s.yaml", plan.case_name) : NULL;
		CU_ASSERT(!found || !access(found, F_OK));
		plan_free(&plan);
	}
	globfree(&files);
}

CU_TestInfo scenario_tests[] = {
	{"the shipped scenarios", test_shipped},
	{"everything that can be given", test_everything},
	{"timeline", test_timeline},
	{"checks", test_checks},
	{"defaults", test_defaults},
	{"positions", test_positions},
	{"aliases", test_aliases},
	{"overrides", test_override},
	{"bad overrides", test_bad_override},
	{"quoted lines", test_quote},
	{"quoted long lines", test_quote_of_long_line},
	CU_TEST_INFO_NULL,
};
