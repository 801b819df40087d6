// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/cases.h"
#include "checkers/hyperv.h"
#include "checkers/version.h"
#include "events.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_versions(void)
{
	/* Each is older than the next. */
	static const char *const releases[] = {
		"2.6.32-504.el6.x86_64",
		"3.10.0-229.el7.x86_64",
		"3.10.0-327.el7.x86_64",
		"3.10.0-327.3.1.el7.x86_64",
		"3.10.0-327.44.2.el7.x86_64",
		"3.10.0-514.el7.x86_64",
		"4.4.0-87-generic",
		"4.19.91-19.1.al7.x86_64",
		"4.19.91-23.al7.x86_64",
		"5.10.0-28-amd64",
		"5.13.0-rc7",
		"5.13.0",
		"6.1.0-9-cloud-amd64",
		"6.1.0-55-cloud-amd64",
	};
	const size_t count = sizeof(releases) / sizeof(*releases);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			int order = version_compare(releases[i], releases[j]);

			CU_ASSERT_EQUAL((order > 0) - (order < 0), (i > j) - (i < j));
		}
	CU_ASSERT_EQUAL(version_compare("4.19.91-23.al7.x86_64", "4.19.91-23.al7"), 0);
	CU_ASSERT_EQUAL(version_compare("3.10.0-0514.el7", "3.10.0-514.el7.aarch64"), 0);
}

static enum kernel_state state_of(const char *log, const char *name)
{
	struct events events = events_read(log, strlen(log), 4096);
	struct hl_error err = HL_ERROR_INIT;
	const struct hl_diagnosis *list;
	enum kernel_state state = KERNEL_UNKNOWN;
	struct hl_cases *cases;
	size_t count;

	CU_ASSERT_EQUAL_FATAL(hl_cases_open(&cases, "scenarios/cases", &err), 0);
	for (size_t i = 0; i < events.count; i++)
		hl_cases_event(cases, &events.list[i]);
	count = hl_cases_diagnose(cases, &list);
	CU_ASSERT_TRUE_FATAL(count > 0);
	CU_ASSERT_STRING_EQUAL(list[0].name, name);
	state = list[0].state;
	hl_cases_close(cases);
	events_free(&events);
	return state;
}

#define OOPS(kernel)                                                                                         \
	"BUG: unable to handle kernel NULL pointer dereference at 0000000000000080\n"                        \
	"IP: [<ffffffff810aff99>] pick_next_task_fair+0x129/0x1d0\n"                                         \
	"Oops: 0000 [#1] SMP\n"                                                                              \
	"CPU: 1 PID: 9 Comm: worker Not tainted " kernel " #1\n"                                             \
	"RIP: 0010:[<ffffffff810aff99>]  [<ffffffff810aff99>] pick_next_task_fair+0x129/0x1d0\n"             \
	"Call Trace:\n"                                                                                      \
	" [<ffffffff81609782>] __schedule+0x122/0x7b0\n"

static void test_kernel_states(void)
{
	static const char name[] = "cfs-throttle-null-deref";

	CU_ASSERT_EQUAL(state_of(OOPS("3.10.0-229.el7.x86_64"), name), KERNEL_AFFECTED);
	CU_ASSERT_EQUAL(state_of(OOPS("3.10.0-327.44.2.el7.x86_64"), name), KERNEL_FIXED);
	CU_ASSERT_EQUAL(state_of(OOPS("3.10.0-1160.el7.x86_64"), name), KERNEL_FIXED);
	CU_ASSERT_EQUAL(state_of(OOPS("4.4.0-87-generic"), name), KERNEL_AFFECTED);
	CU_ASSERT_EQUAL(state_of(OOPS("6.1.0-55-amd64"), name), KERNEL_FIXED);
	CU_ASSERT_EQUAL(state_of(OOPS("2.6.32-504.el6.x86_64"), name), KERNEL_UNKNOWN);
}

