// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/icount_state.h"

#include <CUnit/CUnit.h>
#include <string.h>

/* As QEMU 10.0 writes it: bias 3294816 and 356974473 instructions, which are 5.714886384 s under shift 4. */
#define SECTION	    "\x05\x0ctimer/icount\0\0\0\1\0\0\0\0\0\x32\x46\x60\0\0\0\0\x15\x46\xff\x89"
#define SIZE	    (sizeof(SECTION) - 1)
#define NANOSECONDS 5714886384ULL

static uint64_t number_at(const unsigned char *at)
{
	uint64_t number = 0;

	for (size_t i = 0; i < 8; i++)
		number = number << 8 | at[i];
	return number;
}

static void check_time(int64_t shift)
{
	unsigned char state[] = "before" SECTION "behind";
	const unsigned char *bias = state + strlen("before") + SIZE - 16, *instructions = bias + 8;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL_FATAL(icount_state_set_shift(state, sizeof(state) - 1, 4, shift, &err), 0);
	CU_ASSERT_EQUAL(number_at(instructions), 356974473);
	/* Of a high shift the bias is negative. */
	CU_ASSERT_EQUAL(number_at(bias) + (356974473ULL << shift), NANOSECONDS);
	CU_ASSERT(!memcmp(state, "before", 6) && !memcmp(state + sizeof(state) - 7, "behind", 6));
}

static void test_time_stays(void)
{
	for (int64_t shift = 0; shift <= 10; shift++)
		check_time(shift);
}

static void check_refused(const char *state, size_t size, const char *reason)
{
	struct hl_error err = HL_ERROR_INIT;
	char copy[256];

	memcpy(copy, state, size);
	CU_ASSERT_EQUAL(icount_state_set_shift(copy, size, 4, 6, &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, reason));
	CU_ASSERT(!memcmp(copy, state, size));
}

static void test_other_states(void)
{
	static const char twice[] = SECTION SECTION;

	check_refused("", 0, "no count of instructions");
	check_refused("{\"name\": \"timer/icount\"}", 24, "no count of instructions");
	for (size_t size = SIZE - 16; size < SIZE; size++)
		check_refused(twice, size, "damaged");
	check_refused(twice, sizeof(twice) - 1, "damaged");
}

CU_TestInfo icount_state_tests[] = {
	{"time stays what it was", test_time_stays},
	{"what is not such a state", test_other_states},
	CU_TEST_INFO_NULL,
};
