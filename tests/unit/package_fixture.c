// SPDX-License-Identifier: GPL-2.0-or-later
#include "package_fixture.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <libgen.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define FULL_SIZE (1024 * 1024)

static char root[] = "/tmp/hanglab-unit-XXXXXX";
static pid_t owner;

static void remove_root(void)
{
	if (getpid() == owner)
		file_remove_tree(root, NULL);
}

const char *fixture_folder(void)
{
	static char path[64];
	static unsigned int number;
	cleanup_free char *cache = NULL;

	if (!number) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
		owner = getpid();
		atexit(remove_root);
	}
	snprintf(path, sizeof(path), "%s/%u", root, number++);
	cache = file_path("%s/cache", path);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0755), 0);
	setenv("XDG_CACHE_HOME", cache, 1);
	return path;
}

void fixture_write(const char *path, const void *data, size_t size)
{
	cleanup_free char *parent = file_path("%s", path);

	CU_ASSERT_EQUAL_FATAL(file_make_folders(dirname(parent), NULL), 0);
	CU_ASSERT_EQUAL_FATAL(file_write(path, data, size, NULL), 0);
}

void fixture_write_text(const char *path, const char *text)
{
	fixture_write(path, text, strlen(text));
	if (!strncmp(text, "#!", 2))
		CU_ASSERT_EQUAL_FATAL(chmod(path, 0755), 0);
}

/* ---- archives ---- */

struct buffer {
	char *data;
	size_t size;
};

static la_ssize_t buffer_write(struct archive *archive, void *context, const void *block, size_t size)
{
	struct buffer *buffer = context;

	(void)archive;
	buffer->data = realloc(buffer->data, buffer->size + size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(buffer->data);
	memcpy(buffer->data + buffer->size, block, size);
	buffer->size += size;
	return (la_ssize_t)size;
}

static void compress_as(struct archive *archive, enum packing packing)
{
	switch (packing) {
	case PACKED_GZIP:
		archive_write_add_filter_gzip(archive);
		break;
	case PACKED_XZ:
		archive_write_add_filter_xz(archive);
		break;
	case PACKED_ZSTD:
		archive_write_add_filter_zstd(archive);
		break;
	default:
		archive_write_add_filter_none(archive);
	}
}

static struct archive *open_buffer(struct buffer *buffer)
{
	struct archive *archive = archive_write_new();

	*buffer = (struct buffer){NULL, 0};
	archive_write_set_bytes_in_last_block(archive, 1);
	return archive;
}

static void add_member(struct archive *archive, const char *path, const char *link, const void *data,
		       size_t size)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, link ? AE_IFLNK : AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_mtime(entry, 0, 0);
	if (link)
		archive_entry_set_symlink(entry, link);
	archive_entry_set_size(entry, (la_int64_t)size);
	CU_ASSERT_EQUAL_FATAL(archive_write_header(archive, entry), ARCHIVE_OK);
	CU_ASSERT_EQUAL_FATAL(archive_write_data(archive, data, size), (la_ssize_t)size);
	archive_entry_free(entry);
}

static void close_buffer(struct archive *archive)
{
	CU_ASSERT_EQUAL_FATAL(archive_write_close(archive), ARCHIVE_OK);
	archive_write_free(archive);
}

static struct buffer make_tar(const struct packed_file *files, enum packing packing)
{
	struct buffer buffer;
	struct archive *tar = open_buffer(&buffer);

	archive_write_set_format_gnutar(tar);
	compress_as(tar, packing);
	archive_write_open(tar, &buffer, NULL, buffer_write, NULL);
	for (; files->path; files++)
		add_member(tar, files->path, files->link, files->text, files->link ? 0 : strlen(files->text));
	close_buffer(tar);
	return buffer;
}

void fixture_write_compressed(const char *path, const void *data, size_t size, enum packing packing)
{
	struct buffer buffer;
	struct archive *stream = open_buffer(&buffer);

	archive_write_set_format_raw(stream);
	compress_as(stream, packing);
	archive_write_open(stream, &buffer, NULL, buffer_write, NULL);
	add_member(stream, "data", NULL, data, size);
	close_buffer(stream);
	fixture_write(path, buffer.data, buffer.size);
	free(buffer.data);
}

void fixture_write_deb(const char *path, const char *control, const struct packed_file *files,
		       enum packing packing)
{
	static const char *const endings[PACKINGS] = {"", ".gz", ".xz", ".zst"};
	const struct packed_file control_files[] = {{"./control", control, NULL}, {NULL, NULL, NULL}};
	cleanup_free char *control_name = file_path("control.tar%s", endings[packing]);
	cleanup_free char *data_name = file_path("data.tar%s", endings[packing]);
	struct buffer package, control_tar = make_tar(control_files, packing),
			       data_tar = make_tar(files, packing);
	struct archive *ar = open_buffer(&package);

	archive_write_set_format_ar_bsd(ar);
	archive_write_open(ar, &package, NULL, buffer_write, NULL);
	add_member(ar, "debian-binary", NULL, "2.0\n", 4);
	add_member(ar, control_name, NULL, control_tar.data, control_tar.size);
	add_member(ar, data_name, NULL, data_tar.data, data_tar.size);
	close_buffer(ar);
	fixture_write(path, package.data, package.size);
	free(package.data);
	free(control_tar.data);
	free(data_tar.data);
}

void fixture_write_kernel_deb(const char *path, const char *release, const char *version)
{
	cleanup_free char *control =
		file_path("Package: linux-image-%s\nVersion: %s\nArchitecture: amd64\n", release, version);
	cleanup_free char *vmlinuz = file_path("./boot/vmlinuz-%s", release);
	cleanup_free char *config = file_path("./boot/config-%s", release);
	cleanup_free char *order = file_path("./lib/modules/%s/modules.order", release);
	cleanup_free char *builtin = file_path("./lib/modules/%s/modules.builtin", release);
	const struct packed_file files[] = {
		{vmlinuz, "not really a kernel", NULL},
		{config, "CONFIG_MODULES=y\n", NULL},
		{order, "", NULL},
		{builtin, "", NULL},
		{NULL, NULL, NULL},
	};

	fixture_write_deb(path, control, files, PACKED_ZSTD);
}

/* ---- folders ---- */

size_t fixture_count(const char *folder, const char *prefix)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	while (entries && (entry = readdir(entries)))
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
			 !strncmp(entry->d_name, prefix, strlen(prefix));
	if (entries)
		closedir(entries);
	return count;
}

/* In a mount namespace of our own: the mount is gone with this process, however it ends. */
bool fixture_mount_full(const char *path)
{
	cleanup_free char *options = file_path("size=%d", FULL_SIZE);
	cleanup_free char *filler = file_path("%s/filler", path), *zeros = calloc(1, FULL_SIZE - 64 * 1024);

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    file_make_folders(path, NULL) || mount("hanglab-full", path, "tmpfs", 0, options)) {
		printf("SKIP: may not mount a file system to fill up: %s ", strerror(errno));
		return false;
	}
	fixture_write(filler, zeros, FULL_SIZE - 64 * 1024);
	return true;
}

void fixture_unmount(const char *path)
{
	CU_ASSERT_EQUAL(umount(path), 0);
}