/* An event that matches two symptoms is one event. */
static void test_events_counted_once(void)
{
	static const char log[] = "BUG: soft lockup - CPU#1 stuck for 26s! [java:105]\n"
				  "CPU: 1 PID: 105 Comm: java Not tainted 3.10.0-514.el7.x86_64 #1\n"
				  "RIP: 0010:[<ffffffff810f9a4a>] smp_call_function_many+0x20a/0x270\n"
				  "Call Trace:\n"
				  " [<ffffffff8106d4e5>] native_flush_tlb_others+0xb5/0x1b0\n";
	struct events events = events_read(log, strlen(log), 4096);
	const struct hl_diagnosis *list;
	struct hl_cases *cases;
	size_t count;

	CU_ASSERT_EQUAL_FATAL(events.count, 1);
	CU_ASSERT_EQUAL_FATAL(hl_cases_open(&cases, "scenarios/cases", NULL), 0);
	hl_cases_event(cases, &events.list[0]);
	count = hl_cases_diagnose(cases, &list);
	CU_ASSERT_TRUE_FATAL(count > 0);
	CU_ASSERT_STRING_EQUAL(list[0].name, "storage-stall-smp-call");
	CU_ASSERT_EQUAL(list[0].events, 1);
	hl_cases_close(cases);
	events_free(&events);
}

static void test_any_kernel(void)
{
	CU_ASSERT_EQUAL(state_of("INFO: task dd:105 blocked for more than 120 seconds.\n"
				 "      Not tainted 6.1.0-55-amd64 #1\n"
				 "Call Trace:\n"
				 " __schedule+0x282/0x880\n"
				 " percpu_rwsem_wait+0x116/0x140\n"
				 " __sb_start_write+0x64/0x70\n",
				 "fsfreeze-hung-task"),
			KERNEL_ANY);
}

static void test_hyperv(void)
{
	struct hyperv_machine machine = {.line = 7};

	CU_ASSERT_TRUE_FATAL(
		hyperv_parse_line("/usr/bin/qemu-system-x86_64 -name guest=win7,debug-threads=on -machine pc "
				  "-cpu host -m 2048 -cpu host,hv-relaxed,hv_time=on,hv_vapic=off -smp 2",
				  &machine));
	CU_ASSERT_STRING_EQUAL(machine.name, "win7");
	CU_ASSERT_EQUAL(machine.line, 7);
	CU_ASSERT_TRUE(machine.present[0]);
	CU_ASSERT_FALSE(machine.present[1]);
	CU_ASSERT_FALSE(machine.present[2]);
	CU_ASSERT_TRUE(machine.present[3]);
	CU_ASSERT_TRUE(hyperv_parse_line(
		"<hyperv mode='custom'><relaxed state='on'/><vapic state='off'/></hyperv>", &machine));
	CU_ASSERT_TRUE(machine.present[0]);
	CU_ASSERT_FALSE(machine.present[1]);
	CU_ASSERT_TRUE(hyperv_parse_line(
		"<qemu:arg value='-cpu'/> <qemu:arg value='host,hv_spinlocks=0x1fff'/>", &machine));
	CU_ASSERT_TRUE(machine.present[2]);
	CU_ASSERT_FALSE(hyperv_parse_line("we started qemu with -m 2048 and no processor options", &machine));
	CU_ASSERT_FALSE(hyperv_parse_line("<features><acpi/></features>", &machine));
}

/* Errors of a case file point at the place and name what was meant. */
static void test_bad_case(void)
{
	char folder[] = "/tmp/hanglab-cases.XXXXXX", path[64];
	struct hl_error err = HL_ERROR_INIT;
	struct hl_cases *cases;
	FILE *file;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/bad.yaml", folder);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs("case: bad\ntitle: x\ncause: y\nremedies: [z]\nsymptoms:\n  - {event: soft_lockup, funtions: "
	      "[f]}\n",
	      file);
	fclose(file);
	CU_ASSERT_EQUAL(hl_cases_open(&cases, folder, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "bad.yaml:6:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "functions"));
	unlink(path);
	CU_ASSERT_EQUAL(hl_cases_open(&cases, folder, &err), -ENOENT);
	rmdir(folder);
}

CU_TestInfo diagnose_tests[] = {
	{"kernel releases are compared part by part", test_versions},
	{"affected and fixed kernels", test_kernel_states},
	{"a case of no kernel in particular", test_any_kernel},
	{"an event counts once", test_events_counted_once},
	{"Hyper-V flags of command lines and XML", test_hyperv},
	{"mistakes in a case file", test_bad_case},
	CU_TEST_INFO_NULL,
};
