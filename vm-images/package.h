/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_PACKAGE_H
#define HANGLAB_VM_IMAGES_PACKAGE_H

#include "base/error.h"

#include <stddef.h>

/**
 * struct kernel_package - what packages say about the kernel in them
 * @package: name of the package that holds the kernel itself
 * @version: its version: "6.1.192-2", "4.18.0-553.el8"
 * @architecture: its architecture, in the words of its distribution: "amd64", "x86_64"
 * @release: kernel release, from the name of boot/vmlinuz-RELEASE or lib/modules/RELEASE/vmlinuz
 *
 * Strings are newly allocated: kernel_package_clear().
 */
struct kernel_package {
	char *package;
	char *version;
	char *architecture;
	char *release;
};

void kernel_package_clear(struct kernel_package *package);

/**
 * package_unpack_kernel() - unpack the kernel of one or more packages into a folder
 * @paths: the packages, .deb or .rpm, which together hold one kernel and its modules: linux-image alone;
 *	linux-image-unsigned and linux-modules (Ubuntu); linux-binary and linux-modules (Debian, from 7.x);
 *	kernel; kernel-core and kernel-modules (Fedora, RHEL 8). Debug packages may be among them.
 * @count: how many
 * @folder: existing folder; receives vmlinuz, config and System.map, lib/modules/RELEASE, and from a debug
 *	package vmlinux; nothing else of the packages
 * @package: receives what the package with the kernel says
 * @err: names the package and says what is wrong with it
 *
 * On failure @folder holds an unknown part; the caller removes it.
 *
 * Return: 0; -EBADMSG for a file that is no package, or a truncated or damaged one; -ENODATA when there
 * is no kernel in them, more than one, or a kernel without modules; -ENOSPC and others from the system.
 */
int package_unpack_kernel(const char *const *paths, size_t count, const char *folder,
			  struct kernel_package *package, struct hl_error *err);

#endif
