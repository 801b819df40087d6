// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct mapping {
	char *memory;
	size_t size;
};

static int mmap_open(int fd, off_t size, void **state, struct hl_error *err)
{
	struct mapping *mapping;
	void *memory;
	int r;

	/* Blocks are allocated up front: a store into a hole of a full file system is a SIGBUS. */
	r = posix_fallocate(fd, 0, size);
	if (r)
		return hl_error_errno(err, r, "allocate the file");
	memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return hl_error_errno(err, errno, "map the file");
	mapping = malloc(sizeof(*mapping));
	if (!mapping) {
		munmap(memory, (size_t)size);
		return hl_error_errno(err, ENOMEM, "map the file");
	}
	*mapping = (struct mapping){memory, (size_t)size};
	*state = mapping;
	return 0;
}

static int mmap_write(int fd, void *state, const void *record, size_t size, off_t offset)
{
	const struct mapping *mapping = state;

	(void)fd;
	memcpy(mapping->memory + offset, record, size);
	return msync(mapping->memory + offset, size, MS_SYNC) ? -errno : 0;
}

static void mmap_close(void *state)
{
	struct mapping *mapping = state;

	munmap(mapping->memory, mapping->size);
	free(mapping);
}

const struct engine engine_mmap = {
	.name = "mmap",
	.summary = "store into a shared mapping, then msync(2)",
	.open = mmap_open,
	.write = mmap_write,
	.close = mmap_close,
};
