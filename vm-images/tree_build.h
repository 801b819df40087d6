/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_TREE_BUILD_H
#define HANGLAB_VM_IMAGES_TREE_BUILD_H

#include "kconfig.h"
#include "progress.h"

/**
 * struct tree_build - a kernel tree to be configured and compiled
 * @tree: the tree; absolute
 * @name: what messages call it
 * @folder: absolute; receives build.log, and wanted.config with what was asked for
 * @config: what to configure it with
 * @jobs: how many compilers at once
 */
struct tree_build {
	const char *tree, *name, *folder;
	const struct kconfig *config;
	unsigned int jobs;
};

/**
 * tree_build() - make a kernel in a tree, through ccache
 * @progress: told what happens
 * @err: an option that does not get into the configuration, or the first error of the compiler
 *
 * Return: 0; -EINVAL for an option; -EIO when the build failed; or -errno.
 */
int tree_build(const struct tree_build *build, const struct progress *progress, struct hl_error *err);

/** tree_build_check_programs() - is there what a build needs? Return: 0, or -ENOENT with what is missing. */
int tree_build_check_programs(struct hl_error *err);

#endif
