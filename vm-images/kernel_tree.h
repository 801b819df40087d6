/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_KERNEL_TREE_H
#define HANGLAB_VM_IMAGES_KERNEL_TREE_H

#include "package.h"
#include "progress.h"

/** Where the build of a kernel leaves its image, from the tree. */
#define KERNEL_TREE_IMAGE "arch/x86/boot/bzImage"

/**
 * kernel_tree_make() - run make in a kernel tree
 * @tree: the tree
 * @words: further arguments, NULL-terminated: targets, variables
 * @log: file that receives everything it prints
 * @progress: told of each file that is made
 * @phase: what to tell: "build linux-source-6.1 6.1.192-2"
 * @err: says what went wrong first, and where all of it is
 *
 * User, host and time in the kernel's banner are always the same, so that equal sources give equal kernels.
 *
 * Return: 0, -EIO when make failed, or -errno.
 */
int kernel_tree_make(const char *tree, const char *const *words, const char *log,
		     const struct progress *progress, const char *phase, struct hl_error *err);

/**
 * kernel_tree_install() - copy the kernel that was built in a tree
 * @tree: the tree
 * @folder: receives vmlinuz, config, System.map and lib/modules/RELEASE
 * @package: receives release and architecture; the rest is left alone
 * @err: says what is not there
 *
 * Return: 0; -ENODATA for a tree in which no kernel was built; or -errno.
 */
int kernel_tree_install(const char *tree, const char *folder, struct kernel_package *package,
			struct hl_error *err);

/** kernel_tree_remove_links() - remove the links into its tree that modules_install leaves beside modules */
void kernel_tree_remove_links(const char *folder, const char *release);

#endif
