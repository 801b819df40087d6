/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_NULL_BLK_H
#define HANGLAB_INJECT_NULL_BLK_H

#include "inject/disk.h"

/* The null_blk driver through configfs (Documentation/block/null_blk.rst): memory of the guest as a disk. */

/**
 * null_blk_create() - make a disk
 * @disk: name is read, below is set
 * @size: bytes, rounded up to MiB
 * @latency: nanoseconds that each request takes, 0 for no time
 *
 * Return: 0 or -errno.
 */
int null_blk_create(struct disk *disk, uint64_t size, int64_t latency, struct hl_error *err);

/** null_blk_set(), null_blk_get() - an attribute of the disk called @name. Return: 0 or -errno. */
int null_blk_set(const char *name, const char *attribute, const char *value, struct hl_error *err);
int null_blk_get(const char *name, const char *attribute, char *value, size_t size, struct hl_error *err);

#endif
