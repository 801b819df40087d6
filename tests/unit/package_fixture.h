/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_TESTS_PACKAGE_FIXTURE_H
#define HANGLAB_TESTS_PACKAGE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

/* Kernel packages of the tests' own making, and a private cache to unpack them in. */

/** enum packing - compression of the members of a .deb */
enum packing { PACKED_PLAIN, PACKED_GZIP, PACKED_XZ, PACKED_ZSTD, PACKINGS };

/** struct packed_file - a file of a package: a symbolic link when @link is set, else with @text as content */
struct packed_file {
	const char *path;
	const char *text;
	const char *link;
};

#define FIXTURE_RELEASE "6.1.0-9-test-amd64"
#define FIXTURE_CONTROL                                                                                      \
	"Package: linux-image-" FIXTURE_RELEASE "\nVersion: 6.1.42-1\nArchitecture: amd64\n"                 \
	"Description: a kernel\n that is none\n"

/**
 * fixture_folder() - a new empty folder, with XDG_CACHE_HOME set to its subfolder "cache"
 *
 * Return: its path, valid until the process ends, when all of them are removed.
 */
const char *fixture_folder(void);

/** fixture_write() - write a file, with the folders above it. */
void fixture_write(const char *path, const void *data, size_t size);

/** fixture_write_text() - write a text file; an executable one when it begins with "#!" */
void fixture_write_text(const char *path, const char *text);

/** fixture_write_compressed() - write a file through a compressor */
void fixture_write_compressed(const char *path, const void *data, size_t size, enum packing packing);

/** fixture_write_deb() - write a .deb; @files ends with one without a path */
void fixture_write_deb(const char *path, const char *control, const struct packed_file *files,
		       enum packing packing);

/** fixture_write_kernel_deb() - write a whole kernel package of @release, without module files */
void fixture_write_kernel_deb(const char *path, const char *release, const char *version);

/** fixture_count() - entries of a folder whose names begin with @prefix; 0 for a missing folder */
size_t fixture_count(const char *folder, const char *prefix);

/**
 * fixture_mount_full() - mount a nearly full file system of 1 MiB
 * @path: folder to mount it on; undo with fixture_unmount()
 *
 * Return: false, after printing why, where this process may not mount.
 */
bool fixture_mount_full(const char *path);

void fixture_unmount(const char *path);

#endif
