/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_KERNEL_STORE_H
#define HANGLAB_VM_IMAGES_KERNEL_STORE_H

#include "base/hash.h"
#include "kernel.h"
#include "package.h"

#include <stdbool.h>

/*
 * The kernel store: ${XDG_CACHE_HOME:-~/.cache}/hanglab/kernels holds one folder per kernel.
 *
 *	NAME-SHA256/kernel.json                 what struct kernel says
 *	NAME-SHA256/vmlinuz, config, System.map
 *	NAME-SHA256/lib/modules/RELEASE/...     as in the package, plus the indexes of depmod
 *	new-XXXXXX/                             a kernel that is being unpacked (workspace.h)
 *
 * A kernel is unpacked in a workspace, which gets its name when it is complete: a folder with a
 * kernel.json is a whole kernel. Several processes may use the store at once.
 */

/**
 * kernel_store_add() - put the kernel of a package, or of several that make up one kernel, into the store
 * @paths: the packages, see package_unpack_kernel()
 * @count: how many
 * @name: what to call it, or NULL for its release; letters, digits and ":/.,_+~-"
 * @kernel: receives the kernel, also when it was there already; the caller frees it
 * @added: false when the same packages were in the store under this name already; may be NULL
 * @err: names the file and says what is wrong with it
 *
 * Return: 0; -EBADMSG for a file that is not a whole package; -ENODATA without a kernel and its
 * modules; -EEXIST when @name already means another release; -EINVAL for a bad name;
 * -ENOSPC and others from the system. Nothing is left behind on failure.
 */
int kernel_store_add(const char *const *paths, size_t count, const char *name, struct kernel **kernel,
		     bool *added, struct hl_error *err);

/**
 * typedef kernel_fill - put the files of a kernel into an empty folder of the store
 * @context: the caller's
 * @folder: receives vmlinuz, config and System.map, and lib/modules/RELEASE
 * @package: receives what the kernel is; its strings are newly allocated
 *
 * Return: 0 or -errno; the folder is removed on failure.
 */
typedef int (*kernel_fill)(void *context, const char *folder, struct kernel_package *package,
			   struct hl_error *err);

/** kernel_store_check_name() - may a kernel that is built here be called that? Return: 0 or -EINVAL. */
int kernel_store_check_name(const char *name, struct hl_error *err);

/**
 * kernel_store_put() - put a kernel that was built here into the store, in place of what its name meant
 * @name: what to call it
 * @sha256: of everything that it was built from; see kernel_store_find_package()
 * @source: what it was built from, in words
 * @fill: provides its files
 * @context: for @fill
 * @kernel: receives the kernel; the caller frees it
 *
 * Return: 0; -EEXIST when @name means a kernel of a package; -EINVAL for a bad name; or as @fill.
 */
int kernel_store_put(const char *name, const char *sha256, const char *source, kernel_fill fill,
		     void *context, struct kernel **kernel, struct hl_error *err);

/**
 * kernel_store_combine() - the SHA-256 that stands for a kernel of several packages
 * @each: SHA-256 of each package, as text; sorted by this call
 * @count: how many; of one package it is its own
 * @sha256: receives HASH_TEXT_SIZE bytes: of the sorted texts, one after the other
 */
void kernel_store_combine(char (*each)[HASH_TEXT_SIZE], size_t count, char *sha256);

/**
 * kernel_store_find() - the kernel a user means
 * @wanted: first match of: a name ("debian:6.1.0-56-cloud-amd64"); a release; the part of names
 *          before the colon or the slash ("debian", "debian:bullseye": its newest release of the cloud
 *          flavour); that part and a flavour ("debian:amd64": the newest full kernel); a version of the
 *          package or its upstream part ("6.1.170-3", "debian:6.1.170"; of several flavours the last);
 *          a beginning that only one release or name has. "=VERSION" behind it pins the package version. Of
 *          several packages of one name the newest version is taken.
 * @kernel: receives the kernel; the caller frees it
 * @err: for a miss lists what the store has and the command that fetches what was asked for
 *
 * Return: 0, -ENOENT, -ENOTUNIQ for a beginning that fits several, or -errno.
 */
int kernel_store_find(const char *wanted, struct kernel **kernel, struct hl_error *err);

/**
 * kernel_store_find_package() - the kernel of exactly this package
 * @name: full name
 * @sha256: of the package
 * @kernel: receives the kernel, NULL when the store does not have it; the caller frees it
 *
 * Return: 0 or -errno.
 */
int kernel_store_find_package(const char *name, const char *sha256, struct kernel **kernel,
			      struct hl_error *err);

/**
 * kernel_store_list() - every kernel of the store, by name, older releases and versions first
 * @list: receives the kernels; kernel_list_free()
 *
 * Return: 0 or -errno.
 */
int kernel_store_list(struct kernel_list *list, struct hl_error *err);

/**
 * kernel_family_length() - length of the part of a name that says where a kernel came from
 * @name: "debian:6.1.0-56-cloud-amd64" ("debian"), "debian:bullseye/5.10.0-30-cloud-amd64"
 * ("debian:bullseye")
 *
 * Return: bytes before the slash or the colon; all of them when there is none.
 */
size_t kernel_family_length(const char *name);

#endif
