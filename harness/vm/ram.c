// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/ram.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define PAGE_SIZE 4096

/*
 * Bochs 2.7, memory/misc_mem.cc: guest memory is handed out in blocks of BX_MEM_BLOCK_LEN, in the order in
 * which the guest touches them, and BX_MEM_C::blocks[] points to each, NULL for one not touched yet. All
 * blocks lie in one allocation, so the pointers are equal modulo the length of a block: that is how the array
 * is recognised.
 */
#define BLOCK_LENGTH  (128 << 10)
#define FEWEST_BLOCKS 16

static uint64_t page_of(uint64_t address)
{
	return address & ~(uint64_t)(PAGE_SIZE - 1);
}

/* Where @address lies in the file. Return: false for what the guest does not have. */
static bool place_of(const struct ram *ram, uint64_t address, off_t *place)
{
	uint64_t block = address / BLOCK_LENGTH;

	*place = (off_t)address;
	if (!ram->blocks)
		return true;
	if (block >= ram->block_count || !ram->blocks[block])
		return false;
	*place = (off_t)(ram->blocks[block] + address % BLOCK_LENGTH);
	return true;
}

static int next_in_file(const struct ram *ram, uint64_t *address, void *data, size_t size, size_t *got,
			struct hl_error *err)
{
	off_t place = lseek(ram->file, (off_t)*address, SEEK_DATA);
	ssize_t length;

	if (place < 0)
		return errno == ENXIO ? 0 : hl_error_errno(err, errno, "read the memory of the VM");
	*address = page_of((uint64_t)place);
	length = pread(ram->file, data, size, (off_t)*address);
	if (length < 0)
		return hl_error_errno(err, errno, "read the memory of the VM");
	*got = (size_t)page_of((uint64_t)length);
	return 0;
}

static int next_in_blocks(const struct ram *ram, uint64_t *address, void *data, size_t size, size_t *got,
			  struct hl_error *err)
{
	uint64_t block = *address / BLOCK_LENGTH;
	size_t length;
	off_t place;

	while (block < ram->block_count && !ram->blocks[block])
		*address = ++block * BLOCK_LENGTH;
	if (block >= ram->block_count)
		return 0;
	length = BLOCK_LENGTH - *address % BLOCK_LENGTH;
	if (length > size)
		length = page_of(size);
	if (!place_of(ram, *address, &place) || pread(ram->file, data, length, place) != (ssize_t)length)
		return hl_error_errno(err, errno, "read the memory of Bochs");
	*got = length;
	return 0;
}

int ram_next(const struct ram *ram, uint64_t *address, void *data, size_t size, size_t *got,
	     struct hl_error *err)
{
	*got = 0;
	return ram->blocks ? next_in_blocks(ram, address, data, size, got, err)
			   : next_in_file(ram, address, data, size, got, err);
}

int ram_read(const struct ram *ram, uint64_t address, void *data, size_t size, struct hl_error *err)
{
	off_t place;

	if (place_of(ram, address, &place) && pread(ram->file, data, size, place) == (ssize_t)size)
		return 0;
	return hl_error_set(err, EIO, "the memory of the VM cannot be read at %#" PRIx64, address);
}

int ram_write(const struct ram *ram, uint64_t address, const void *data, size_t size, struct hl_error *err)
{
	off_t place;

	if (place_of(ram, address, &place) && pwrite(ram->file, data, size, place) == (ssize_t)size)
		return 0;
	return hl_error_set(err, EIO, "the memory of the VM cannot be written at %#" PRIx64, address);
}

/**
 * struct candidate - a run of words that may be the array
 * @first: the first pointer in it, 0 before
 * @length: words so far
 * @pointers: of them no NULL
 */
struct candidate {
	uint64_t first;
	size_t length, pointers;
};

static bool belongs(const struct candidate *candidate, uint64_t word, uint64_t size)
{
	uint64_t distance = word > candidate->first ? word - candidate->first : candidate->first - word;

	if (!word || !candidate->first)
		return !word || (word > PAGE_SIZE && !(word >> 47) && !(word % PAGE_SIZE));
	return !(distance % BLOCK_LENGTH) && distance < size;
}

/* Goes over the words of one mapping; the array begins where its run does, after the allocator's own word. */
static bool search_words(const uint64_t *words, size_t count, uint64_t size, struct ram *ram)
{
	struct candidate candidate = {0};

	for (size_t i = 0; i < count; i++) {
		if (!belongs(&candidate, words[i], size)) {
			candidate = (struct candidate){0};
			continue;
		}
		candidate.length++;
		candidate.pointers += words[i] != 0;
		if (!candidate.first)
			candidate.first = words[i];
		if (candidate.length < ram->block_count || candidate.pointers < FEWEST_BLOCKS)
			continue;
		memcpy(ram->blocks, words + i + 1 - candidate.length,
		       ram->block_count * sizeof(*ram->blocks));
		return true;
	}
	return false;
}

static bool search_mapping(const char *line, uint64_t size, struct ram *ram)
{
	uint64_t begin, end;
	cleanup_free uint64_t *words = NULL;
	char access[8];
	ssize_t got;

	/* Not the guest's memory itself, which could hold anything. */
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &begin, &end, access) != 3 ||
	    strncmp(access, "rw", 2) != 0 || end - begin >= size)
		return false;
	words = malloc(end - begin);
	got = words ? pread(ram->file, words, end - begin, (off_t)begin) : -1;
	return got > 0 && search_words(words, (size_t)got / sizeof(*words), size, ram);
}

int ram_find_in_bochs(struct ram *ram, pid_t pid, uint64_t size, struct hl_error *err)
{
	cleanup_free char *path = file_path("/proc/%d/mem", (int)pid);
	cleanup_free char *maps_path = file_path("/proc/%d/maps", (int)pid), *maps = NULL;
	char *position = NULL;
	int r = file_read(maps_path, &maps, NULL, err);

	if (r)
		return r;
	ram->file = open(path, O_RDWR | O_CLOEXEC);
	if (ram->file < 0)
		return hl_error_errno(err, errno, "open %s", path);
	ram->block_count = size / BLOCK_LENGTH;
	ram->blocks = calloc(ram->block_count, sizeof(*ram->blocks));
	for (char *line = strtok_r(maps, "\n", &position); ram->blocks && line;
	     line = strtok_r(NULL, "\n", &position))
		if (search_mapping(line, size, ram))
			return 0;
	ram_close(ram);
	return hl_error_set(err, ENOENT,
			    "the memory of the guest was not found in Bochs (version 2.7 is known)");
}

void ram_close(struct ram *ram)
{
	if (ram->file >= 0)
		close(ram->file);
	free(ram->blocks);
	*ram = (struct ram)RAM_NONE;
}
