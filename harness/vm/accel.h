/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_ACCEL_H
#define HANGLAB_VM_ACCEL_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * accel_probe_kvm() - does KVM really run a guest here?
 * @image: Linux kernel or clockwatch
 * @initramfs: with our guest program, for Linux; else NULL
 * @usable: the answer
 * @why: receives the reason when it is not, @size bytes
 *
 * A /dev/kvm that exists can still abort QEMU or stop the guest right after the boot loader (measured under
 * nested virtualisation), so a guest is booted until it speaks, with a limit. The answer is kept in the
 * cache until the machine reboots or QEMU changes.
 *
 * Return: 0 or -errno.
 */
int accel_probe_kvm(const char *image, const char *initramfs, bool *usable, char *why, size_t size,
		    struct hl_error *err);

#endif
