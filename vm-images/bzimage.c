// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bzImage begins with a header (Documentation/arch/x86/boot.rst of the kernel), which says where in it the
 * compressed kernel is. The configuration of CONFIG_IKCONFIG lies in the kernel, compressed once more,
 * between two marks (kernel/configs.c).
 */
#include "bzimage.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SETUP_SECTORS	0x1f1
#define MAGIC		0x202
#define VERSION		0x206
#define KERNEL_VERSION	0x20e
#define PAYLOAD_OFFSET	0x248
#define PAYLOAD_LENGTH	0x24c
#define HEADER_END	0x250
#define PAYLOAD_VERSION 0x208 /* of the boot protocol: since then the header tells the payload */
#define SECTOR		512
#define KERNEL_LARGEST	(512U << 20)
#define SIZE_BEHIND	4
#define GZIP_MAGIC	"\x1f\x8b"
#define CONFIG_BEGIN	"IKCFG_ST"
#define CONFIG_END	"IKCFG_ED"

/* Bytes of a file, or of what was compressed in it. */
struct bytes {
	char *data;
	size_t size;
};

static void bytes_clear(struct bytes *bytes)
{
	free(bytes->data);
}

static void free_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

static uint32_t number_at(const struct bytes *image, size_t at, size_t width)
{
	uint32_t value = 0;

	memcpy(&value, image->data + at, width);
	return le32toh(value);
}

static int read_image(const char *path, struct bytes *image, struct hl_error *err)
{
	int r = file_read(path, &image->data, &image->size, err);

	if (r)
		return r;
	if (image->size < HEADER_END || memcmp(image->data + MAGIC, "HdrS", 4) != 0)
		return hl_error_set(err, EBADMSG, "%s is not the bzImage of a kernel", path);
	return 0;
}

int bzimage_release(const char *path, char **release, struct hl_error *err)
{
	cleanup_with(bytes_clear) struct bytes image = {NULL, 0};
	int r = read_image(path, &image, err);
	size_t at;

	if (r)
		return r;
	/* "6.1.0-56-cloud-amd64 (user@host) #1 SMP ..."; file_read() put a NUL behind the file. */
	at = number_at(&image, KERNEL_VERSION, 2) + SECTOR;
	if (at == SECTOR || at >= image.size)
		return hl_error_set(err, EBADMSG, "%s does not say which kernel it is", path);
	*release = strndup(image.data + at, strcspn(image.data + at, " \n"));
	return *release ? 0 : hl_error_errno(err, ENOMEM, "read %s", path);
}

/* ---- decompress ---- */

static struct archive *open_stream(const struct bytes *from)
{
	struct archive *stream = archive_read_new();
	struct archive_entry *entry;

	archive_read_support_filter_bzip2(stream);
	archive_read_support_filter_gzip(stream);
	archive_read_support_filter_lz4(stream);
	archive_read_support_filter_lzma(stream);
	archive_read_support_filter_xz(stream);
	archive_read_support_filter_zstd(stream);
	archive_read_support_format_raw(stream);
	/* A stream that no filter knows would come through as it is. */
	if (archive_read_open_memory(stream, from->data, from->size) == ARCHIVE_OK &&
	    archive_read_next_header(stream, &entry) == ARCHIVE_OK &&
	    archive_filter_code(stream, 0) != ARCHIVE_FILTER_NONE)
		return stream;
	archive_read_free(stream);
	return NULL;
}

/* What follows a stream is no error. */
static int decompress(const struct bytes *from, struct bytes *to)
{
	cleanup_with(free_archive) struct archive *stream = open_stream(from);
	size_t room = from->size * 4;
	la_ssize_t got = stream ? 1 : -1;

	while (got > 0) {
		char *larger = realloc(to->data, room + 1);

		if (!larger)
			return -ENOMEM;
		to->data = larger;
		got = archive_read_data(stream, to->data + to->size, room - to->size);
		to->size += got > 0 ? (size_t)got : 0;
		if (to->size == room)
			room *= 2;
		if (room > KERNEL_LARGEST)
			return -EBADMSG;
	}
	if (!to->size)
		return -EBADMSG;
	to->data[to->size] = '\0';
	return 0;
}

/*
 * The compressed kernel in an image: part of its bytes. The size of what it unpacks to stands at its end,
 * which is part of the format only with gzip; libarchive's xz filter loses the last block over it.
 */
static bool find_payload(const struct bytes *image, struct bytes *payload)
{
	size_t sectors = (unsigned char)image->data[SETUP_SECTORS];
	size_t at = ((sectors ? sectors : 4) + 1) * SECTOR + number_at(image, PAYLOAD_OFFSET, 4);
	size_t size = number_at(image, PAYLOAD_LENGTH, 4);

	if (number_at(image, VERSION, 2) < PAYLOAD_VERSION || size <= SIZE_BEHIND || at >= image->size ||
	    size > image->size - at)
		return false;
	*payload = (struct bytes){image->data + at, size};
	if (memcmp(payload->data, GZIP_MAGIC, strlen(GZIP_MAGIC)) != 0)
		payload->size -= SIZE_BEHIND;
	return true;
}

int bzimage_kernel(const char *path, char **data, size_t *size, struct hl_error *err)
{
	cleanup_with(bytes_clear) struct bytes image = {NULL, 0}, kernel = {NULL, 0};
	struct bytes payload;
	int r = read_image(path, &image, err);

	if (r)
		return r;
	if (!find_payload(&image, &payload) || decompress(&payload, &kernel))
		return hl_error_set(err, EBADMSG, "the kernel in %s cannot be decompressed here", path);
	*size = kernel.size;
	*data = take_pointer(kernel.data);
	return 0;
}

/* ---- configuration ---- */

static bool find_config(const struct bytes *kernel, struct bytes *packed)
{
	const char *begin = memmem(kernel->data, kernel->size, CONFIG_BEGIN, strlen(CONFIG_BEGIN));
	const char *end = memmem(kernel->data, kernel->size, CONFIG_END, strlen(CONFIG_END));

	if (!begin || !end || end < begin)
		return false;
	begin += strlen(CONFIG_BEGIN);
	*packed = (struct bytes){(char *)begin, (size_t)(end - begin)};
	return true;
}

int bzimage_config(const char *path, char **config, struct hl_error *err)
{
	cleanup_with(bytes_clear) struct bytes kernel = {NULL, 0}, text = {NULL, 0};
	struct bytes packed;
	int r = bzimage_kernel(path, &kernel.data, &kernel.size, err);

	if (r)
		return r;
	if (!find_config(&kernel, &packed))
		return hl_error_set(err, ENODATA, "%s was built without CONFIG_IKCONFIG", path);
	if (decompress(&packed, &text))
		return hl_error_set(err, EBADMSG, "the configuration in %s is damaged", path);
	*config = take_pointer(text.data);
	return 0;
}
