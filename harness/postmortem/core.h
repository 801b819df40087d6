/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_CORE_H
#define HANGLAB_POSTMORTEM_CORE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/procfs.h>

/*
 * Writes the memory of a guest as an ELF core, as the kernel itself would as /proc/vmcore: makedumpfile,
 * crash and drgn read it. The guest need not help: KASLR and five-level page tables are read from its memory.
 */

/**
 * core_copy() - copy a guest's memory to where it belongs in a core file; the guest should stand still
 * @memory: its memory, a sparse file
 * @size: bytes of it
 * @core: empty file that becomes the core; stays sparse
 *
 * Return: 0 or -errno.
 */
int core_copy(int memory, uint64_t size, int core, struct hl_error *err);

/**
 * core_finish() - put the headers in front of what core_copy() copied
 * @core: the file
 * @size: bytes of memory
 * @registers: of each vCPU, or NULL
 * @cpu_count: how many
 *
 * Memory without a Linux kernel makes a core without addresses of one.
 *
 * Return: 0 or -errno.
 */
int core_finish(int core, uint64_t size, const struct elf_prstatus *registers, size_t cpu_count,
		struct hl_error *err);

#endif
