/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_FILE_H
#define HANGLAB_BASE_FILE_H

#include "error.h"

#include <stddef.h>
#include <sys/types.h>

/**
 * file_read() - the whole of a regular or /proc file
 * @path: which
 * @data: newly allocated, NUL-terminated content; the caller frees it
 * @size: bytes without the NUL, or NULL
 * @err: "read PATH: reason"
 *
 * Return: 0 or -errno.
 */
int file_read(const char *path, char **data, size_t *size, struct hl_error *err);

/**
 * file_write() - create or replace a file with @size bytes, synced to disk
 *
 * The content first goes to an unnamed file in the same folder, so that neither a full disk nor a
 * killed process leaves half a file or a temporary name behind.
 *
 * Return: 0 or -errno.
 */
int file_write(const char *path, const void *data, size_t size, struct hl_error *err);

/**
 * file_set() - write @text to a file that is there, in one call, as files of /proc and /sys want it
 *
 * Return: 0 or -errno.
 */
int file_set(const char *path, const char *text, struct hl_error *err);

/**
 * file_open_unnamed() - an unnamed writable file in @folder, to be given a name by file_publish()
 *
 * Return: the descriptor, or -errno.
 */
int file_open_unnamed(const char *folder, struct hl_error *err);

/**
 * file_publish() - sync an unnamed file and give it the name @path, replacing what had it
 *
 * Return: 0 or -errno.
 */
int file_publish(int fd, const char *path, struct hl_error *err);

/**
 * file_write_all() - write() until all is written
 *
 * Return: 0 or -errno (no message: the caller knows what it writes).
 */
int file_write_all(int fd, const void *data, size_t size);

/**
 * file_make_folders() - mkdir -p
 *
 * Return: 0 or -errno.
 */
int file_make_folders(const char *path, struct hl_error *err);

/**
 * file_remove_tree() - rm -rf, not following links nor crossing mounts
 *
 * Return: 0 or -errno; a missing @path is no error.
 */
int file_remove_tree(const char *path, struct hl_error *err);

/**
 * file_path() - format a path into newly allocated memory
 *
 * Return: the path, which the caller frees; never NULL (out of memory ends the process).
 */
char *file_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * file_cache_folder() - ${XDG_CACHE_HOME:-~/.cache}/hanglab/@name, created if missing
 * @name: a folder in the cache
 * @path: newly allocated, the caller frees it
 *
 * Return: 0 or -errno.
 */
int file_cache_folder(const char *name, char **path, struct hl_error *err);

/**
 * file_shipped() - where something that belongs to this program is
 * @built: from the folder of the running program, as in the source tree
 * @installed: from the same folder, as make install would put it
 *
 * Return: the path of the one that is there, @built's when neither is; newly allocated.
 */
char *file_shipped(const char *built, const char *installed);

#endif
