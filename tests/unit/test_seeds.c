// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"
#include "checkers/cases.h"
#include "checkers/hyperv.h"
#include "events.h"

#include <CUnit/CUnit.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The reports that this project was made from, read from ../shared/seeds when they are there. What is
 * asserted stands in them.
 */

static struct events read_seed(const char *number)
{
	struct events events = {0};
	char pattern[64], *text;
	size_t size;
	glob_t files = {0};

	snprintf(pattern, sizeof(pattern), "../shared/seeds/%s_*", number);
	if (glob(pattern, 0, NULL, &files) || file_read(files.gl_pathv[0], &text, &size, NULL)) {
		printf("SKIP (no %s) ", pattern);
	} else {
		events = events_read(text, size, 65536);
		CU_ASSERT_TRUE(events.count > 0);
		free(text);
	}
	globfree(&files);
	return events;
}

/* The @index-th event of a kind, or NULL. */
static const struct hl_event *nth(const struct events *events, enum hl_event_kind kind, size_t index)
{
	for (size_t i = 0; i < events->count; i++)
		if (events->list[i].kind == kind && index-- == 0)
			return &events->list[i];
	return NULL;
}

static size_t count_of(const struct events *events, enum hl_event_kind kind)
{
	size_t count = 0;

	while (nth(events, kind, count))
		count++;
	return count;
}

static long long number_of(const struct hl_event *event, const char *field)
{
	return json_integer_value(json_object_get(event->fields, field));
}

static const char *text_of(const struct hl_event *event, const char *field)
{
	const char *text = json_string_value(json_object_get(event->fields, field));

	return text ? text : "";
}

static void check_task(const struct hl_event *event, int cpu, const char *comm, long pid, double seconds)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(event);
	CU_ASSERT_EQUAL(event->stack.cpu, cpu);
	CU_ASSERT_STRING_EQUAL(event->stack.comm ? event->stack.comm : "", comm);
	CU_ASSERT_EQUAL(event->stack.pid, pid);
	CU_ASSERT_EQUAL(event->seconds, seconds);
}

static void test_000(void)
{
	struct events events = read_seed("000");
	static const long long heartbeats[] = {38318, 4823, 38318, 4823};
	const struct hl_event *event;

	if (!events.count)
		return;
	CU_ASSERT_EQUAL(count_of(&events, HL_EVENT_SOFT_LOCKUP), 3);
	check_task(nth(&events, HL_EVENT_SOFT_LOCKUP, 0), 4, "java", 132156, 22);
	check_task(nth(&events, HL_EVENT_SOFT_LOCKUP, 1), 9, "hasvrd", 2764, 23);
	check_task(nth(&events, HL_EVENT_SOFT_LOCKUP, 2), 4, "java", 51080, 23);
	event = nth(&events, HL_EVENT_SOFT_LOCKUP, 2);
	CU_ASSERT_STRING_EQUAL(event->function, "smp_call_function_many");
	CU_ASSERT_STRING_EQUAL(event->kernel, "3.10.0-514.el7.x86_64");
	CU_ASSERT_EQUAL(count_of(&events, HL_EVENT_ISCSI_ERROR), 1);
	event = nth(&events, HL_EVENT_ISCSI_ERROR, 0);
	CU_ASSERT_EQUAL(number_of(event, "error"), 1022);
	CU_ASSERT_EQUAL(number_of(event, "state"), 3);
	CU_ASSERT_STRING_EQUAL(text_of(event, "connection"), "1:0");
	CU_ASSERT_EQUAL_FATAL(count_of(&events, HL_EVENT_HEARTBEAT_SLOW), 4);
	for (size_t i = 0; i < 4; i++) {
		event = nth(&events, HL_EVENT_HEARTBEAT_SLOW, i);
		CU_ASSERT_EQUAL(number_of(event, "milliseconds"), heartbeats[i]);
		CU_ASSERT_STRING_EQUAL(text_of(event, "device"), "dm-2");
	}
	events_free(&events);
}

static void test_001(void)
{
	struct events events = read_seed("001");

	if (!events.count)
		return;
	CU_ASSERT_EQUAL_FATAL(count_of(&events, HL_EVENT_SOFT_LOCKUP), 59);
	check_task(nth(&events, HL_EVENT_SOFT_LOCKUP, 0), 1, "events/1", 36, 68);
	check_task(nth(&events, HL_EVENT_SOFT_LOCKUP, 4), 4, "swapper", 0, 67);
	check_task(nth(&events, HL_EVENT_SOFT_LOCKUP, 39), 3, "flush-8:0", 4618, 78);
	check_task(nth(&events, HL_EVENT_SOFT_LOCKUP, 58), 4, "automount", 4785, 65);
	events_free(&events);
}

