// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/counter.h"

#include <CUnit/CUnit.h>
#include <stddef.h>

/* From a lab VM with two CPUs. */
static const char interrupts[] = "            CPU0       CPU1       \n"
				 "   1:          9          0   IO-APIC   1-edge      i8042\n"
				 " LOC:        624        583   Local timer interrupts\n"
				 " TLB:         31         27   TLB shootdowns\n"
				 " ERR:          0\n";
static const char stat[] = "cpu  1 2 30 400 5 0 6 0 0 0\ncpu0 0 1 20 150 5 0 3 0 0 0\nintr 5 1 2\nctxt 77\n";
static const char cpu_stat[] = "usage_usec 12\nnr_periods 4\nnr_throttled 3\nthrottled_usec 900\n";

static int64_t value_of(const char *text, const char *name, size_t column)
{
	const struct counter counter = {"sample", name, column};
	int64_t value;

	return counter_parse(&counter, text, &value, NULL) ? -1 : value;
}

static void test_found(void)
{
	CU_ASSERT_EQUAL(value_of(interrupts, "LOC", COUNTER_SUM), 1207);
	CU_ASSERT_EQUAL(value_of(interrupts, "TLB", 1), 27);
	CU_ASSERT_EQUAL(value_of(interrupts, "ERR", 0), 0);
	CU_ASSERT_EQUAL(value_of(stat, "cpu0", 2), 20);
	CU_ASSERT_EQUAL(value_of(stat, "cpu", 3), 400);
	CU_ASSERT_EQUAL(value_of(cpu_stat, "nr_throttled", 0), 3);
}

static void test_absent(void)
{
	struct hl_error err = HL_ERROR_INIT;
	const struct counter counter = {"cpu.stat", "nr_bursts", 0};
	int64_t value;

	CU_ASSERT_EQUAL(counter_parse(&counter, cpu_stat, &value, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "cpu.stat has no counter nr_bursts");
	/* No such column, no such name, only the beginning of a name, nothing at all. */
	CU_ASSERT_EQUAL(value_of(interrupts, "ERR", 1), -1);
	CU_ASSERT_EQUAL(value_of(interrupts, "NMI", COUNTER_SUM), -1);
	CU_ASSERT_EQUAL(value_of(cpu_stat, "nr_", 0), -1);
	CU_ASSERT_EQUAL(value_of("", "nr_periods", 0), -1);
}

static void test_live(void)
{
	const struct counter idle = {"/proc/stat", "cpu", 3}, none = {"/proc/vmstat", "no_such_counter", 0};
	struct hl_error err = HL_ERROR_INIT;
	int64_t value;

	CU_ASSERT_EQUAL(counter_read(&idle, &value, &err), 0);
	CU_ASSERT_EQUAL(counter_await(&idle, value, 0, &value, &err), 0);
	CU_ASSERT_EQUAL(counter_await(&idle, INT64_MAX, 20000000, &value, &err), -ETIMEDOUT);
	CU_ASSERT_EQUAL(counter_await(&none, 1, 0, &value, &err), -ENOENT);
}

CU_TestInfo counter_tests[] = {
	{"found", test_found},
	{"absent", test_absent},
	{"live files", test_live},
	CU_TEST_INFO_NULL,
};
