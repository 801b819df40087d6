/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_DEB_H
#define HANGLAB_VM_IMAGES_DEB_H

#include "base/error.h"

/**
 * struct deb_kernel - what a Debian package says about the kernel in it
 * @package: its Package field
 * @version: its Version field
 * @architecture: its Architecture field
 * @release: kernel release, from the name of boot/vmlinuz-RELEASE
 *
 * Strings are newly allocated: deb_kernel_clear().
 */
struct deb_kernel {
	char *package;
	char *version;
	char *architecture;
	char *release;
};

void deb_kernel_clear(struct deb_kernel *deb);

/**
 * deb_field() - a field of a control paragraph, as in a package or as apt-cache prints it
 * @paragraph: the text
 * @field: its name, without the colon
 *
 * Return: its first line, newly allocated, or NULL.
 */
char *deb_field(const char *paragraph, const char *field);

/**
 * deb_unpack_kernel() - unpack the kernel of a .deb into a folder
 * @path: the package: an ar archive of control.tar and data.tar, each with gzip, xz, zstd or no
 *        compression (deb(5))
 * @folder: existing folder; receives vmlinuz, config and System.map from the package's boot/, and
 *          lib/modules/RELEASE from its lib/ or usr/lib/; nothing else of the package
 * @deb: receives what the package says
 * @err: names @path and says what is wrong with it
 *
 * On failure @folder holds an unknown part; the caller removes it.
 *
 * Return: 0; -EBADMSG for a file that is not a Debian package, or a truncated or damaged one;
 * -ENODATA when there is no kernel in it, or a kernel without modules; -ENOSPC and others from the
 * system.
 */
int deb_unpack_kernel(const char *path, const char *folder, struct deb_kernel *deb, struct hl_error *err);

#endif
