// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/ram.h"

#include "base/cleanup.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE  4096
#define BLOCK (128 << 10)
/* Larger than the heap of the tests: what is as large as the guest is not searched. */
#define SIZE  (512 << 20)

static int memory_file(void)
{
	int file = memfd_create("test", MFD_CLOEXEC);

	CU_ASSERT_FATAL(file >= 0 && !ftruncate(file, SIZE));
	return file;
}

/* Of a file only what was written is read, and nothing becomes memory by reading. */
static void test_file(void)
{
	struct ram ram = {memory_file(), NULL, 0};
	char page[2 * PAGE], byte = 0;
	uint64_t address = 0;
	size_t got;

	CU_ASSERT_EQUAL(ram_write(&ram, 5 * PAGE + 7, "x", 1, NULL), 0);
	CU_ASSERT_EQUAL(ram_next(&ram, &address, page, sizeof(page), &got, NULL), 0);
	CU_ASSERT_EQUAL(address, 5 * PAGE);
	CU_ASSERT(got >= PAGE && page[7] == 'x');
	address = 6 * PAGE;
	CU_ASSERT_EQUAL(ram_next(&ram, &address, page, sizeof(page), &got, NULL), 0);
	CU_ASSERT_EQUAL(got, 0);
	CU_ASSERT_EQUAL(ram_read(&ram, 5 * PAGE + 7, &byte, 1, NULL), 0);
	CU_ASSERT_EQUAL(byte, 'x');
	CU_ASSERT_EQUAL(ram_read(&ram, SIZE, &byte, 1, NULL), -EIO);
	ram_close(&ram);
}

/**
 * struct emulator - what Bochs has in its process
 * @vector: room for all blocks, as the guest touches them
 * @blocks: where each is
 */
struct emulator {
	char *vector, **blocks;
	size_t used;
};

static void touch(struct emulator *emulator, size_t block)
{
	emulator->blocks[block] = emulator->vector + BLOCK * emulator->used++;
}

/* This process is the emulator: guest memory lies in the order of its first use. */
static void test_bochs(void)
{
	struct emulator emulator = {
		mmap(NULL, SIZE + BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		calloc(SIZE / BLOCK, sizeof(char *)), 0};
	struct ram ram = RAM_NONE;
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *block = malloc(BLOCK);
	uint64_t address = 0;
	size_t got;

	/* Page-aligned as Bochs has it, but not block-aligned. */
	emulator.vector += 3 * PAGE;
	touch(&emulator, 0);
	for (size_t i = 0; i < 20; i++)
		touch(&emulator, 200 - 7 * i);
	strcpy(emulator.blocks[200] + 100, "hello");
	CU_ASSERT_EQUAL_FATAL(ram_find_in_bochs(&ram, getpid(), SIZE, &err), 0);
	CU_ASSERT_EQUAL(memcmp(ram.blocks, emulator.blocks, SIZE / BLOCK * sizeof(char *)), 0);
	address = 195 * BLOCK;
	CU_ASSERT_EQUAL(ram_next(&ram, &address, block, BLOCK, &got, NULL), 0);
	CU_ASSERT_EQUAL(address, 200 * BLOCK);
	CU_ASSERT_EQUAL(got, BLOCK);
	CU_ASSERT_STRING_EQUAL(block + 100, "hello");
	CU_ASSERT_EQUAL(ram_write(&ram, 193 * BLOCK + PAGE, "there", 6, NULL), 0);
	CU_ASSERT_STRING_EQUAL(emulator.blocks[193] + PAGE, "there");
	CU_ASSERT_EQUAL(ram_write(&ram, 194 * BLOCK, "x", 1, NULL), -EIO);
	address = 201 * BLOCK;
	CU_ASSERT_EQUAL(ram_next(&ram, &address, block, BLOCK, &got, NULL), 0);
	CU_ASSERT_EQUAL(got, 0);
	ram_close(&ram);
	free(emulator.blocks);
	munmap(emulator.vector - 3 * PAGE, SIZE + BLOCK);
}

static void test_not_bochs(void)
{
	struct ram ram = RAM_NONE;
	struct hl_error err = HL_ERROR_INIT;

#ifdef __SANITIZE_ADDRESS__
	printf("SKIP: the address sanitizer's own tables look like Bochs' ");
	return;
#endif
	CU_ASSERT_EQUAL(ram_find_in_bochs(&ram, getpid(), SIZE, &err), -ENOENT);
	CU_ASSERT_EQUAL(ram.file, -1);
}

CU_TestInfo ram_tests[] = {
	{"file", test_file},
	/* Before the next one, which leaves a table like that of Bochs in freed memory. */
	{"not Bochs", test_not_bochs},
	{"Bochs", test_bochs},
	CU_TEST_INFO_NULL,
};
