// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"
#include "base/cleanup.h"

#include <CUnit/CUnit.h>
#include <stdint.h>
#include <string.h>

static void test_memory(void)
{
	struct arena arena cleanup_with(arena_free) = {NULL};
	static const char zero[100];

	for (size_t size = 1; size <= sizeof(zero); size++) {
		char *memory = arena_allocate(&arena, size);

		CU_ASSERT_EQUAL((uintptr_t)memory % _Alignof(max_align_t), 0);
		CU_ASSERT_EQUAL(memcmp(memory, zero, size), 0);
		memset(memory, 0xff, size);
	}
}

static void test_texts(void)
{
	struct arena arena cleanup_with(arena_free) = {NULL};
	char original[] = "text";
	char *copy = arena_string(&arena, original), *formatted = arena_format(&arena, "%s-%d", original, 7);

	original[0] = 'n';
	CU_ASSERT_STRING_EQUAL(copy, "text");
	CU_ASSERT_STRING_EQUAL(formatted, "text-7");
}

static void test_append(void)
{
	struct arena arena cleanup_with(arena_free) = {NULL};
	uint64_t *array = NULL;
	size_t count = 0;

	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t *element = arena_append(&arena, &array, &count, sizeof(*array));

		CU_ASSERT_EQUAL(*element, 0);
		*element = i * i;
	}
	CU_ASSERT_EQUAL_FATAL(count, 1000);
	for (uint64_t i = 0; i < count; i++)
		CU_ASSERT_EQUAL(array[i], i * i);
}

static void test_free(void)
{
	struct arena arena = {NULL};

	arena_free(&arena);
	arena_string(&arena, "x");
	arena_free(&arena);
	CU_ASSERT_PTR_NULL(arena.chunks);
	CU_ASSERT_STRING_EQUAL(arena_string(&arena, "usable again"), "usable again");
	arena_free(&arena);
}

CU_TestInfo arena_tests[] = {
	{"memory is zeroed and aligned", test_memory},
	{"texts are copies", test_texts},
	{"arrays grow", test_append},
	{"empty and usable after free", test_free},
	CU_TEST_INFO_NULL,
};
