/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_NBD_H
#define HANGLAB_INJECT_GUEST_NBD_H

#include "inject/plan.h"

/**
 * nbd_connect() - bring the network up and connect the kernel's NBD client to the server of a disk
 * @disk: of the plan; its device_timeout is the client's limit for a request
 * @device: receives "/dev/nbdN"
 *
 * Return: 0 or -errno.
 */
int nbd_connect(const struct plan_disk *disk, char *device, size_t size, struct hl_error *err);

#endif
