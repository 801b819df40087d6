/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_HEST_H
#define HANGLAB_INJECT_HEST_H

#include "inject/cper.h"

#include <stddef.h>

/*
 * The HEST table of a VM with VM_ERROR_SOURCES, and where its error status blocks lie in guest memory. It
 * announces two sources: number 1 notifies by NMI, number 2 is polled once a second.
 *
 * The place is the end of the memory below 4 GiB, of which SeaBIOS reserves the last 128 KiB for ACPI tables
 * and uses the first 9 KiB (measured with SeaBIOS 1.16.3: zero from the table's end up).
 */

/** Number of the first error source, the one with NMI. */
#define HEST_FIRST_SOURCE 1

/** Room for one source: the cell with the block's address, and the block. */
#define HEST_BLOCK_OFFSET 64
#define HEST_BLOCK_LENGTH 1024

/** Largest size of hest_table(). */
#define HEST_TABLE_SIZE (sizeof(uint32_t) + 2 * sizeof(struct hest_generic))

/** hest_cell() - address of the cell of the source that notifies in this way; @memory: bytes of the guest's
 */
uint64_t hest_cell(uint64_t memory, enum hest_notification notification);

/** hest_table() - the table without its header, HEST_TABLE_SIZE bytes; @memory: as above */
void hest_table(uint64_t memory, void *table);

#endif
