/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_ISCSI_H
#define HANGLAB_INJECT_GUEST_ISCSI_H

#include "inject/plan.h"

/**
 * iscsi_login() - bring the network up, start iscsid, log in to the target of a disk
 * @disk: of the plan
 *
 * Return: 0 or -errno.
 */
int iscsi_login(const struct plan_disk *disk, struct hl_error *err);

/**
 * iscsi_device() - device of the disk's LUN
 * @device: receives "/dev/sdX"
 *
 * Return: 0, -ENODEV when it is not there (yet).
 */
int iscsi_device(const struct plan_disk *disk, char *device, size_t size);

#endif
