/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_HASH_H
#define HANGLAB_BASE_HASH_H

#include "error.h"

#include <nettle/sha2.h>
#include <stddef.h>

/** Bytes of a buffer for a SHA-256 in hexadecimal digits, with the NUL. */
#define HASH_TEXT_SIZE (2 * SHA256_DIGEST_SIZE + 1)

/** hash_finish() - end @context and write its digest as hexadecimal text of HASH_TEXT_SIZE bytes */
void hash_finish(struct sha256_ctx *context, char *text);

/**
 * hash_file() - SHA-256 of a file's content
 * @path: which
 * @text: receives HASH_TEXT_SIZE bytes
 *
 * Return: 0 or -errno.
 */
int hash_file(const char *path, char *text, struct hl_error *err);

/**
 * hash_disk() - SHA-256 of what a disk, or the image of one, holds
 * @path: block device or file
 * @flags: for open(2) beside O_RDONLY; O_DIRECT to see what is on the device and not what is in memory
 * @text: receives HASH_TEXT_SIZE bytes
 *
 * Blocks of 4096 zero bytes are passed over and the others go in with their position: as good as all of them,
 * but quick where most of a disk was never written and a slow CPU looks at it.
 *
 * Return: 0 or -errno.
 */
int hash_disk(const char *path, int flags, char *text, struct hl_error *err);

#endif