static void test_002(void)
{
	static const struct {
		const char *comm;
		long pid;
	} hung[] = {{"kworker/u113:10", 666}, {"jbd2/sdb-8", 45757}, {"java", 47487}, {"java", 47489},
		    {"rs:main Q:Reg", 9724},  {"bash", 9768},	     {"dd", 8811},    {"sshd", 8848}};
	static const char *const walk[] = {"0x84c236107", "0x10515c7107", "0xde4657107", "0x1028125d77"};
	struct events events = read_seed("002");
	const struct hl_event *event;

	if (!events.count)
		return;
	CU_ASSERT_EQUAL_FATAL(count_of(&events, HL_EVENT_HUNG_TASK), 8);
	for (size_t i = 0; i < 8; i++)
		check_task(nth(&events, HL_EVENT_HUNG_TASK, i), -1, hung[i].comm, hung[i].pid, 120);
	event = nth(&events, HL_EVENT_HARDWARE_ERROR, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(event);
	CU_ASSERT_STRING_EQUAL(text_of(event, "device_id"), "0000:00:03.0");
	CU_ASSERT_STRING_EQUAL(text_of(event, "vendor_id"), "0x8086");
	CU_ASSERT_STRING_EQUAL(text_of(event, "severity"), "fatal");
	CU_ASSERT_TRUE(event->panics);
	CU_ASSERT_PTR_NOT_NULL(nth(&events, HL_EVENT_PANIC, 0));
	CU_ASSERT_EQUAL_FATAL(count_of(&events, HL_EVENT_OOPS), 1);
	event = nth(&events, HL_EVENT_OOPS, 0);
	CU_ASSERT_STRING_EQUAL(event->function, "rb_next");
	CU_ASSERT_EQUAL(event->stack.cpu, 3);
	CU_ASSERT_TRUE_FATAL(event->stack.count > 2);
	CU_ASSERT_STRING_EQUAL(event->stack.frames[1].function, "pick_next_task_fair");
	CU_ASSERT_EQUAL_FATAL(count_of(&events, HL_EVENT_EPT_MISCONFIG), 1);
	event = nth(&events, HL_EVENT_EPT_MISCONFIG, 0);
	CU_ASSERT_STRING_EQUAL(text_of(event, "gpa"), "0x108ba4538");
	for (size_t i = 0; i < 4; i++) {
		const json_t *entry = json_array_get(json_object_get(event->fields, "walk"), i);

		CU_ASSERT_EQUAL(json_integer_value(json_object_get(entry, "level")), 4 - (int)i);
		CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(entry, "spte")), walk[i]);
	}
	events_free(&events);
}

