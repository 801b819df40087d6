// SPDX-License-Identifier: GPL-2.0-or-later
/* Where groups may be made, in folders that look like control groups; and that only threads of our own are
 * limited. */
#include "vm/cpu_share.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <unistd.h>

static void check_parent(enum control_group_version version, const char *root, const char *own,
			 const char *expected)
{
	cleanup_free char *parent = NULL, *path = expected ? file_path("%s%s", root, expected) : NULL;
	char reason[256] = "";

	CU_ASSERT_EQUAL(cpu_share_parent(version, root, own, &parent, reason, sizeof(reason)),
			expected != NULL);
	if (expected) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(parent);
		CU_ASSERT_STRING_EQUAL(parent, path);
	} else {
		CU_ASSERT_PTR_NOT_NULL(strstr(reason, "has no cpu controller here"));
	}
}

static void test_parent(void)
{
	const char *root = fixture_folder();
	cleanup_free char *top = file_path("%s/a/cgroup.subtree_control", root);
	cleanup_free char *own = file_path("%s/a/b/cgroup.subtree_control", root);

	fixture_write_text(own, "");
	check_parent(CONTROL_GROUP_V2, root, "/a/b", NULL);
	check_parent(CONTROL_GROUP_V2, root, "/", NULL);
	fixture_write_text(top, "cpuset memory\n");
	check_parent(CONTROL_GROUP_V2, root, "/a/b", NULL);
	fixture_write_text(top, "cpuset cpu memory\n");
	check_parent(CONTROL_GROUP_V2, root, "/a/b", "/a");
	check_parent(CONTROL_GROUP_V2, root, "/a", "/a");
	fixture_write_text(own, "cpu\n");
	check_parent(CONTROL_GROUP_V2, root, "/a/b", "/a/b");
}

/* The process's own group need not exist where the hierarchy is mounted: containers. */
static void test_parent_version_1(void)
{
	const char *root = fixture_folder();
	cleanup_free char *top = file_path("%s/tasks", root), *own = file_path("%s/a/tasks", root);

	check_parent(CONTROL_GROUP_V1, root, "/a/b", NULL);
	fixture_write_text(top, "");
	check_parent(CONTROL_GROUP_V1, root, "/a/b", "");
	fixture_write_text(own, "");
	check_parent(CONTROL_GROUP_V1, root, "/a/b", "/a");
}

static void test_foreign_thread(void)
{
	struct cpu_share share = {0};
	struct process none = PROCESS_NONE, self = {getpid(), -1};
	struct hl_error err = HL_ERROR_INIT;
	const pid_t foreign[] = {1, getppid(), 0, -1};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		CU_ASSERT_EQUAL(cpu_share_limit(&share, &self, &foreign[i], 1, 20, &err), -EPERM);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not belong to the QEMU of this run"));
		CU_ASSERT_EQUAL(cpu_share_limit(&share, &none, &foreign[i], 1, 20, &err), -EPERM);
	}
	CU_ASSERT_PTR_NULL(share.group);
	cpu_share_end(&share);
}

CU_TestInfo cpu_share_tests[] = {
	{"where groups may be made", test_parent},
	{"where groups of version 1 may be made", test_parent_version_1},
	{"foreign threads are refused", test_foreign_thread},
	CU_TEST_INFO_NULL,
};
