// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "debug_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE (128 * 1024)

static void free_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

static struct archive *new_archive(void)
{
	struct archive *archive = archive_read_new();

	if (archive) {
		archive_read_support_filter_all(archive);
		archive_read_support_format_all(archive);
	}
	return archive;
}

/* An archive in an archive: data.tar.xz of a .deb. */
struct nested {
	struct archive *outer;
	char buffer[READ_SIZE];
};

static la_ssize_t read_nested(struct archive *archive, void *data, const void **buffer)
{
	struct nested *nested = data;
	la_ssize_t got = archive_read_data(nested->outer, nested->buffer, sizeof(nested->buffer));

	if (got < 0)
		archive_set_error(archive, EIO, "%s", archive_error_string(nested->outer));
	*buffer = nested->buffer;
	return got;
}

static int save_entry(struct archive *archive, struct hl_error *err)
{
	const char *folder = getenv("TMPDIR");
	cleanup_fd int fd = open(folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return hl_error_errno(err, errno, "temporary file in %s", folder ? folder : "/var/tmp");
	if (archive_read_data_into_fd(archive, fd) != ARCHIVE_OK)
		return hl_error_set(err, EIO, "%s", archive_error_string(archive));
	return take_fd(&fd);
}

/* "ext4.ko", "ext4.ko.debug"; files have "-" where the kernel prints "_". @module NULL: "vmlinux-6.1.0". */
static bool is_wanted(const char *path, const char *module)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (!module)
		return strncmp(name, "vmlinux", 7) == 0;
	for (; *module; module++, name++)
		if (*name != *module && !(*name == '-' && *module == '_'))
			return false;
	return strcmp(name, ".ko") == 0 || strcmp(name, ".ko.debug") == 0;
}

/* Return: a descriptor of an unnamed file with a copy, -ENOENT when it is not there, or -errno. */
static int find_in_archive(struct archive *archive, const char *module, struct hl_error *err)
{
	struct archive_entry *entry;
	int status;

	while ((status = archive_read_next_header(archive, &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
		const char *name = archive_entry_pathname(entry);

		if (!name)
			continue;
		if (is_wanted(name, module) && archive_entry_filetype(entry) == AE_IFREG)
			return save_entry(archive, err);
		if (strncmp(name, "data.tar", 8) == 0) {
			struct archive *inner cleanup_with(free_archive) = new_archive();
			cleanup_free struct nested *nested = malloc(sizeof(*nested));

			if (!inner || !nested)
				return hl_error_set(err, ENOMEM, "no memory");
			nested->outer = archive;
			if (archive_read_open(inner, nested, NULL, read_nested, NULL) != ARCHIVE_OK)
				return hl_error_set(err, EIO, "%s", archive_error_string(inner));
			return find_in_archive(inner, module, err);
		}
	}
	if (status != ARCHIVE_EOF)
		return hl_error_set(err, EIO, "%s", archive_error_string(archive));
	return hl_error_set(err, ENOENT, "holds no %s", module ? module : "vmlinux");
}

static int open_package(int fd, const char *module, struct hl_error *err)
{
	struct archive *archive cleanup_with(free_archive) = new_archive();

	if (!archive)
		return hl_error_set(err, ENOMEM, "no memory");
	if (archive_read_open_fd(archive, fd, READ_SIZE) != ARCHIVE_OK)
		return hl_error_set(err, EINVAL, "neither an ELF file nor a package");
	return find_in_archive(archive, module, err);
}

static int find_in_folder(const char *folder, const char *module)
{
	char *const roots[] = {(char *)folder, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *entry;
	int fd = -ENOENT;

	while (walk && fd < 0 && (entry = fts_read(walk)))
		if (entry->fts_info == FTS_F && is_wanted(entry->fts_path, module))
			fd = open(entry->fts_path, O_RDONLY | O_CLOEXEC);
	if (walk)
		fts_close(walk);
	return fd < 0 ? -ENOENT : fd;
}

/*
 * Debian has /usr/lib/debug/boot/vmlinux-RELEASE beside /usr/lib/debug/lib/modules/RELEASE; elsewhere, and
 * where a kernel was built, modules are in folders below the one that vmlinux is in.
 */
static int open_module_beside(const char *path, const char *module)
{
	cleanup_free char *real = realpath(path, NULL), *folder = NULL;
	char *name = real ? strrchr(real, '/') : NULL;

	if (!name)
		return -ENOENT;
	*name++ = '\0';
	if (strcmp(name, "vmlinux") == 0 || strcmp(name, "vmlinux.debug") == 0)
		return find_in_folder(real, module);
	if (strncmp(name, "vmlinux-", 8) != 0 ||
	    asprintf(&folder, "%s/../lib/modules/%s", real, name + strlen("vmlinux-")) < 0)
		return -ENOENT;
	return find_in_folder(folder, module);
}

int debug_file_open(const char *path, const char *module, struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[4] = "";
	int found;

	if (fd < 0)
		return hl_error_errno(err, errno, "open");
	if (pread(fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) || memcmp(magic, "\177ELF", 4) != 0)
		return open_package(fd, module, err);
	if (!module)
		return take_fd(&fd);
	found = open_module_beside(path, module);
	return found < 0 ? hl_error_set(err, -found, "no %s.ko beside it", module) : found;
}
