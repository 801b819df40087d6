// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An .rpm is a lead of 96 bytes, two headers (the signatures and the package's own), and a compressed cpio
 * archive. A header is a magic number, the count of its entries, the size of its store, the entries (tag,
 * type, offset into the store, count), and the store; all numbers are big endian (rpm's
 * docs/manual/format.md).
 */
#include "package_files.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LEAD_SIZE	    96
#define HEADER_MAGIC	    0x8eade801U
#define HEADER_LARGEST	    (256U << 20)
#define SIGNATURE_ALIGNMENT 8

enum tag { TAG_NAME = 1000, TAG_VERSION = 1001, TAG_RELEASE = 1002, TAG_ARCHITECTURE = 1022 };

struct header_start {
	uint32_t magic, reserved, entries, store_size;
};

struct header_entry {
	uint32_t tag, type, offset, count;
};

/* A header in memory: its entries, and behind them its store. */
struct header {
	struct header_entry *entries;
	uint32_t count, store_size;
	char *store;
};

static int bad_header(const struct unpacking *job, struct hl_error *err)
{
	return hl_error_set(err, EBADMSG, "%s is truncated or damaged: its header is not whole", job->path);
}

static int read_start(const struct unpacking *job, int fd, off_t at, struct header *header, size_t *size,
		      struct hl_error *err)
{
	struct header_start start;

	if (pread(fd, &start, sizeof(start), at) != sizeof(start) || be32toh(start.magic) != HEADER_MAGIC)
		return bad_header(job, err);
	header->count = be32toh(start.entries);
	header->store_size = be32toh(start.store_size);
	if (header->count > HEADER_LARGEST / sizeof(struct header_entry) ||
	    header->store_size > HEADER_LARGEST)
		return bad_header(job, err);
	*size = header->count * sizeof(struct header_entry) + header->store_size;
	return 0;
}

/* The text of a tag, newly allocated, or NULL. */
static char *text_of(const struct header *header, enum tag tag)
{
	for (uint32_t i = 0; i < header->count; i++) {
		uint32_t offset = be32toh(header->entries[i].offset);

		if (be32toh(header->entries[i].tag) == (uint32_t)tag && offset < header->store_size)
			return strndup(header->store + offset, header->store_size - offset);
	}
	return NULL;
}

static int describe(struct unpacking *job, const struct header *header, struct hl_error *err)
{
	cleanup_free char *version = text_of(header, TAG_VERSION), *release = text_of(header, TAG_RELEASE);

	job->said.package = text_of(header, TAG_NAME);
	job->said.architecture = text_of(header, TAG_ARCHITECTURE);
	if (!job->said.package || !job->said.architecture || !version || !release)
		return hl_error_set(err, EBADMSG,
				    "%s has no name, version, release and architecture in its header",
				    job->path);
	job->said.version = file_path("%s-%s", version, release);
	return 0;
}

static int read_description(struct unpacking *job, int fd, struct hl_error *err)
{
	cleanup_free char *content = NULL;
	struct header header = {0};
	off_t at = LEAD_SIZE;
	size_t size = 0;
	int r = read_start(job, fd, at, &header, &size, err);

	if (r)
		return r;
	at += (off_t)(sizeof(struct header_start) + size);
	at = (at + SIGNATURE_ALIGNMENT - 1) / SIGNATURE_ALIGNMENT * SIGNATURE_ALIGNMENT;
	r = read_start(job, fd, at, &header, &size, err);
	if (r)
		return r;
	content = malloc(size + 1);
	if (!content || pread(fd, content, size, at + (off_t)sizeof(struct header_start)) != (ssize_t)size)
		return bad_header(job, err);
	header.entries = (struct header_entry *)content;
	header.store = content + header.count * sizeof(struct header_entry);
	return describe(job, &header, err);
}

static int unpack_payload(struct unpacking *job, int fd, struct hl_error *err)
{
	cleanup_with(package_free_archive) struct archive *payload = archive_read_new();

	archive_read_support_filter_rpm(payload);
	archive_read_support_filter_bzip2(payload);
	archive_read_support_filter_gzip(payload);
	archive_read_support_filter_lzma(payload);
	archive_read_support_filter_xz(payload);
	archive_read_support_filter_zstd(payload);
	archive_read_support_format_cpio(payload);
	archive_read_support_format_empty(payload);
	if (archive_read_open_fd(payload, fd, PACKAGE_READ_SIZE) != ARCHIVE_OK)
		return package_damaged(job, payload, err);
	return package_unpack_files(job, payload, err);
}

int rpm_unpack(struct unpacking *job, int fd, struct hl_error *err)
{
	int r = read_description(job, fd, err);

	return r ? r : unpack_payload(job, fd, err);
}
