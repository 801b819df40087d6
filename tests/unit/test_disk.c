// SPDX-License-Identifier: GPL-2.0-or-later
/* What can be known of a guest's disk without a guest: counters, names, boot parameters. */
#include "base/cleanup.h"
#include "inject/disk.h"
#include "inject/evidence.h"
#include "inject/lab_vm.h"
#include "inject/plan.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_counters(void)
{
	struct disk_counters counters;

	/* Linux 6.1: reads, writes, in flight, discards, flushes. */
	CU_ASSERT_EQUAL(
		disk_parse_counters(
			"     146        0     5346       12      301       20     4804       31        3"
			"       44       43        5        0        0        0       77        2\n",
			&counters),
		0);
	CU_ASSERT_EQUAL(counters.reads, 146);
	CU_ASSERT_EQUAL(counters.writes, 301);
	CU_ASSERT_EQUAL(counters.in_flight, 3);
	CU_ASSERT_EQUAL(counters.completed, 146 + 301 + 5 + 77);
	/* Before 4.18 there are eleven. */
	CU_ASSERT_EQUAL(disk_parse_counters("1 0 0 0 2 0 0 0 9 0 0", &counters), 0);
	CU_ASSERT_EQUAL(counters.completed, 3);
	CU_ASSERT_EQUAL(counters.in_flight, 9);
	CU_ASSERT_EQUAL(disk_parse_counters("1 0 0 0 2 0 0 0", &counters), -EBADMSG);
	CU_ASSERT_EQUAL(disk_parse_counters("", &counters), -EBADMSG);
	CU_ASSERT_EQUAL(disk_parse_counters("one two", &counters), -EBADMSG);
}

static void test_sysfs(void)
{
	cleanup_free char *of_node = disk_sysfs("/dev/dm-0"), *of_name = disk_sysfs("dm-0");

	CU_ASSERT_STRING_EQUAL(of_node, "/sys/block/dm-0");
	CU_ASSERT_STRING_EQUAL(of_name, "/sys/block/dm-0");
}

static void test_unknown(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct disk disk;

	int status = -1;

	/* On the host no disk is looked for at all. */
	CU_ASSERT_EQUAL(disk_find("no-such-disk", &disk, &err), -EPERM);
	if (!fork()) {
		lab_vm_entered();
		_exit(disk_find("no-such-disk", &disk, &err) == -ENODEV &&
				      !strcmp(err.text, "there is no disk called no-such-disk")
			      ? 0
			      : 1);
	}
	CU_ASSERT(wait(&status) > 0 && !status);
	CU_ASSERT_FALSE(disk_is_suspended("/dev/no-such-device"));
}

static void test_boot_parameters(void)
{
	struct plan_disk disk = {.size = (64 << 20) + 1, .via = PLAN_VIA_SCSI_DEBUG};
	char text[128];

	plan_disk_boot(&disk, text, sizeof(text));
	/* Whole MiB: never smaller than what the scenario says. */
	CU_ASSERT_STRING_EQUAL(text, "scsi_debug.dev_size_mb=65 scsi_debug.ndelay=100000");
	disk.via = PLAN_VIA_RAM;
	plan_disk_boot(&disk, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "");
}

static void test_evidence(void)
{
	struct injection injection = {0};
	char longer[sizeof(injection.evidence)];

	evidence_add(&injection, "%d in flight", 3);
	evidence_add(&injection, "suspended");
	CU_ASSERT_STRING_EQUAL(injection.evidence, "3 in flight; suspended");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	evidence_add(&injection, "%s", longer);
	evidence_add(&injection, "no room");
	CU_ASSERT_EQUAL(strlen(injection.evidence), sizeof(injection.evidence) - 1);
}

static int count_down(void *data, struct hl_error *err)
{
	int *left = data;

	(void)err;
	return *left ? !--*left : -EIO;
}

static int never(void *data, struct hl_error *err)
{
	(void)data;
	(void)err;
	return 0;
}

static void test_poll(void)
{
	int left = 3, none = 0;

	CU_ASSERT_EQUAL(evidence_poll(count_down, &left, 10000000000, NULL), 0);
	CU_ASSERT_EQUAL(left, 0);
	CU_ASSERT_EQUAL(evidence_poll(count_down, &none, 10000000000, NULL), -EIO);
	CU_ASSERT_EQUAL(evidence_poll(never, NULL, 0, NULL), -ETIMEDOUT);
}

CU_TestInfo disk_tests[] = {
	{"counters", test_counters},
	{"paths in sysfs", test_sysfs},
	{"a disk that is not there", test_unknown},
	{"boot parameters", test_boot_parameters},
	{"evidence is appended", test_evidence},
	{"polling", test_poll},
	CU_TEST_INFO_NULL,
};
