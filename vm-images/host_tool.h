/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_HOST_TOOL_H
#define HANGLAB_VM_IMAGES_HOST_TOOL_H

#include "cpio_tree.h"

/**
 * host_tool_add() - copy a program of this machine, with what it needs to run, into an archive
 * @tree: the archive
 * @name: name found through PATH, or absolute path
 * @err: names the program and what is missing
 *
 * Every path stays what it is here: symbolic links on the way (mkfs.ext4 -> mke2fs, /lib ->
 * usr/lib, libx.so.1 -> libx.so.1.2) are added as links. What a program needs is what its own
 * dynamic loader lists, plus libgcc_s, which the C library opens by itself when a thread ends; a
 * script needs its interpreter. What a program opens or starts at run time is not known here.
 *
 * Return: 0; -ENOENT for a program or library that is not installed; -ENOEXEC for a file that is no
 * program.
 */
int host_tool_add(struct cpio_tree *tree, const char *name, struct hl_error *err);

#endif
