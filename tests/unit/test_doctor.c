// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "program.h"
#include "vm-images/kernel_store.h"

#include <CUnit/CUnit.h>
#include <jansson.h>
#include <string.h>

#define QEMU(version) "#!/bin/sh\necho 'QEMU emulator version " version "'\n"

/* What the doctor says of a machine whose PATH begins with FOLDER/bin. */
struct report {
	int code;
	json_t *json;
};

static void report_free(struct report *report)
{
	json_decref(report->json);
}

static struct report examine(const char *folder)
{
	static const char *const arguments[] = {"doctor", "--format", "json", NULL};
	cleanup_free char *old = file_path("%s", getenv("PATH")), *path = file_path("%s/bin:%s", folder, old);
	struct program_result result cleanup_with(program_free) = {0};
	struct report report;

	setenv("PATH", path, 1);
	result = program_run(arguments);
	setenv("PATH", old, 1);
	report.code = result.code;
	report.json = json_loads(result.output, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(report.json);
	CU_ASSERT_EQUAL(report.code, json_is_true(json_object_get(report.json, "ready")) ? 0 : 2);
	return report;
}

static void put_program(const char *folder, const char *name, const char *text)
{
	cleanup_free char *path = file_path("%s/bin/%s", folder, name);

	fixture_write_text(path, text);
}

/* A finding called @name is in @state, and its text holds @part. */
static void check_finding(const struct report *report, const char *name, const char *state, const char *part)
{
	const json_t *finding;
	bool found = false;
	size_t i;

	json_array_foreach (json_object_get(report->json, "findings"), i, finding) {
		const char *text = json_string_value(json_object_get(finding, "text"));

		if (strcmp(json_string_value(json_object_get(finding, "name")), name) != 0 ||
		    !strstr(text, part))
			continue;
		found = true;
		CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(finding, "state")), state);
	}
	CU_ASSERT_TRUE(found);
}

static void test_qemu(void)
{
	static const struct {
		const char *program, *state, *text;
	} cases[] = {
		{QEMU("10.0.2 (Debian)"), "ok", "10.0.2, virtual time with several vCPUs"},
		{QEMU("8.1.0"), "ok", "8.1.0"},
		{QEMU("7.2.18"), "missing", "7.2.18: too old for several vCPUs in virtual time"},
		{"#!/bin/sh\nexit 1\n", "missing", "ended with status 1"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *folder = fixture_folder();
		struct report report cleanup_with(report_free) = {0};

		put_program(folder, "apt-cache", "#!/bin/sh\n");
		put_program(folder, "qemu-system-x86_64", cases[i].program);
		report = examine(folder);
		check_finding(&report, "QEMU", cases[i].state, cases[i].text);
		CU_ASSERT_EQUAL(report.code, strcmp(cases[i].state, "ok") ? 2 : 0);
	}
}

/* apt is only needed while there is no kernel. */
static void test_kernels_and_apt(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *deb = file_path("%s/kernel.deb", folder);
	struct kernel *kernel = NULL;

	put_program(folder, "qemu-system-x86_64", QEMU("10.0.2"));
	put_program(folder, "apt-cache", "#!/bin/sh\necho 'E: no lists' >&2; exit 100\n");
	for (int with_kernel = 0; with_kernel < 2; with_kernel++) {
		struct report report cleanup_with(report_free) = examine(folder);

		check_finding(&report, "apt", with_kernel ? "limited" : "missing", "E: no lists");
		check_finding(&report, "kernels", with_kernel ? "ok" : "limited",
			      with_kernel ? FIXTURE_RELEASE : "empty");
		CU_ASSERT_EQUAL(report.code, with_kernel ? 0 : 2);
		if (with_kernel)
			continue;
		fixture_write_kernel_deb(deb, FIXTURE_RELEASE, "1");
		CU_ASSERT_EQUAL_FATAL(
			kernel_store_add((const char *const[]){deb}, 1, NULL, &kernel, NULL, NULL), 0);
		kernel_free(kernel);
	}
}

static void test_cache_unusable(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *file = file_path("%s/cache", folder);
	struct report report cleanup_with(report_free) = {0};

	fixture_write_text(file, "not a folder");
	report = examine(folder);
	check_finding(&report, "cache", "missing", file);
	CU_ASSERT_EQUAL(report.code, 2);
}

static void test_formats(void)
{
	static const char *const pretty[] = {"doctor", NULL}, *const wrong[] = {"doctor", "--format", "xml",
										NULL};
	struct program_result result cleanup_with(program_free) = {0};
	struct program_result refused cleanup_with(program_free) = program_run(wrong);

	fixture_folder();
	result = program_run(pretty);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.output, "\nio_uring       "));
	CU_ASSERT_PTR_NOT_NULL(strstr(result.output, result.code ? "not ready" : "is ready"));
	CU_ASSERT_EQUAL(refused.code, 64);
	CU_ASSERT_PTR_NOT_NULL(strstr(refused.errors, "xml"));
}

CU_TestInfo doctor_tests[] = {
	{"QEMU", test_qemu},
	{"kernels and apt", test_kernels_and_apt},
	{"cache unusable", test_cache_unusable},
	{"formats", test_formats},
	CU_TEST_INFO_NULL,
};
