/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_NESTED_GUEST_H
#define HANGLAB_INJECT_NESTED_GUEST_H

#include <stdint.h>
#include <string.h>

/*
 * The memory of the guest that the workload nested-guest runs inside the lab VM, and how one of its pages is
 * recognised in the memory of the lab VM: by a mark that names its guest-physical address.
 */

#define NESTED_GUEST_PAGE   0x1000
#define NESTED_GUEST_MEMORY 0x80000
/** The code, and the pages that every round writes to: what the second-level page table maps. */
#define NESTED_GUEST_CODE   0x1000
#define NESTED_GUEST_FIRST  0x20000
#define NESTED_GUEST_END    0x70000
/** Offset of the mark in each of these pages; a round writes below it only. */
#define NESTED_GUEST_MARK   0x800

/**
 * struct nested_guest_mark - the mark of a page
 * @magic: two numbers that nothing else holds in this order
 * @address: guest-physical address of the page
 */
struct nested_guest_mark {
	uint64_t magic[2], address;
};

/** nested_guest_mark() - the mark of the page at @address; computed, so that no copy lies in the program */
static inline struct nested_guest_mark nested_guest_mark(uint64_t address)
{
	uint64_t magic = (address | 1) * 0x9e3779b97f4a7c15ULL;

	return (struct nested_guest_mark){{magic, ~magic}, address};
}

#endif
