/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_IMAGE_H
#define HANGLAB_POSTMORTEM_IMAGE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/procfs.h>

/*
 * The physical memory of a guest, as an ELF core file holds it. What a guest left is never trusted: every
 * read is checked against what the file holds.
 */

/** struct image_segment - a range of physical memory that is there */
struct image_segment {
	uint64_t physical, size;
	const uint8_t *data;
};

/**
 * struct image - a mapped core file; image_close() it
 * @segments: sorted by @physical, none inside another
 * @vmcoreinfo: text of the kernel's VMCOREINFO note, or NULL
 * @registers: one per vCPU, in their order, as far as the core has them
 */
struct image {
	void *map;
	size_t map_size;
	struct image_segment *segments;
	size_t segment_count;
	char *vmcoreinfo;
	struct elf_prstatus *registers;
	size_t cpu_count;
};

/**
 * image_open() - map an ELF core
 *
 * Return: 0, -EBADMSG for a file that is no ELF core of x86-64, -errno.
 */
int image_open(struct image *image, const char *path, struct hl_error *err);

/**
 * image_open_copy() - map a bare copy of a guest's memory
 * @fd: file that holds it, which may be closed afterwards
 * @offset: where in the file it begins, a multiple of the page size
 * @size: bytes of memory, laid out as QEMU's machine q35 does
 *
 * Return: 0 or -errno.
 */
int image_open_copy(struct image *image, int fd, uint64_t offset, uint64_t size, struct hl_error *err);

/** image_close() - accepts a zeroed one */
void image_close(struct image *image);

/**
 * image_at() - memory at a physical address
 * @available: receives how many bytes follow there, in one piece
 *
 * Return: the memory, NULL when the core has none at @physical.
 */
const uint8_t *image_at(const struct image *image, uint64_t physical, uint64_t *available);

/** image_read() - copy physical memory. Return: false (and zeros) unless all of it is there. */
bool image_read(const struct image *image, uint64_t physical, void *data, size_t size);

#endif