static void test_003(void)
{
	static const char *const arguments[] = {"0x61", "0x0", "0x807a3120", "0x1"};
	struct events events = read_seed("003");
	const struct hl_event *event;

	if (!events.count)
		return;
	event = nth(&events, HL_EVENT_CLOCK_WATCHDOG, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(event);
	CU_ASSERT_STRING_EQUAL(text_of(event, "bugcheck"), "0x101");
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_STRING_EQUAL(
			json_string_value(json_array_get(json_object_get(event->fields, "arguments"), i)),
			arguments[i]);
	event = nth(&events, HL_EVENT_HYPERVISOR_ERROR, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(event);
	CU_ASSERT_STRING_EQUAL(event->function, "qemuMonitorIO");
	events_free(&events);
}

/* The stack of the CPU that panicked, without what other CPUs printed in between. */
static void test_004(void)
{
	static const char *const panicked[] = {"dump_stack",
					       "panic",
					       "watchdog_timer_fn",
					       "__hrtimer_run_queues",
					       "hrtimer_interrupt",
					       "smp_apic_timer_interrupt",
					       "apic_timer_interrupt",
					       "__do_page_fault",
					       "do_page_fault",
					       "async_page_fault",
					       "copy_user_enhanced_fast_string",
					       "_copy_to_user",
					       "cp_new_stat",
					       "__se_sys_newfstat",
					       "do_syscall_64",
					       "entry_SYSCALL_64_after_hwframe"};
	struct events events = read_seed("004");
	const struct hl_event *event;
	size_t place = 0;

	if (!events.count)
		return;
	CU_ASSERT_EQUAL(count_of(&events, HL_EVENT_SOFT_LOCKUP), 1);
	check_task(nth(&events, HL_EVENT_SOFT_LOCKUP, 0), 7, "split_v2", 28356, 11);
	CU_ASSERT_TRUE(nth(&events, HL_EVENT_SOFT_LOCKUP, 0)->panics);
	event = nth(&events, HL_EVENT_PANIC, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(event);
	CU_ASSERT_EQUAL(event->stack.cpu, 6);
	CU_ASSERT_EQUAL(event->stack.pid, 28355);
	CU_ASSERT_TRUE(event->corrupted);
	for (size_t i = 0; i < event->stack.count; i++) {
		if (!event->stack.frames[i].reliable)
			continue;
		CU_ASSERT_TRUE_FATAL(place < sizeof(panicked) / sizeof(*panicked));
		CU_ASSERT_STRING_EQUAL(event->stack.frames[i].function, panicked[place]);
		place++;
	}
	CU_ASSERT_EQUAL(place, sizeof(panicked) / sizeof(*panicked));
	CU_ASSERT_TRUE(event->other_count >= 2);
	events_free(&events);
}

static void check_first_case(const char *number, const char *name)
{
	struct events events = read_seed(number);
	struct hl_error err = HL_ERROR_INIT;
	const struct hl_diagnosis *list;
	struct hl_cases *cases;
	size_t count, place = 0;

	if (!events.count)
		return;
	CU_ASSERT_EQUAL_FATAL(hl_cases_open(&cases, "scenarios/cases", &err), 0);
	for (size_t i = 0; i < events.count; i++)
		hl_cases_event(cases, &events.list[i]);
	count = hl_cases_diagnose(cases, &list);
	/* Seed 002 holds four systems: each must be found as well as the first. */
	while (place < count && strcmp(list[place].name, name) != 0)
		place++;
	CU_ASSERT_TRUE_FATAL(place < count);
	CU_ASSERT_EQUAL(list[place].score, list[0].score);
	CU_ASSERT_TRUE(strcmp(number, "002") == 0 || place == 0);
	CU_ASSERT_TRUE(strlen(list[place].cause) > 100);
	CU_ASSERT_TRUE(json_array_size(list[place].remedies) > 0);
	hl_cases_close(cases);
	events_free(&events);
}

static void test_diagnoses(void)
{
	check_first_case("000", "storage-stall-smp-call");
	check_first_case("001", "hypervisor-pause-all-cpus");
	check_first_case("002", "pcie-fatal-hardware-error");
	check_first_case("002", "fsfreeze-hung-task");
	check_first_case("002", "cfs-throttle-null-deref");
	check_first_case("002", "ept-misconfig");
	check_first_case("003", "windows-clock-watchdog");
	check_first_case("004", "thp-split-page-fault");
}

/* Damaged copies must not crash or hang the reader; run this under the sanitizers. */
static void test_mutations(void)
{
	glob_t files = {0};
	unsigned int random = 1;

	if (glob("../shared/seeds/0*", 0, NULL, &files)) {
		printf("SKIP (no ../shared/seeds) ");
		return;
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *text;
		size_t size;

		CU_ASSERT_EQUAL_FATAL(file_read(files.gl_pathv[i], &text, &size, NULL), 0);
		for (int copy = 0; copy < 32; copy++) {
			struct events events;

			for (int change = 0; change < 200; change++) {
				size_t at;

				random = random * 1103515245u + 12345u;
				at = (random >> 4) % size;
				random = random * 1103515245u + 12345u;
				text[at] = change % 3 ? (char)(random >> 16) : text[(at + random) % size];
			}
			events = events_read(text, size, 1 + (size_t)copy * 97);
			CU_ASSERT_TRUE(events.count < size);
			events_free(&events);
		}
		free(text);
	}
	globfree(&files);
}

CU_TestInfo seeds_tests[] = {
	{"000: wrapped lines of several machines", test_000},
	{"001: a list of soft lockups", test_001},
	{"002: hung tasks, hardware error, oops, EPT", test_002},
	{"003: a Windows bugcheck", test_003},
	{"004: several CPUs' lines mixed", test_004},
	{"the right case comes first", test_diagnoses},
	{"damaged copies", test_mutations},
	CU_TEST_INFO_NULL,
};
