/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_LOCAL_KERNEL_H
#define HANGLAB_VM_IMAGES_LOCAL_KERNEL_H

#include "kernel.h"

#include <stdbool.h>

/*
 * Kernels that somebody built on this machine, named by where they are:
 *
 *	tree:FOLDER                                  a kernel tree in which make was run
 *	bzImage:FILE[,modules=FOLDER][,config=FILE]  an image, and what belongs to it
 *
 * FOLDER of modules is that of modules_install, lib/modules/RELEASE in it, or that folder itself.
 */

/** local_kernel_is() - does a name mean one of these? */
bool local_kernel_is(const char *name);

/**
 * local_kernel_find() - copy a kernel of this machine into the store, unless it is there as it is now
 * @name: as above
 * @kernel: receives the kernel, named "tree:PATH" or "bzImage:PATH"; the caller frees it
 * @err: says what is missing
 *
 * Return: 0; -EINVAL for a name with other words in it; -ENODATA for a tree in which no kernel was built;
 * -EBADMSG for a file that is no bzImage; or -errno.
 */
int local_kernel_find(const char *name, struct kernel **kernel, struct hl_error *err);

#endif
