/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_CPIO_TREE_H
#define HANGLAB_VM_IMAGES_CPIO_TREE_H

#include "base/error.h"

#include <nettle/sha2.h>
#include <stddef.h>
#include <sys/types.h>

/** typedef cpio_reader - read the content of a file of this machine: as module_read() */
typedef int (*cpio_reader)(const char *path, void **data, size_t *size, struct hl_error *err);

struct cpio_entry;

/**
 * struct cpio_tree - the files of an archive to be written
 * @entries: the entries; paths are absolute in the archive and unique
 * @count: how many
 *
 * Adding an entry adds the folders above it. Entries are written in the order of adding, because the
 * kernel makes them one by one: a file behind a link is added after the link and its target. Owned strings
 * and content: cpio_tree_clear().
 */
struct cpio_tree {
	struct cpio_entry *entries;
	size_t count;
};

void cpio_tree_clear(struct cpio_tree *tree);

/** cpio_tree_add_folder() - an empty folder, 0755. Return: 0, or -EEXIST for a file of that name. */
int cpio_tree_add_folder(struct cpio_tree *tree, const char *path, struct hl_error *err);

/** cpio_tree_add_link() - a symbolic link; the same link again is fine. Return: 0 or -EEXIST. */
int cpio_tree_add_link(struct cpio_tree *tree, const char *path, const char *target, struct hl_error *err);

/**
 * cpio_tree_add_file() - a file of this machine; the same one again is fine
 * @tree: where to
 * @path: its path in the archive
 * @source: its path here; read when the archive is written
 * @reader: how to read it, or NULL for its plain content
 * @mode: its permissions
 *
 * Return: 0, -EEXIST when something else has that path, or -errno when @source is no file.
 */
int cpio_tree_add_file(struct cpio_tree *tree, const char *path, const char *source, cpio_reader reader,
		       mode_t mode, struct hl_error *err);

/** cpio_tree_add_data() - a file whose content is copied from memory. Return: 0 or -EEXIST. */
int cpio_tree_add_data(struct cpio_tree *tree, const char *path, const void *data, size_t size, mode_t mode,
		       struct hl_error *err);

/**
 * cpio_tree_hash() - feed everything that decides the archive's bytes into @context
 *
 * Files of this machine count by path, device, inode, size and modification time, which spares
 * reading them.
 */
void cpio_tree_hash(const struct cpio_tree *tree, struct sha256_ctx *context);

/**
 * cpio_tree_write() - write the tree as a newc cpio archive
 * @tree: its entries are written in the order in which they were added
 * @fd: where to
 * @err: names the file that could not be read, or says that writing failed
 *
 * Owner root, all times 0: equal trees give equal bytes. Failure point: "initramfs/write".
 *
 * Return: 0 or -errno.
 */
int cpio_tree_write(const struct cpio_tree *tree, int fd, struct hl_error *err);

#endif
