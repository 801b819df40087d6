/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_KERNEL_H
#define HANGLAB_VM_IMAGES_KERNEL_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct kernel - a kernel that is ready to boot, unpacked in its own folder of the store
 * @name: what the user calls it: "debian:6.1.0-56-cloud-amd64", or a name of the user's choice
 * @release: what uname -r prints: "6.1.0-56-cloud-amd64"
 * @version: version of the package it, or its source, came from: "6.1.192-2"
 * @architecture: Debian's word for it: "amd64"
 * @sha256: of the package, in hexadecimal digits
 * @source: file name of the package it came from, or what it was built from
 * @built: it was built here: its name alone leads to it
 * @folder: absolute path of its folder; the paths below are in it
 * @vmlinuz: what QEMU's -kernel takes
 * @config: the configuration it was built with, from its package or (CONFIG_IKCONFIG) from the kernel itself;
 *the file may be missing
 * @modules: folder with modules.dep and the modules, "FOLDER/lib/modules/RELEASE"
 *
 * All strings are owned by the struct: kernel_free().
 */
struct kernel {
	char *name;
	char *release;
	char *version;
	char *architecture;
	char *sha256;
	char *source;
	bool built;
	char *folder;
	char *vmlinuz;
	char *config;
	char *modules;
};

/** struct kernel_list - kernels, owned by the list: kernel_list_free() */
struct kernel_list {
	struct kernel **kernels;
	size_t count;
};

void kernel_free(struct kernel *kernel);
void kernel_list_free(struct kernel_list *list);

/* For cleanup_with(). */
void kernel_cleanup(struct kernel **kernel);

/**
 * kernel_config_value() - an option of the kernel's configuration
 * @kernel: the kernel
 * @option: "DETECT_HUNG_TASK"; a leading "CONFIG_" is accepted
 * @value: newly allocated: "y", "m", a number, a string without its quotes, or "n" for an option
 *         that is off or unknown to this kernel; the caller frees it
 * @err: names the configuration file
 *
 * Return: 0, -ENOENT when the kernel came without its configuration, or -errno.
 */
int kernel_config_value(const struct kernel *kernel, const char *option, char **value, struct hl_error *err);

/**
 * kernel_release_compare() - order of two kernel releases, for "newest" and for min_kernel
 * @a: a release, or only its beginning such as "3.10"
 * @b: the other
 *
 * The upstream version decides first, number by number, a missing number being 0, with -rcN before
 * the release itself; then the rest, runs of digits as numbers: 6.1 < 6.1.0-9-amd64 < 6.1.0-56-amd64.
 *
 * Return: negative, 0 or positive, as strcmp().
 */
int kernel_release_compare(const char *a, const char *b);

/**
 * kernel_flavour() - for what the kernel of a Debian release was built
 * @release: "6.1.0-55-cloud-amd64"
 *
 * Return: what stands behind the first dash that no digit follows ("cloud-amd64"), or the end of @release.
 */
const char *kernel_flavour(const char *release);

/** Flavour of Debian's kernel for virtual machines, which plain "debian" stands for. */
#define KERNEL_DEBIAN_FLAVOUR "cloud-amd64"

#endif
