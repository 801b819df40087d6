// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "vm-images/kernel.h"

#include <CUnit/CUnit.h>
#include <string.h>

/* Each release is older than the next one. */
static void test_release_order(void)
{
	static const char *const releases[] = {
		"2.6.32-754.el6.x86_64",
		"3.10",
		"3.10.0-514.el7.x86_64",
		"3.10.0-1160.el7.x86_64",
		"4.19.91-26.al7.x86_64",
		"5.10.0-9-cloud-amd64",
		"5.10.0-30-cloud-amd64",
		"6.1",
		"6.1.0-47-cloud-amd64",
		"6.1.0-56-cloud-amd64",
		"6.12.43+deb12-cloud-amd64",
		"6.12.117+deb12-cloud-amd64",
		"6.13-rc2",
		"6.13-rc10",
		"6.13.0",
		"7.0.4-cloud-amd64",
	};
	size_t count = sizeof(releases) / sizeof(*releases);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			int order = kernel_release_compare(releases[i], releases[j]);

			CU_ASSERT_EQUAL((order > 0) - (order < 0), (i > j) - (i < j));
		}
	CU_ASSERT_EQUAL(kernel_release_compare("6.1", "6.1.0"), 0);
}

static void check_value(const struct kernel *kernel, const char *option, const char *expected)
{
	cleanup_free char *value = NULL;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL_FATAL(kernel_config_value(kernel, option, &value, &err), 0);
	CU_ASSERT_STRING_EQUAL(value, expected);
}

static void test_config(void)
{
	cleanup_free char *path = file_path("%s/config", fixture_folder());
	struct kernel kernel = {.name = "test", .config = path};

	fixture_write_text(path, "# Linux/x86 6.1 Kernel Configuration\n"
				 "CONFIG_CC_VERSION_TEXT=\"gcc (Debian) \\\"12\\\"\"\n"
				 "CONFIG_DETECT_HUNG_TASK=y\n"
				 "# CONFIG_XFS_DEBUG is not set\n"
				 "CONFIG_XFS_FS=m\n"
				 "CONFIG_DEFAULT_HUNG_TASK_TIMEOUT=120\n"
				 "CONFIG_LAST=y");
	check_value(&kernel, "DETECT_HUNG_TASK", "y");
	check_value(&kernel, "CONFIG_DETECT_HUNG_TASK", "y");
	check_value(&kernel, "XFS_FS", "m");
	check_value(&kernel, "XFS", "n");
	check_value(&kernel, "XFS_DEBUG", "n");
	check_value(&kernel, "LKDTM", "n");
	check_value(&kernel, "DEFAULT_HUNG_TASK_TIMEOUT", "120");
	check_value(&kernel, "CC_VERSION_TEXT", "gcc (Debian) \"12\"");
	check_value(&kernel, "LAST", "y");
}

static void test_config_missing(void)
{
	cleanup_free char *path = file_path("%s/none", fixture_folder());
	struct kernel kernel = {.name = "debian:6.1", .config = path};
	struct hl_error err = HL_ERROR_INIT;
	char *value = NULL;

	CU_ASSERT_EQUAL(kernel_config_value(&kernel, "XFS_FS", &value, &err), -ENOENT);
	CU_ASSERT_PTR_NULL(value);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "debian:6.1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "CONFIG_IKCONFIG"));
}

CU_TestInfo kernel_tests[] = {
	{"releases in order", test_release_order},
	{"configuration values", test_config},
	{"no configuration file", test_config_missing},
	CU_TEST_INFO_NULL,
};
