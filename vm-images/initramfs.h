/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_INITRAMFS_H
#define HANGLAB_VM_IMAGES_INITRAMFS_H

#include "kernel.h"

#include <stdint.h>
#include <sys/types.h>

/**
 * struct initramfs_file - a file of the initramfs whose content is in memory
 * @path: absolute path in the guest; missing folders are made
 * @data: its content
 * @size: bytes
 * @mode: permissions, for example 0644
 */
struct initramfs_file {
	const char *path;
	const void *data;
	size_t size;
	mode_t mode;
};

/**
 * struct initramfs_request - what goes into an initramfs
 * @kernel: whose modules; may be NULL when @module_count is 0
 * @guest_program: path of the static program that becomes /init
 * @modules: names or aliases, see modules_resolve()
 * @module_count: how many
 * @tools: programs of this machine, by name (found through PATH) or absolute path; each is copied
 *         with its symbolic links, shared libraries, dynamic loader and, for a script, interpreter,
 *         all under the paths they have here
 * @tool_count: how many
 * @files: further files
 * @file_count: how many
 */
struct initramfs_request {
	const struct kernel *kernel;
	const char *guest_program;
	const char *const *modules;
	size_t module_count;
	const char *const *tools;
	size_t tool_count;
	const struct initramfs_file *files;
	size_t file_count;
};

/**
 * initramfs_build() - an initramfs with all that was asked for
 * @request: what to put in
 * @path: newly allocated path of the archive in the cache; the caller frees the string, the file
 *        belongs to the cache and stays for at least a minute
 * @err: names what is missing or could not be written
 *
 * The archive is an uncompressed newc cpio: the kernel unpacks it faster than any compressed one under
 * emulation. Equal inputs give equal bytes. It holds:
 *
 *	/init                          the guest program
 *	/modules/NNN-NAME.ko           modules, decompressed, numbered in load order from 000
 *	/modules/order                 their file names in load order, one a line; "-" in front of one
 *	                               that may fail to load (an optional one, see struct module)
 *	/dev /proc /sys /run /tmp      empty folders
 *	tools, libraries, files        as struct initramfs_request says
 *
 * It is kept in the cache under the SHA-256 of everything that decides its content: what is in
 * memory by value, files by path, inode, size and modification time. Old archives are removed, the
 * least recently used first. Failure point: "initramfs/write" (disk full).
 *
 * Return: 0; -ENOENT for a missing module or tool; -ENOEXEC for a tool that is no program; -ENOSPC
 * and others from the system. A failed or killed build leaves no file.
 */
int initramfs_build(const struct initramfs_request *request, char **path, struct hl_error *err);

#endif
