/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_BUILD_H
#define HANGLAB_VM_IMAGES_BUILD_H

#include "kernel.h"
#include "progress.h"

/**
 * struct build - a kernel to be built
 * @name: what to call it in the store
 * @source: its sources, see source_open()
 * @config: what to configure it with, see kconfig_read()
 * @fragments: files with further options
 * @patches: patch files, applied in this order
 * @jobs: how many compilers at once
 */
struct build {
	const char *name, *source, *config;
	const char *const *fragments;
	size_t fragment_count;
	const char *const *patches;
	size_t patch_count;
	unsigned int jobs;
};

/**
 * kernel_build() - build a kernel from sources and put it into the store
 * @build: which
 * @progress: told what happens
 * @kernel: receives the kernel; the caller frees it
 * @built: false when the store had one of the same name, sources, patches, options and compiler
 * @err: says what is wrong: a patch that does not apply, an option that does not get into the
 *	configuration, a package that is missing here, the first error of the compiler
 *
 * Beside what every kernel of the store has, its folder has build.json: sources, patches, options and
 *compiler, with their SHA-256. ccache makes a build quick of which most was compiled before.
 *
 * Return: 0; -EINVAL for bad input; -ENOENT when something is missing; -EIO when the build failed; or -errno.
 */
int kernel_build(const struct build *build, const struct progress *progress, struct kernel **kernel,
		 bool *built, struct hl_error *err);

#endif
