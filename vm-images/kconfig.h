/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_KCONFIG_H
#define HANGLAB_VM_IMAGES_KCONFIG_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct kconfig_part - a file with options of a kernel's configuration
 * @path: which
 * @text: its content
 * @lenient: an option that the sources do not know does not matter
 */
struct kconfig_part {
	char *path, *text;
	bool lenient;
};

/**
 * struct kconfig - what a kernel is to be configured with; kconfig_clear()
 * @parts: files, of which a later one overrides an earlier one
 * @count: how many
 * @rest_off: what no part names is off (make allnoconfig); else it has its default (make olddefconfig)
 */
struct kconfig {
	struct kconfig_part *parts;
	size_t count;
	bool rest_off;
};

/**
 * kconfig_read() - read a configuration and fragments of it
 * @base: "boot", the least that boots in a lab VM; "lab", what the scenarios need of a kernel too; or the
 *path of a whole configuration
 * @fragments: paths of files with further options
 * @count: how many
 * @config: receives it
 * @err: names file and line of what is no option
 *
 * Return: 0; -EINVAL for a file that is no configuration; or -errno.
 */
int kconfig_read(const char *base, const char *const *fragments, size_t count, struct kconfig *config,
		 struct hl_error *err);

/** kconfig_text() - all parts, one after the other, newly allocated */
char *kconfig_text(const struct kconfig *config);

/**
 * kconfig_check() - did every option that was asked for get into the configuration?
 * @config: what was asked for; of a whole configuration only the fragments are looked at
 * @tree: sources that were configured with it
 * @err: names the first option that did not, where it was asked for, and why, as far as can be told
 *
 * Return: 0; -EINVAL when one did not; or -errno.
 */
int kconfig_check(const struct kconfig *config, const char *tree, struct hl_error *err);

void kconfig_clear(struct kconfig *config);

#endif
