/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_DEBUG_FILE_H
#define HANGLAB_CHECKERS_DEBUG_FILE_H

#include "base/error.h"

/**
 * debug_file_open() - the ELF file of a kernel or of one of its modules
 * @path: a vmlinux, or a .deb or .rpm package that holds one
 * @module: name as the kernel prints it, or NULL for the kernel itself
 * @err: message
 *
 * In a package a module is looked for in one pass over it, which takes seconds. The modules of a vmlinux are
 * looked for in the folders where distributions put them and where a kernel is built.
 *
 * Return: a descriptor that the caller closes, -ENOENT when there is no such file, or another -errno.
 */
int debug_file_open(const char *path, const char *module, struct hl_error *err);

#endif
