// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/units.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#define S NANOSECONDS_PER_SECOND

static void test_durations(void)
{
	static const struct {
		const char *text;
		int64_t nanoseconds;
	} known[] = {
		{"0", 0},	  {"0s", 0},	  {"1ns", 1},	       {"7us", 7000},
		{"250ms", S / 4}, {"2s", 2 * S},  {"1.5s", 3 * S / 2}, {"3m", 180 * S},
		{"1h", 3600 * S}, {"0.001us", 1}, {"120s", 120 * S},   {"002s", 2 * S},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int64_t found = -1;

		CU_ASSERT_EQUAL(units_parse_duration(known[i].text, &found, NULL), 0);
		CU_ASSERT_EQUAL(found, known[i].nanoseconds);
	}
}

static void test_bad_durations(void)
{
	static const char *const bad[] = {"",	 "s",	 "10",	 "-1s", "1 s", "1S", "1d",  "1s ",
					  " 1s", "1.s2", "0x1s", "nan", "inf", "1e", "1,5s"};
	struct hl_error err = HL_ERROR_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t found = 42;

		CU_ASSERT_EQUAL(units_parse_duration(bad[i], &found, &err), -EINVAL);
		CU_ASSERT_EQUAL(found, 42);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "250ms, 2s or 3m"));
	}
	CU_ASSERT_EQUAL(units_parse_duration("10", &(int64_t){0}, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err.text, "'10' has no unit (write for example 250ms, 2s or 3m)");
	CU_ASSERT_EQUAL(units_parse_duration("2600000h", &(int64_t){0}, &err), -ERANGE);
	CU_ASSERT_EQUAL(units_parse_duration("1e999s", &(int64_t){0}, &err), -ERANGE);
}

static void test_sizes(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} known[] = {{"0", 0},		 {"4096", 4096}, {"64K", 65536}, {"512M", 512ULL << 20},
		     {"2G", 2ULL << 30}, {"0.5K", 512}};
	static const char *const bad[] = {"", "M", "64KB", "64k", "-1", "64 M", "1T"};
	struct hl_error err = HL_ERROR_INIT;
	uint64_t found = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		CU_ASSERT_EQUAL(units_parse_size(known[i].text, &found, NULL), 0);
		CU_ASSERT_EQUAL(found, known[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(units_parse_size(bad[i], &found, &err), -EINVAL);
	CU_ASSERT_EQUAL(units_parse_size("99999999999G", &found, &err), -ERANGE);
}

/* Decimal means decimal: a leading zero does not make a number octal. */
static void test_integers(void)
{
	static const struct {
		const char *text;
		int64_t value;
	} known[] = {{"0", 0},
		     {"42", 42},
		     {"-7", -7},
		     {"0x10", 16},
		     {"010", 10},
		     {"09", 9},
		     {"9223372036854775807", INT64_MAX}};
	static const char *const bad[] = {"", " 1", "1 ", "1.0", "one", "0x", "12ab", "--1"};
	int64_t found;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		found = -1;
		CU_ASSERT_EQUAL(units_parse_integer(known[i].text, &found, NULL), 0);
		CU_ASSERT_EQUAL(found, known[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		found = 42;
		CU_ASSERT_EQUAL(units_parse_integer(bad[i], &found, NULL), -EINVAL);
		CU_ASSERT_EQUAL(found, 42);
	}
	CU_ASSERT_EQUAL(units_parse_integer("9223372036854775808", &found, NULL), -ERANGE);
}

static void check_duration_text(int64_t nanoseconds, const char *expected)
{
	char text[32];

	CU_ASSERT_STRING_EQUAL(units_format_duration(nanoseconds, text, sizeof(text)), expected);
}

static void test_formatting(void)
{
	char text[32];

	check_duration_text(0, "0s");
	check_duration_text(1, "1ns");
	check_duration_text(S / 4, "250ms");
	check_duration_text(3 * S / 2, "1.5s");
	check_duration_text(90 * S, "90s");
	check_duration_text(3600 * S, "1h");
	CU_ASSERT_STRING_EQUAL(units_format_size(64 << 20, text, sizeof(text)), "64M");
	CU_ASSERT_STRING_EQUAL(units_format_size(1536 << 10, text, sizeof(text)), "1536K");
	CU_ASSERT_STRING_EQUAL(units_format_size(1000, text, sizeof(text)), "1000");
	CU_ASSERT_STRING_EQUAL(units_format_size(0, text, sizeof(text)), "0");
}

/* What is formatted reads back as the same value. */
static void test_round_trip(void)
{
	unsigned int seed = 1;

	for (int i = 0; i < 20000; i++) {
		int64_t value = ((int64_t)rand_r(&seed) << 20 | rand_r(&seed)) >> (i % 50), found = -1;
		uint64_t bytes = 0;
		char text[32];

		CU_ASSERT_EQUAL(
			units_parse_duration(units_format_duration(value, text, sizeof(text)), &found, NULL),
			0);
		CU_ASSERT_EQUAL_FATAL(found, value);
		CU_ASSERT_EQUAL(units_parse_size(units_format_size((uint64_t)value, text, sizeof(text)),
						 &bytes, NULL),
				0);
		CU_ASSERT_EQUAL_FATAL(bytes, (uint64_t)value);
	}
}

static void test_cpus(void)
{
	static const struct {
		const char *text;
		uint64_t mask;
	} good[] = {{"0", 1},
		    {"0-1,3", 0xb},
		    {"63", UINT64_C(1) << 63},
		    {"0-63", UINT64_MAX},
		    {"all", UINT64_MAX}};
	static const char *const bad[] = {"",  "-1",	"1-", "2-1",  "0,",  ",0", "0,,1",
					  "a", "0-1-2", "64", "0-64", "ALL", " 1"};
	uint64_t mask;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CU_ASSERT_EQUAL(units_parse_cpus(good[i].text, &mask, NULL), 0);
		CU_ASSERT_EQUAL(mask, good[i].mask);
	}
	mask = 5;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT(units_parse_cpus(bad[i], &mask, NULL) < 0);
	CU_ASSERT_EQUAL(mask, 5);
}

CU_TestInfo units_tests[] = {
	{"durations", test_durations},
	{"bad durations", test_bad_durations},
	{"sizes", test_sizes},
	{"integers", test_integers},
	{"formatting", test_formatting},
	{"lists of CPUs", test_cpus},
	{"what is formatted reads back", test_round_trip},
	CU_TEST_INFO_NULL,
};
