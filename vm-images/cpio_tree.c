// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpio_tree.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fiu-local.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define WRITE_SIZE (1024 * 1024)

enum cpio_kind { CPIO_FOLDER, CPIO_LINK, CPIO_FILE };

/*
 * One entry: a link has @text as its target; a file has @text as its path on this machine, or NULL
 * and its content in @data.
 */
struct cpio_entry {
	enum cpio_kind kind;
	char *path;
	mode_t mode;
	char *text;
	cpio_reader reader;
	struct stat status;
	void *data;
	size_t size;
};

void cpio_tree_clear(struct cpio_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->entries[i].path);
		free(tree->entries[i].text);
		free(tree->entries[i].data);
	}
	free(tree->entries);
	*tree = (struct cpio_tree){NULL, 0};
}

static struct cpio_entry *find(const struct cpio_tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->count; i++)
		if (!strcmp(tree->entries[i].path, path))
			return &tree->entries[i];
	return NULL;
}

static int add_parents(struct cpio_tree *tree, const char *path, struct hl_error *err)
{
	cleanup_free char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;
	struct cpio_entry *there;

	if (!slash || slash == parent)
		return 0;
	*slash = '\0';
	there = find(tree, parent);
	/* Behind a link to a folder is as good as in a folder. */
	return there && there->kind == CPIO_LINK ? 0 : cpio_tree_add_folder(tree, parent, err);
}

/* Takes over what @entry owns, also on failure; @entry->path is copied. */
static int add(struct cpio_tree *tree, struct cpio_entry entry, struct hl_error *err)
{
	struct cpio_entry *larger;
	int r = entry.path[0] == '/'
			? add_parents(tree, entry.path, err)
			: hl_error_set(err, EINVAL, "\"%s\" is not an absolute path", entry.path);

	larger = r ? NULL : reallocarray(tree->entries, tree->count + 1, sizeof(*larger));
	if (!larger) {
		free(entry.text);
		free(entry.data);
		return r ? r : hl_error_errno(err, ENOMEM, "add %s", entry.path);
	}
	tree->entries = larger;
	entry.path = file_path("%s", entry.path);
	larger[tree->count++] = entry;
	return 0;
}

static int taken(const char *path, struct hl_error *err)
{
	return hl_error_set(err, EEXIST, "two different things are to be %s in the initramfs", path);
}

static bool has_text(const struct cpio_entry *entry, enum cpio_kind kind, const char *text)
{
	return entry->kind == kind && entry->text && !strcmp(entry->text, text);
}

int cpio_tree_add_folder(struct cpio_tree *tree, const char *path, struct hl_error *err)
{
	const struct cpio_entry *there = find(tree, path);

	if (there)
		return there->kind == CPIO_FOLDER ? 0 : taken(path, err);
	return add(tree, (struct cpio_entry){.kind = CPIO_FOLDER, .path = (char *)path, .mode = 0755}, err);
}

int cpio_tree_add_link(struct cpio_tree *tree, const char *path, const char *target, struct hl_error *err)
{
	const struct cpio_entry *there = find(tree, path);

	if (there)
		return has_text(there, CPIO_LINK, target) ? 0 : taken(path, err);
	return add(tree,
		   (struct cpio_entry){
			   .kind = CPIO_LINK,
			   .path = (char *)path,
			   .mode = 0777,
			   .text = file_path("%s", target),
		   },
		   err);
}

int cpio_tree_add_file(struct cpio_tree *tree, const char *path, const char *source, cpio_reader reader,
		       mode_t mode, struct hl_error *err)
{
	const struct cpio_entry *there = find(tree, path);
	struct cpio_entry entry = {.kind = CPIO_FILE, .path = (char *)path, .reader = reader, .mode = mode};

	if (there)
		return has_text(there, CPIO_FILE, source) ? 0 : taken(path, err);
	if (stat(source, &entry.status))
		return hl_error_errno(err, errno, "open %s", source);
	if (!S_ISREG(entry.status.st_mode))
		return hl_error_set(err, EINVAL, "%s is not a regular file", source);
	entry.text = file_path("%s", source);
	return add(tree, entry, err);
}

int cpio_tree_add_data(struct cpio_tree *tree, const char *path, const void *data, size_t size, mode_t mode,
		       struct hl_error *err)
{
	struct cpio_entry entry = {.kind = CPIO_FILE, .path = (char *)path, .mode = mode, .size = size};

	if (find(tree, path))
		return taken(path, err);
	entry.data = malloc(size + 1);
	if (!entry.data)
		return hl_error_errno(err, ENOMEM, "add %s", path);
	memcpy(entry.data, data, size);
	return add(tree, entry, err);
}

