/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_RAM_H
#define HANGLAB_VM_RAM_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The memory of a VM, from outside and without the emulator's help: the file that is QEMU's, or what Bochs
 * has allocated in its own process. Addresses are guest-physical, below 2 GiB.
 */

/**
 * struct ram - a VM's memory; ram_close()
 * @file: QEMU's memory file, or /proc/PID/mem of Bochs
 * @blocks: Bochs: address in its process of each block of the guest's memory, 0 for one that the guest never
 *	touched; else NULL
 * @block_count: how many
 */
struct ram {
	int file;
	uint64_t *blocks;
	size_t block_count;
};

#define RAM_NONE                                                                                             \
	{                                                                                                    \
		-1, NULL, 0                                                                                  \
	}

/**
 * ram_find_in_bochs() - find the memory of the guest in Bochs
 * @ram: receives it
 * @pid: a Bochs that hanglab started; it must not change while it is looked at, so stop it or be ready to try
 * again
 * @size: bytes of the guest's memory
 *
 * Return: 0, -ENOENT when it is not recognised, or -errno.
 */
int ram_find_in_bochs(struct ram *ram, pid_t pid, uint64_t size, struct hl_error *err);

/** ram_close() - forget it; harmless for RAM_NONE */
void ram_close(struct ram *ram);

/**
 * ram_next() - the next piece of memory that the guest has touched
 * @address: look from here, a page; receives where the piece begins
 * @data: receives whole pages
 * @size: room, at least a page
 * @got: receives how many bytes there are; 0 when there are no more
 *
 * Return: 0 or -errno.
 */
int ram_next(const struct ram *ram, uint64_t *address, void *data, size_t size, size_t *got,
	     struct hl_error *err);

/** ram_read() - @size bytes within a page. Return: 0 or -errno. */
int ram_read(const struct ram *ram, uint64_t address, void *data, size_t size, struct hl_error *err);

/** ram_write() - @size bytes within a page. Return: 0 or -errno. */
int ram_write(const struct ram *ram, uint64_t address, const void *data, size_t size, struct hl_error *err);

#endif
