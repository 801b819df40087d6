/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_VMLINUX_H
#define HANGLAB_VM_IMAGES_VMLINUX_H

#include "kernel.h"

/**
 * vmlinux_find() - the kernel without the program that decompresses it, for QEMU's -kernel
 * @kernel: the kernel
 * @path: receives "FOLDER/vmlinux", newly allocated; or NULL for a kernel that can only be started from its
 *        bzImage: it was built without CONFIG_PVH, or is packed in a way that is not known here
 * @err: names the file
 *
 * QEMU starts it at its PVH entry (the Xen note PHYS32_ENTRY, include/xen/interface/elfnote.h of the kernel).
 * It is made when it is first asked for and kept beside the bzImage. In a VM that counts instructions the
 * decompressor is a tenth of a boot, because it copies with "rep movs", which QEMU then leaves and enters
 * again for every word (measured on 6.1 with QEMU 10.0).
 *
 * Return: 0 or -errno.
 */
int vmlinux_find(const struct kernel *kernel, char **path, struct hl_error *err);

#endif
