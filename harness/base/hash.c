// SPDX-License-Identifier: GPL-2.0-or-later
#include "hash.h"

#include "cleanup.h"

#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void hash_finish(struct sha256_ctx *context, char *text)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(context, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

int hash_file(const char *path, char *text, struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct sha256_ctx context;
	uint8_t block[65536];
	ssize_t got;

	if (fd < 0)
		return hl_error_errno(err, errno, "open %s", path);
	sha256_init(&context);
	while ((got = read(fd, block, sizeof(block))) > 0)
		sha256_update(&context, (size_t)got, block);
	if (got < 0)
		return hl_error_errno(err, errno, "read %s", path);
	hash_finish(&context, text);
	return 0;
}

#define BLOCK 4096
#define CHUNK (1 << 20)

static void hash_blocks(struct sha256_ctx *context, const uint8_t *chunk, size_t size, uint64_t position)
{
	static const uint8_t zeros[BLOCK];

	for (size_t used = 0; used < size; used += BLOCK) {
		size_t length = size - used < BLOCK ? size - used : BLOCK;
		uint64_t at = htole64(position + used);

		if (!memcmp(chunk + used, zeros, length))
			continue;
		sha256_update(context, sizeof(at), (const uint8_t *)&at);
		sha256_update(context, length, chunk + used);
	}
}

int hash_disk(const char *path, int flags, char *text, struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	cleanup_free uint8_t *chunk = aligned_alloc(BLOCK, CHUNK);
	struct sha256_ctx context;
	uint64_t position = 0;
	ssize_t got;

	if (fd < 0)
		return hl_error_errno(err, errno, "open %s", path);
	if (!chunk)
		return hl_error_errno(err, ENOMEM, "read %s", path);
	sha256_init(&context);
	while ((got = pread(fd, chunk, CHUNK, (off_t)position)) > 0) {
		hash_blocks(&context, chunk, (size_t)got, position);
		position += (uint64_t)got;
	}
	if (got < 0)
		return hl_error_errno(err, errno, "read %s", path);
	hash_finish(&context, text);
	return 0;
}
