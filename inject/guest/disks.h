/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_DISKS_H
#define HANGLAB_INJECT_GUEST_DISKS_H

#include "inject/plan.h"

/*
 * Disks and file systems of the guest. Everything here may block or die with the storage, so the guest
 * program calls it in children only.
 */

/** disks_prepare() - set up every disk of the plan: device, file system, mount. Return: 0 or -errno. */
int disks_prepare(const struct plan *plan, struct hl_error *err);

/** disks_unmount() - unmount a disk's file system. Return: 0 or -errno. */
int disks_unmount(const struct plan_disk *disk, struct hl_error *err);

/**
 * disks_check() - run the file system's checker on an unmounted disk without changing it
 * @status: receives its exit status: 0 is clean
 * @output: receives the end of what it printed
 * @size: of @output
 *
 * Return: 0 or -errno when it could not be run.
 */
int disks_check(const struct plan_disk *disk, int *status, char *output, size_t size, struct hl_error *err);

/** disks_mount() - mount a disk's file system. Return: 0 or -errno. */
int disks_mount(const struct plan_disk *disk, struct hl_error *err);

#endif
