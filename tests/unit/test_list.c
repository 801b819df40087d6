// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "checkers/checkers.h"
#include "inject/workload/engine.h"
#include "inject/workload/workload.h"
#include "package_fixture.h"
#include "program.h"
#include "vm-images/kernel_store.h"

#include <CUnit/CUnit.h>
#include <string.h>

static struct program_result list(const char *what, const char *name, const char *option)
{
	const char *arguments[] = {"list", what, name ? name : option, name ? option : NULL, NULL};

	return program_run(arguments);
}

static void check_shows(const char *what, const char *name, const char *part)
{
	struct program_result result cleanup_with(program_free) = list(what, name, NULL);

	CU_ASSERT_EQUAL(result.code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.output, part));
	if (!strstr(result.output, part))
		printf("\n\"%s\" is not in: %s", part, result.output);
}

/* Everything that is registered has its line with its summary and, by name, its parameters. */
static void test_registries(void)
{
	for (const struct injector *const *injector = injector_list(); *injector; injector++) {
		check_shows("injectors", NULL, (*injector)->summary);
		check_shows("injectors", (*injector)->name, (*injector)->help);
	}
	for (const struct workload *const *workload = workload_list(); *workload; workload++)
		for (const struct parameter *parameter = (*workload)->parameters;
		     parameter && parameter->name; parameter++)
			check_shows("workloads", (*workload)->name, parameter->help);
	for (const struct engine *const *engine = engine_list(); *engine; engine++)
		check_shows("engines", NULL, (*engine)->summary);
	for (int kind = 0; kind < HL_EVENT_KIND_COUNT; kind++)
		check_shows("events", NULL, hl_event_kind_help((enum hl_event_kind)kind));
}

static void test_parameters(void)
{
	check_shows("workloads", "writer", "  interval       duration from 1us to 1h, default 100ms\n");
	check_shows("workloads", "writer", "  dir            absolute path, required\n");
	check_shows("workloads", "writer", "libaio|mmap|sync, default sync\n");
}

static void test_keys(void)
{
	check_shows("keys", NULL, "\n  memory         size from 128M to ");
	check_shows("keys", NULL, "\n    event          event kind (hanglab list events), required\n");
	check_shows("keys", "hold", "timeline[].after.hold: duration\n");
	check_shows("keys", "hold", "timeline[].until.hold: duration\n");
	check_shows("keys", "vm", "vm: object\n  the lab VM\n  cpus");
}

static void test_unknown(void)
{
	static const char *const wrong[][3] = {
		{"event", NULL, "did you mean 'events'?"},
		{"workloads", "wrter", "did you mean 'writer'?"},
		{"injectors", "zzzzzz", "injectors has no 'zzzzzz'"},
		{"keys", "zzzzzz", "no key of a scenario is called 'zzzzzz'"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct program_result result cleanup_with(program_free) =
			list(wrong[i][0], wrong[i][1], NULL);

		CU_ASSERT_EQUAL(result.code, 64);
		CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, wrong[i][2]));
	}
}

#define SCENARIO                                                                                             \
	"scenario: small\nsummary: Nothing is broken.\nvm: {kernel: " FIXTURE_RELEASE ", cpus: %d}\n"        \
	"timeline:\n  - inject: vm-stop\n    for: 1s\nchecks:\n  - forbid: [panic]\n"

static void check_here(const char *folder, int cpus, const char *says)
{
	cleanup_free char *scenarios = file_path("%s/scenarios", folder),
			  *path = file_path("%s/small.yaml", scenarios);
	cleanup_free char *text = file_path(SCENARIO, cpus);
	struct program_result result cleanup_with(program_free) = {0};

	fixture_write_text(path, text);
	result = list("scenarios", scenarios, "--here");
	CU_ASSERT_EQUAL(result.code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.output, "small\n  Nothing is broken.\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(result.output, says));
	if (!strstr(result.output, says))
		printf("\n\"%s\" is not in: %s%s", says, result.output, result.errors);
}

static void test_scenarios(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *qemu = file_path("%s/bin/qemu-system-x86_64", folder),
			  *deb = file_path("%s/kernel.deb", folder);
	cleanup_free char *old = file_path("%s", getenv("PATH")), *path = file_path("%s/bin:%s", folder, old);
	struct kernel *kernel = NULL;

	fixture_write_text(qemu, "#!/bin/sh\necho 'QEMU emulator version 7.2.18'\n");
	setenv("PATH", path, 1);
	check_here(folder, 1, "cannot run here: ");
	fixture_write_kernel_deb(deb, FIXTURE_RELEASE, "1");
	CU_ASSERT_EQUAL_FATAL(kernel_store_add((const char *const[]){deb}, 1, NULL, &kernel, NULL, NULL), 0);
	kernel_free(kernel);
	check_here(folder, 2, "would be SKIPped: QEMU 7.2 cannot run several vCPUs in virtual time");
	setenv("PATH", old, 1);
}

static void test_broken_scenario(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *path = file_path("%s/broken.yaml", folder);
	struct program_result result cleanup_with(program_free) = {0};

	fixture_write_text(path, "scenario: broken\nsumary: x\n");
	result = list("scenarios", folder, NULL);
	CU_ASSERT_EQUAL(result.code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, "broken.yaml:2:1"));
}

CU_TestInfo list_tests[] = {
	{"registries", test_registries},
	{"parameters", test_parameters},
	{"keys", test_keys},
	{"unknown names", test_unknown},
	{"scenarios", test_scenarios},
	{"broken scenario", test_broken_scenario},
	CU_TEST_INFO_NULL,
};
