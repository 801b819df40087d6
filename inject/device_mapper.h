/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_DEVICE_MAPPER_H
#define HANGLAB_INJECT_DEVICE_MAPPER_H

#include "inject/disk.h"
#include "inject/inject.h"

/*
 * The device mapper through dmsetup(8), for disks with "layer: dm" or "layer: multipath". The dm device is
 * called as the disk. There is no udev in the guest: dmsetup makes its own nodes and waits for nobody
 * (DM_DISABLE_UDEV); we use the kernel's /dev/dm-N.
 *
 * Tables: Documentation/admin-guide/device-mapper.
 */

/** What a disk with such a layer needs in the guest; a further target's module is the injector's need. */
extern const struct needs device_mapper_needs, device_mapper_multipath_needs;

/**
 * device_mapper_create() - put a device on top of a disk
 * @disk: name and below are read, device is set
 * @multipath: a multipath device with one path that queues while it has none, else linear
 *
 * Return: 0 or -errno.
 */
int device_mapper_create(struct disk *disk, bool multipath, struct hl_error *err);

/** device_mapper_suspend() - @lockfs: freeze the file system and flush first, else only hold bios back */
int device_mapper_suspend(const struct disk *disk, bool lockfs, struct hl_error *err);

/** device_mapper_resume() - the new table, if one is loaded, becomes the live one */
int device_mapper_resume(const struct disk *disk, struct hl_error *err);

/** device_mapper_message() - send a message to the target. Return: 0 or -errno. */
int device_mapper_message(const struct disk *disk, const char *message, struct hl_error *err);

/** device_mapper_table() - the live table, on one line. Return: 0 or -errno. */
int device_mapper_table(const struct disk *disk, char *text, size_t size, struct hl_error *err);

/** device_mapper_status() - what the target says about itself. Return: 0 or -errno. */
int device_mapper_status(const struct disk *disk, char *text, size_t size, struct hl_error *err);

/*
 * What the injectors that put another table under a live disk share. Their parameters begin with struct
 * disk_parameter, their state is a struct table_swap.
 */

/**
 * struct table_swap - state of such an injector
 * @disk: which
 * @before, @before_below: counters of the device and of the one below while nothing moved, just before
 *	the new table became live
 */
struct table_swap {
	struct disk disk;
	struct disk_counters before, before_below;
};

/**
 * table_swap_inject() - put a table under the disk
 * @target: "delay", "error" ...
 * @arguments: what follows in the table, with every "%" standing for the device below; may be ""
 *
 * Return: 0 or -errno.
 */
int table_swap_inject(struct injection *injection, const char *target, const char *arguments,
		      struct hl_error *err);

/** table_swap_confirm() - the live table is of this target. Return: 0 with evidence, -EIO, -errno. */
int table_swap_confirm(struct injection *injection, const char *target, struct hl_error *err);

/** table_swap_release(), table_swap_confirm_released() - callbacks: linear again, and the disk answers */
int table_swap_release(struct injection *injection, struct hl_error *err);
int table_swap_confirm_released(struct injection *injection, struct hl_error *err);

#endif
