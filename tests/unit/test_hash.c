// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hash.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* A file in memory of this size, all zeros. */
static int new_disk(off_t size, char **path)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	CU_ASSERT_FATAL(fd >= 0 && !ftruncate(fd, size));
	*path = file_path("/proc/self/fd/%d", fd);
	return fd;
}

static void sum(const char *path, char *text)
{
	CU_ASSERT_EQUAL_FATAL(hash_disk(path, 0, text, NULL), 0);
}

/* printf abc | sha256sum */
static void content_of_file(void)
{
	cleanup_free char *path = NULL;
	cleanup_fd int fd = new_disk(0, &path);
	char text[HASH_TEXT_SIZE];

	CU_ASSERT_EQUAL(write(fd, "abc", 3), 3);
	CU_ASSERT_EQUAL(hash_file(path, text, NULL), 0);
	CU_ASSERT_STRING_EQUAL(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* What counts is what is where, down to one bit in the last byte; not the size of what was never written. */
static void content_of_disk(void)
{
	cleanup_free char *path = NULL, *larger_path = NULL;
	cleanup_fd int fd = new_disk((3 << 20) + 512, &path), larger = new_disk(8 << 20, &larger_path);
	char empty[HASH_TEXT_SIZE], one[HASH_TEXT_SIZE], other[HASH_TEXT_SIZE];

	sum(path, empty);
	sum(larger_path, one);
	CU_ASSERT_STRING_EQUAL(empty, one);
	CU_ASSERT_EQUAL(pwrite(fd, "x", 1, (2 << 20) + 4096 + 7), 1);
	sum(path, one);
	CU_ASSERT(strcmp(empty, one) != 0);
	CU_ASSERT_EQUAL(pwrite(larger, "x", 1, (2 << 20) + 4096 + 7), 1);
	sum(larger_path, other);
	CU_ASSERT_STRING_EQUAL(one, other);
	CU_ASSERT_EQUAL(pwrite(larger, "\0x", 2, (2 << 20) + 4096 + 7), 2);
	sum(larger_path, other);
	CU_ASSERT(strcmp(one, other) != 0);
	/* The same block elsewhere. */
	CU_ASSERT_EQUAL(pwrite(fd, "\0", 1, (2 << 20) + 4096 + 7), 1);
	CU_ASSERT_EQUAL(pwrite(fd, "x", 1, (2 << 20) + 8192 + 7), 1);
	sum(path, other);
	CU_ASSERT(strcmp(one, other) != 0);
	CU_ASSERT_EQUAL(pwrite(fd, "\0", 1, (2 << 20) + 8192 + 7), 1);
	sum(path, other);
	CU_ASSERT_STRING_EQUAL(empty, other);
	CU_ASSERT_EQUAL(pwrite(fd, "\1", 1, (3 << 20) + 511), 1);
	sum(path, other);
	CU_ASSERT(strcmp(empty, other) != 0);
}

static void no_such_disk(void)
{
	struct hl_error err = HL_ERROR_INIT;
	char text[HASH_TEXT_SIZE];

	CU_ASSERT_EQUAL(hash_disk("/nonexistent", 0, text, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "open /nonexistent: No such file or directory");
	CU_ASSERT_EQUAL(hash_disk("/proc", 0, text, &err), -EISDIR);
}

CU_TestInfo hash_tests[] = {
	{"content of a file", content_of_file},
	{"content of a disk", content_of_disk},
	{"no such disk", no_such_disk},
	CU_TEST_INFO_NULL,
};