/* ---- hash ---- */

static void hash_bytes(struct sha256_ctx *context, const void *data, size_t size)
{
	uint64_t length = size;

	sha256_update(context, sizeof(length), (const uint8_t *)&length);
	sha256_update(context, size, data);
}

static void hash_entry(struct sha256_ctx *context, const struct cpio_entry *entry)
{
	const uint64_t numbers[] = {
		entry->kind,
		entry->mode,
		entry->reader != NULL,
		entry->status.st_dev,
		entry->status.st_ino,
		(uint64_t)entry->status.st_size,
		(uint64_t)entry->status.st_mtim.tv_sec,
		(uint64_t)entry->status.st_mtim.tv_nsec,
	};

	hash_bytes(context, entry->path, strlen(entry->path));
	hash_bytes(context, numbers, sizeof(numbers));
	hash_bytes(context, entry->text ?: "", entry->text ? strlen(entry->text) : 0);
	hash_bytes(context, entry->data ?: "", entry->size);
}

void cpio_tree_hash(const struct cpio_tree *tree, struct sha256_ctx *context)
{
	for (size_t i = 0; i < tree->count; i++)
		hash_entry(context, &tree->entries[i]);
}

/* ---- write ---- */

static void free_writer(struct archive **writer)
{
	archive_write_free(*writer);
}

static void free_header(struct archive_entry **header)
{
	archive_entry_free(*header);
}

static la_ssize_t write_block(struct archive *writer, void *context, const void *block, size_t size)
{
	int r = file_write_all(*(int *)context, block, size);

	fiu_do_on("initramfs/write", r = -ENOSPC);
	if (!r)
		return (la_ssize_t)size;
	archive_set_error(writer, -r, "%s", strerror(-r));
	return -1;
}

static int write_failed(struct archive *writer, struct hl_error *err)
{
	int code = archive_errno(writer);

	return hl_error_set(err, code > 0 ? code : EIO, "write the initramfs: %s",
			    archive_error_string(writer));
}

static int read_plain(const char *path, void **data, size_t *size, struct hl_error *err)
{
	return file_read(path, (char **)data, size, err);
}

static struct archive_entry *make_header(const struct cpio_entry *entry, size_t size)
{
	static const mode_t types[] = {
		[CPIO_FOLDER] = AE_IFDIR, [CPIO_LINK] = AE_IFLNK, [CPIO_FILE] = AE_IFREG};
	struct archive_entry *header = archive_entry_new();

	if (!header)
		return NULL;
	archive_entry_set_pathname(header, entry->path + 1);
	archive_entry_set_filetype(header, types[entry->kind]);
	archive_entry_set_perm(header, entry->mode);
	archive_entry_set_nlink(header, 1);
	archive_entry_set_mtime(header, 0, 0);
	archive_entry_set_size(header, (la_int64_t)size);
	if (entry->kind == CPIO_LINK)
		archive_entry_set_symlink(header, entry->text);
	return header;
}

static int write_entry(struct archive *writer, const struct cpio_entry *entry, struct hl_error *err)
{
	cleanup_with(free_header) struct archive_entry *header = NULL;
	cleanup_free void *loaded = NULL;
	const void *content = entry->data;
	size_t size = entry->size;
	int r = 0;

	if (entry->kind == CPIO_FILE && entry->text) {
		r = (entry->reader ?: read_plain)(entry->text, &loaded, &size, err);
		content = loaded;
	}
	if (r)
		return r;
	header = make_header(entry, size);
	if (!header)
		return hl_error_errno(err, ENOMEM, "write the initramfs");
	if (archive_write_header(writer, header) != ARCHIVE_OK ||
	    (size && archive_write_data(writer, content, size) != (la_ssize_t)size))
		return write_failed(writer, err);
	return 0;
}

int cpio_tree_write(const struct cpio_tree *tree, int fd, struct hl_error *err)
{
	cleanup_with(free_writer) struct archive *writer = archive_write_new();
	int r = 0;

	archive_write_set_format_cpio_newc(writer);
	archive_write_set_bytes_per_block(writer, WRITE_SIZE);
	archive_write_set_bytes_in_last_block(writer, 1);
	if (archive_write_open(writer, &fd, NULL, write_block, NULL) != ARCHIVE_OK)
		return write_failed(writer, err);
	for (size_t i = 0; !r && i < tree->count; i++)
		r = write_entry(writer, &tree->entries[i], err);
	if (!r && archive_write_close(writer) != ARCHIVE_OK)
		r = write_failed(writer, err);
	return r;
}
