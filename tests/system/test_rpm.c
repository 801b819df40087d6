// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernels in RPMs that rpmbuild makes, laid out as those of distributions. Their content is Debian's kernel,
 * so that one of them boots; of the others, which call themselves by the distribution's release, only a few
 * modules are there.
 */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "vm-images/kernel_store.h"
#include "vm-images/modules.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MS 120000
#define SCENARIO "scenarios/fsfreeze-control.yaml"

/* tests/system/make-rpm explains the parts. */
struct rpm {
	const char *name, *parts;
};

static const struct layout {
	const char *name, *version, *release, *payload;
	struct rpm rpms[2];
} layouts[] = {
	{"rhel6", "2.6.32-754.el6", "2.6.32-754.el6.x86_64", "w1.xzdio", {{"kernel", "boot few"}}},
	{"rhel7", "3.10.0-1160.el7", "3.10.0-1160.el7.x86_64", "w1.gzdio", {{"kernel", "boot few"}}},
	{"alibaba", "4.19.91-19.1.al7", "4.19.91-19.1.al7.x86_64", "w1.xzdio", {{"kernel", "boot few"}}},
	{"openeuler",
	 "5.10.0-60.18.0.50.oe2203",
	 "5.10.0-60.18.0.50.oe2203.x86_64",
	 "w1.zstdio",
	 {{"kernel", "boot few"}}},
	{"rhel9",
	 "5.14.0-427.el9",
	 "5.14.0-427.el9.x86_64",
	 "w1.zstdio",
	 {{"kernel-core", "image"}, {"kernel-modules", "few"}}},
};

static struct kernel *debian;

static void begin(void)
{
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL_FATAL(kernel_store_find("debian", &debian, &err), 0);
}

static char *folder_of(const struct layout *layout)
{
	return file_path("%s/rpm-%s", runs_folder(), layout->name);
}

static bool can_build(void)
{
	cleanup_free char *program = process_find_program("rpmbuild");

	if (!program)
		printf("SKIP: rpmbuild is not installed (make deps-test installs it) ");
	return program;
}

/* The RPMs of a layout; their paths, newly allocated, go to @paths. Return: how many. */
static size_t make_rpms(const struct layout *layout, char *paths[2])
{
	cleanup_free char *folder = folder_of(layout);
	size_t count = 0;

	for (; count < 2 && layout->rpms[count].name; count++) {
		const struct rpm *rpm = &layout->rpms[count];
		struct outcome outcome;

		run_command((const char *const[]){"tests/system/make-rpm", debian->folder, folder, rpm->name,
						  layout->version, layout->release, rpm->parts,
						  layout->payload, NULL},
			    LIMIT_MS, &outcome);
		if (outcome.exit_code)
			printf("\n    %s", outcome.errors);
		CU_ASSERT_EQUAL_FATAL(outcome.exit_code, 0);
		outcome_free(&outcome);
		paths[count] = file_path("%s/%s.rpm", folder, rpm->name);
	}
	return count;
}

/* The store of these tests is their own: nothing of theirs stays in the user's. */
static char *users_cache;

static void own_store(void)
{
	cleanup_free char *cache = file_path("%s/rpm-store", runs_folder());
	const char *before = getenv("XDG_CACHE_HOME");

	users_cache = before ? strdup(before) : NULL;
	setenv("XDG_CACHE_HOME", cache, 1);
}

static void users_store(void)
{
	if (users_cache)
		setenv("XDG_CACHE_HOME", users_cache, 1);
	else
		unsetenv("XDG_CACHE_HOME");
	free(take_pointer(users_cache));
}

static void check_module(const struct kernel *kernel)
{
	cleanup_with(module_list_clear) struct module_list list = {NULL, 0};
	cleanup_free void *data = NULL;
	struct hl_error err = HL_ERROR_INIT;
	size_t size;

	CU_ASSERT_EQUAL_FATAL(modules_resolve(kernel, (const char *const[]){"xfs"}, 1, &list, &err), 0);
	CU_ASSERT_EQUAL_FATAL(module_read(list.modules[list.count - 1].path, &data, &size, &err), 0);
	CU_ASSERT_EQUAL(memcmp(data, "\177ELF", 4), 0);
}

static void check_layout(const struct layout *layout)
{
	char *paths[2] = {NULL, NULL};
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	cleanup_free char *value = NULL;
	struct hl_error err = HL_ERROR_INIT;
	size_t count = make_rpms(layout, paths);
	int r = kernel_store_add((const char *const *)paths, count, layout->name, &kernel, NULL, &err);

	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	if (r)
		printf("\n    %s", err.text);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	CU_ASSERT_STRING_EQUAL(kernel->release, layout->release);
	CU_ASSERT_STRING_EQUAL(kernel->version, layout->version);
	CU_ASSERT_STRING_EQUAL(kernel->architecture, "x86_64");
	CU_ASSERT_EQUAL(kernel_config_value(kernel, "DETECT_HUNG_TASK", &value, &err), 0);
	CU_ASSERT_STRING_EQUAL(value, "y");
	CU_ASSERT_EQUAL(access(kernel->vmlinuz, R_OK), 0);
	check_module(kernel);
}

static void every_layout(void)
{
	if (!can_build())
		return;
	begin();
	own_store();
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		check_layout(&layouts[i]);
	users_store();
	kernel_free(take_pointer(debian));
}

/* The release is Debian's: its modules fit no other. */
static void one_boots(void)
{
	struct layout layout = {.name = "boots",
				.payload = "w1.gzdio",
				.rpms = {{"kernel-core", "image"}, {"kernel-modules", "modules"}}};
	char *paths[2];
	struct outcome outcome;

	if (!can_build())
		return;
	begin();
	layout.version = "6.1.0-1.el9";
	layout.release = debian->release;
	make_rpms(&layout, paths);
	own_store();
	HANGLAB(&outcome, "kernel", "add", "--name", "el9", paths[0], paths[1]);
	CU_ASSERT_EQUAL_FATAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "el9 added (package version 6.1.0-1.el9"));
	outcome_free(&outcome);
	HANGLAB(&outcome, "run", "--format", "json", "--kernel", "el9", SCENARIO);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "kernel"), "el9");
	outcome_free(&outcome);
	users_store();
	free(paths[0]);
	free(paths[1]);
	kernel_free(take_pointer(debian));
}

CU_TestInfo rpm_tests[] = {
	{"layouts of distributions", every_layout},
	{"one boots", one_boots},
	CU_TEST_INFO_NULL,
};
