/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_BZIMAGE_H
#define HANGLAB_VM_IMAGES_BZIMAGE_H

#include "base/error.h"

#include <stddef.h>

/**
 * bzimage_release() - the release of a kernel from its image, as uname -r prints it
 * @path: a bzImage
 * @release: newly allocated
 * @err: names the file
 *
 * Return: 0, -EBADMSG for a file that is no bzImage, or -errno.
 */
int bzimage_release(const char *path, char **release, struct hl_error *err);

/**
 * bzimage_kernel() - the kernel itself, an ELF file
 * @path: a bzImage
 * @data: newly allocated
 * @size: of @data
 * @err: names the file
 *
 * Return: 0; -EBADMSG for a file that is no bzImage, or is packed in a way that is not known here; or -errno.
 */
int bzimage_kernel(const char *path, char **data, size_t *size, struct hl_error *err);

/**
 * bzimage_config() - the configuration in a kernel that was built with CONFIG_IKCONFIG
 * @path: a bzImage
 * @config: newly allocated text
 * @err: names the file
 *
 * Return: 0; -ENODATA for a kernel that was built without; -EBADMSG for a file that is no bzImage, or is
 * packed in a way that is not known here; or -errno.
 */
int bzimage_config(const char *path, char **config, struct hl_error *err);

#endif
