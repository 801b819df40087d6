/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_PACKAGE_FILES_H
#define HANGLAB_VM_IMAGES_PACKAGE_FILES_H

#include "package.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

/*
 * What the formats of packages share: deb.c and rpm.c open a package and say what its header says,
 * package_files.c takes the kernel's files out of the archive in it.
 */

#define PACKAGE_READ_SIZE (128 * 1024)

/**
 * struct unpacking - one package that is being unpacked
 * @path: the package
 * @folder: where to
 * @said: what its header says
 * @has_kernel: the kernel itself was in it
 */
struct unpacking {
	const char *path, *folder;
	struct kernel_package said;
	bool has_kernel;
};

/** package_damaged() - the error that @archive reports. Return: -EBADMSG. */
int package_damaged(const struct unpacking *job, struct archive *archive, struct hl_error *err);

/** package_next_entry() - the next header. Return: 1 for an entry, 0 at the end, or -EBADMSG. */
int package_next_entry(const struct unpacking *job, struct archive *archive, struct archive_entry **entry,
		       struct hl_error *err);

/** package_relative_path() - path of an entry relative to the root: paths in packages begin with "./" or "/"
 */
const char *package_relative_path(struct archive_entry *entry);

/** package_unpack_files() - unpack the kernel's files out of an open archive. Return: 0 or -errno. */
int package_unpack_files(struct unpacking *job, struct archive *archive, struct hl_error *err);

/** package_free_archive() - for cleanup_with() */
void package_free_archive(struct archive **archive);

/** deb_unpack() - a .deb: an ar archive of control.tar and data.tar (deb(5)). Return: 0 or -errno. */
int deb_unpack(struct unpacking *job, int fd, struct hl_error *err);

/** rpm_unpack() - an .rpm: lead, signature, header, compressed cpio archive. Return: 0 or -errno. */
int rpm_unpack(struct unpacking *job, int fd, struct hl_error *err);

#endif
