/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_MAPPING_H
#define HANGLAB_POSTMORTEM_MAPPING_H

#include "postmortem/image.h"

/**
 * struct mapping - the kernel's virtual memory in an image, through its own page tables
 * @image: where it is; borrowed
 * @info: VMCOREINFO text
 * @top: physical address of the top-level page table
 * @levels: 4 or 5
 */
struct mapping {
	const struct image *image;
	char *info;
	uint64_t top;
	int levels;
};

/**
 * mapping_open() - find the kernel in an image
 * @image: must outlive it
 *
 * VMCOREINFO is taken from the core's note, else found by a scan of all memory. It counts only when the
 * page tables that it names map the kernel to where it says.
 *
 * Return: 0 or -ENODATA.
 */
int mapping_open(struct mapping *mapping, const struct image *image, struct hl_error *err);

/** mapping_close() - accepts a zeroed one */
void mapping_close(struct mapping *mapping);

/** mapping_translate() - virtual to physical. Return: false when nothing is mapped there. */
bool mapping_translate(const struct mapping *mapping, uint64_t address, uint64_t *physical);

/** mapping_read() - copy virtual memory. Return: false (and zeros) unless all of it is there. */
bool mapping_read(const struct mapping *mapping, uint64_t address, void *data, size_t size);

/** mapping_number() - an unsigned integer of @size bytes (1, 2, 4 or 8), 0 when it is not there */
uint64_t mapping_number(const struct mapping *mapping, uint64_t address, size_t size);

/** mapping_pointer() - a pointer, 0 when it is not there */
uint64_t mapping_pointer(const struct mapping *mapping, uint64_t address);

/** mapping_string() - a NUL-terminated string, cut to @size; what is not printable ASCII becomes '?' */
void mapping_string(const struct mapping *mapping, uint64_t address, char *text, size_t size);

/** mapping_direct_map() - where physical memory is mapped as a whole (PAGE_OFFSET), 0 when not found */
uint64_t mapping_direct_map(const struct mapping *mapping);

#endif
