// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "cpio_tree.h"
#include "host_tool.h"
#include "modules.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Raise when equal requests give other bytes than before, so that old archives are not taken. */
#define LAYOUT "hanglab initramfs 1"

#define CACHE_ENTRIES	   32
#define CACHE_BYTES	   (2LL << 30)
#define CACHE_KEEP_SECONDS 60

/* ---- content ---- */

static int add_base(struct cpio_tree *tree, const struct initramfs_request *request, struct hl_error *err)
{
	static const char *const folders[] = {"/dev", "/modules", "/proc", "/run", "/sys", "/tmp"};
	int r = cpio_tree_add_file(tree, "/init", request->guest_program, NULL, 0755, err);

	for (size_t i = 0; !r && i < sizeof(folders) / sizeof(*folders); i++)
		r = cpio_tree_add_folder(tree, folders[i], err);
	return r;
}

static int add_module(struct cpio_tree *tree, const struct module *module, size_t number, FILE *order,
		      struct hl_error *err)
{
	cleanup_free char *path = file_path("/modules/%03zu-%s.ko", number, module->name);

	fprintf(order, "%s%s\n", module->optional ? "-" : "", path + strlen("/modules/"));
	return cpio_tree_add_file(tree, path, module->path, module_read, 0644, err);
}

static int add_module_list(struct cpio_tree *tree, const struct module_list *list, struct hl_error *err)
{
	cleanup_free char *text = NULL;
	size_t size = 0;
	FILE *order = open_memstream(&text, &size);
	int r = 0;

	if (!order)
		return hl_error_errno(err, errno, "list the modules");
	for (size_t i = 0; !r && i < list->count; i++)
		r = add_module(tree, &list->modules[i], i, order, err);
	if (fclose(order) && !r)
		r = hl_error_errno(err, errno, "list the modules");
	return r ? r : cpio_tree_add_data(tree, "/modules/order", text, size, 0644, err);
}

static int add_modules(struct cpio_tree *tree, const struct initramfs_request *request, struct hl_error *err)
{
	cleanup_with(module_list_clear) struct module_list list = {NULL, 0};
	int r = 0;

	if (request->module_count)
		r = modules_resolve(request->kernel, request->modules, request->module_count, &list, err);
	return r ? r : add_module_list(tree, &list, err);
}

static int add_tools(struct cpio_tree *tree, const struct initramfs_request *request, struct hl_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < request->tool_count; i++)
		r = host_tool_add(tree, request->tools[i], err);
	return r;
}

static int add_files(struct cpio_tree *tree, const struct initramfs_request *request, struct hl_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < request->file_count; i++) {
		const struct initramfs_file *file = &request->files[i];

		r = cpio_tree_add_data(tree, file->path, file->data, file->size, file->mode, err);
	}
	return r;
}

static int collect(struct cpio_tree *tree, const struct initramfs_request *request, struct hl_error *err)
{
	int r = add_base(tree, request, err);

	if (!r)
		r = add_modules(tree, request, err);
	/* Tools first: a file may lie behind a link that a tool brings (/lib -> usr/lib). */
	if (!r)
		r = add_tools(tree, request, err);
	return r ? r : add_files(tree, request, err);
}

/* ---- cache ---- */

/* An archive in the cache. */
struct cached {
	char *path;
	off_t size;
	time_t used;
};

static int compare_newest_first(const void *left, const void *right)
{
	const struct cached *a = left, *b = right;

	return (b->used > a->used) - (b->used < a->used);
}

static size_t list_cache(const char *folder, struct cached **list)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	*list = NULL;
	while (entries && (entry = readdir(entries))) {
		cleanup_free char *path = file_path("%s/%s", folder, entry->d_name);
		struct cached *larger;
		struct stat status;

		if (stat(path, &status) || !S_ISREG(status.st_mode))
			continue;
		larger = reallocarray(*list, count + 1, sizeof(*larger));
		if (!larger)
			break;
		*list = larger;
		larger[count++] = (struct cached){take_pointer(path), status.st_size, status.st_mtime};
	}
	if (entries)
		closedir(entries);
	return count;
}

/*
 * Remove the least recently used archives beyond the limits. One that was used a moment ago may be on
 * its way into a starting VM. A failure is no error: the next build tries again.
 */
static void trim(const char *folder)
{
	struct cached *list;
	size_t count = list_cache(folder, &list);
	time_t now = time(NULL);
	off_t total = 0;

	if (count)
		qsort(list, count, sizeof(*list), compare_newest_first);
	for (size_t i = 0; i < count; i++) {
		total += list[i].size;
		if ((i >= CACHE_ENTRIES || total > CACHE_BYTES) && list[i].used + CACHE_KEEP_SECONDS < now)
			unlink(list[i].path);
		free(list[i].path);
	}
	free(list);
}

static char *cache_path(struct cpio_tree *tree, const char *folder)
{
	struct sha256_ctx context;
	char key[HASH_TEXT_SIZE];

	sha256_init(&context);
	sha256_update(&context, sizeof(LAYOUT), (const uint8_t *)LAYOUT);
	cpio_tree_hash(tree, &context);
	hash_finish(&context, key);
	return file_path("%s/%s.cpio", folder, key);
}

static int write_archive(struct cpio_tree *tree, const char *folder, const char *path, struct hl_error *err)
{
	cleanup_fd int fd = file_open_unnamed(folder, err);
	int r;

	if (fd < 0)
		return fd;
	r = cpio_tree_write(tree, fd, err);
	return r ? r : file_publish(fd, path, err);
}

static int find_or_write(struct cpio_tree *tree, const char *folder, char **path, struct hl_error *err)
{
	cleanup_free char *archive = cache_path(tree, folder);

	int r;

	/* The modification time says when an archive was last used. */
	if (utimensat(AT_FDCWD, archive, NULL, 0)) {
		r = write_archive(tree, folder, archive, err);
		if (r) {
			hl_error_prefix(err, "build an initramfs in %s", folder);
			return r;
		}
		trim(folder);
	}
	*path = take_pointer(archive);
	return 0;
}

int initramfs_build(const struct initramfs_request *request, char **path, struct hl_error *err)
{
	cleanup_with(cpio_tree_clear) struct cpio_tree tree = {NULL, 0};
	cleanup_free char *folder = NULL;
	int r = collect(&tree, request, err);

	if (!r)
		r = file_cache_folder("initramfs", &folder, err);
	return r ? r : find_or_write(&tree, folder, path, err);
}
