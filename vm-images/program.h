/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_PROGRAM_H
#define HANGLAB_VM_IMAGES_PROGRAM_H

#include "base/error.h"

#include <stddef.h>

/** The compiler, found through PATH. */
#define PROGRAM_COMPILER "gcc"

/**
 * program_compile() - compile a C file into a static program
 * @source: the file; it may use pthreads
 * @image: newly allocated content of the program; the caller frees it
 * @size: its bytes
 * @err: what the compiler said
 *
 * Equal sources give equal bytes.
 *
 * Return: 0, -ENOENT for a missing file or compiler, -EIO for one that does not compile, or -errno.
 */
int program_compile(const char *source, char **image, size_t *size, struct hl_error *err);

#endif
