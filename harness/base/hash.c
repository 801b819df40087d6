// SPDX-License-Identifier: GPL-2.0-or-later
#include "hash.h"

#include "cleanup.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>

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
