// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel_store.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "bzimage.h"
#include "package.h"
#include "workspace.h"

#include <ctype.h>
#include <dirent.h>
#include <jansson.h>
#include <string.h>

#define SCHEMA		  1
#define SHA256_SHOWN	  12
#define DEPMOD_TIMEOUT_MS (5 * 60 * 1000)

static int store_folder(char **folder, struct hl_error *err)
{
	return file_cache_folder("kernels", folder, err);
}

/* ---- kernel.json ---- */

static void json_cleanup(json_t **json)
{
	json_decref(*json);
}

static int write_description(const struct kernel *kernel, const char *folder, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/kernel.json", folder);
	cleanup_with(json_cleanup) json_t *json =
		json_pack("{si ss ss ss ss ss ss sb}", "schema", SCHEMA, "name", kernel->name, "release",
			  kernel->release, "version", kernel->version, "architecture", kernel->architecture,
			  "sha256", kernel->sha256, "source", kernel->source, "built", kernel->built);
	cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

	if (!text)
		return hl_error_set(err, EINVAL, "describe kernel %s: a text is not UTF-8", kernel->name);
	return file_write(path, text, strlen(text), err);
}

static char *copy_string(json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value ? strdup(value) : NULL;
}

/* The kernel in a folder, or NULL for a folder that is none (a workspace, something foreign). */
static struct kernel *read_kernel(const char *folder)
{
	cleanup_free char *path = file_path("%s/kernel.json", folder);
	cleanup_with(json_cleanup) json_t *json = json_load_file(path, 0, NULL);
	cleanup_with(kernel_cleanup) struct kernel *kernel = json ? calloc(1, sizeof(*kernel)) : NULL;

	if (!kernel || json_integer_value(json_object_get(json, "schema")) != SCHEMA)
		return NULL;
	kernel->name = copy_string(json, "name");
	kernel->release = copy_string(json, "release");
	kernel->version = copy_string(json, "version");
	kernel->architecture = copy_string(json, "architecture");
	kernel->sha256 = copy_string(json, "sha256");
	kernel->source = copy_string(json, "source");
	if (!kernel->name || !kernel->release || !kernel->version || !kernel->architecture ||
	    !kernel->sha256 || !kernel->source)
		return NULL;
	kernel->built = json_is_true(json_object_get(json, "built"));
	kernel->folder = file_path("%s", folder);
	kernel->vmlinuz = file_path("%s/vmlinuz", folder);
	kernel->config = file_path("%s/config", folder);
	kernel->modules = file_path("%s/lib/modules/%s", folder, kernel->release);
	return take_pointer(kernel);
}

/* ---- names ---- */

static int check_name(const char *name, struct hl_error *err)
{
	bool good = isalnum((unsigned char)name[0]);

	for (const char *c = name; *c; c++)
		good = good && (isalnum((unsigned char)*c) || strchr(":/.,_+~-", *c));
	if (!good)
		return hl_error_set(err, EINVAL,
				    "\"%s\" cannot name a kernel: use letters, digits and any of :/.,_+~-",
				    name);
	return 0;
}

/* "debian:6.1.0-56-cloud-amd64" -> "debian-6.1.0-56-cloud-amd64-0123456789ab" */
static char *folder_of(const char *store, const char *name, const char *sha256)
{
	char *path = file_path("%s/%s-%.*s", store, name, SHA256_SHOWN, sha256);

	for (char *c = path + strlen(store) + 1; *c; c++)
		if (strchr(":/", *c))
			*c = '-';
	return path;
}

size_t kernel_family_length(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash ? (size_t)(slash - name) : strcspn(name, ":");
}

/* ---- list ---- */

static int compare_kernels(const void *left, const void *right)
{
	const struct kernel *a = *(struct kernel *const *)left, *b = *(struct kernel *const *)right;
	size_t family_a = kernel_family_length(a->name), family_b = kernel_family_length(b->name);
	int order = strncmp(a->name, b->name, family_a < family_b ? family_a : family_b);

	if (!order)
		order = (family_a > family_b) - (family_a < family_b);
	if (!order)
		order = kernel_release_compare(a->release, b->release);
	if (!order)
		order = strcmp(a->name, b->name);
	if (!order)
		order = kernel_release_compare(a->version, b->version);
	return order ? order : strcmp(a->sha256, b->sha256);
}

static int append(struct kernel_list *list, struct kernel *kernel, struct hl_error *err)
{
	struct kernel **larger = reallocarray(list->kernels, list->count + 1, sizeof(*larger));

	if (!larger) {
		kernel_free(kernel);
		return hl_error_errno(err, ENOMEM, "list the kernels");
	}
	list->kernels = larger;
	list->kernels[list->count++] = kernel;
	return 0;
}

static int list_folder(DIR *folder, const char *store, struct kernel_list *list, struct hl_error *err)
{
	struct dirent *entry;
	int r = 0;

	while (!r && (entry = readdir(folder))) {
		cleanup_free char *path = file_path("%s/%s", store, entry->d_name);
		struct kernel *kernel = read_kernel(path);
		cleanup_free char *expected = kernel ? folder_of(store, kernel->name, kernel->sha256) : NULL;

		/* A workspace that is about to be published has a kernel.json too. */
		if (kernel && strcmp(path, expected))
			kernel_free(kernel);
		else if (kernel)
			r = append(list, kernel, err);
	}
	return r;
}

int kernel_store_list(struct kernel_list *list, struct hl_error *err)
{
	struct kernel_list found = {NULL, 0};
	cleanup_free char *store = NULL;
	DIR *folder;
	int r = store_folder(&store, err);

	if (r)
		return r;
	folder = opendir(store);
	if (!folder)
		return hl_error_errno(err, errno, "open %s", store);
	r = list_folder(folder, store, &found, err);
	closedir(folder);
	if (r) {
		kernel_list_free(&found);
		return r;
	}
	if (found.count)
		qsort(found.kernels, found.count, sizeof(*found.kernels), compare_kernels);
	*list = found;
	return 0;
}

/* ---- one package ---- */

int kernel_store_find_package(const char *name, const char *sha256, struct kernel **kernel,
			      struct hl_error *err)
{
	cleanup_free char *store = NULL, *folder = NULL;
	struct kernel *found;
	int r = store_folder(&store, err);

	if (r)
		return r;
	folder = folder_of(store, name, sha256);
	found = read_kernel(folder);
	if (found && (strcmp(found->name, name) || strcmp(found->sha256, sha256))) {
		kernel_free(found);
		found = NULL;
	}
	*kernel = found;
	return 0;
}

/* ---- add ---- */

/*
 * A name of the user's may stand for several versions of one release, but not for another release, and what
 * was built only gives way to what is built.
 */
static int check_free(const struct kernel *new, struct hl_error *err)
{
	cleanup_with(kernel_list_free) struct kernel_list list = {NULL, 0};
	int r = kernel_store_list(&list, err);

	for (size_t i = 0; !r && i < list.count; i++) {
		const struct kernel *other = list.kernels[i];

		if (!strcmp(other->name, new->name) &&
		    (new->built ? !other->built : other->built || strcmp(other->release, new->release)))
			r = hl_error_set(err, EEXIST, "the name \"%s\" belongs to the kernel %s in %s",
					 new->name, other->release, other->folder);
	}
	return r;
}

/*
 * modules.dep and the other indexes that libkmod reads. With -b, depmod looks below lib/ or usr/lib/,
 * as it was configured (kmod 33 and newer): the link serves both.
 */
static int run_depmod(const char *folder, const char *release, struct hl_error *err)
{
	const char *const command[] = {"depmod", "-b", folder, release, NULL};
	cleanup_free char *link = file_path("%s/usr", folder);
	int r;

	if (symlink(".", link))
		return hl_error_errno(err, errno, "create %s", link);
	r = process_run(command, DEPMOD_TIMEOUT_MS, NULL, err);
	unlink(link);
	if (r)
		hl_error_prefix(err, "index the modules of %s", release);
	return r;
}

/* A kernel that came without its configuration may tell it itself; when it does not, what needs it says so.
 */
static int add_config(const char *folder, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/config", folder), *image = file_path("%s/vmlinuz", folder);
	cleanup_free char *config = NULL;

	if (!access(path, F_OK) || bzimage_config(image, &config, NULL))
		return 0;
	return file_write(path, config, strlen(config), err);
}

static int complete(const char *folder, const struct kernel *kernel, struct hl_error *err)
{
	int r = check_name(kernel->name, err);

	if (!r)
		r = check_free(kernel, err);
	if (!r)
		r = add_config(folder, err);
	if (!r)
		r = run_depmod(folder, kernel->release, err);
	return r ? r : write_description(kernel, folder, err);
}

/* Names of the files, as one text. */
static char *sources_text(const char *const *paths, size_t count)
{
	char *text = file_path("%s", basename(paths[0]));

	for (size_t i = 1; i < count; i++) {
		cleanup_free char *old = text;

		text = file_path("%s %s", old, basename(paths[i]));
	}
	return text;
}

/* Packages that together hold a kernel: the context of unpack(). */
struct packages {
	const char *const *paths;
	size_t count;
};

static int unpack(void *context, const char *folder, struct kernel_package *package, struct hl_error *err)
{
	const struct packages *packages = context;

	return package_unpack_kernel(packages->paths, packages->count, folder, package, err);
}

/* @kernel: name (or NULL for its release), sha256, source and built are set. */
static int put(const char *store, struct kernel *kernel, kernel_fill fill, void *context,
	       struct hl_error *err)
{
	cleanup_with(workspace_close) struct workspace workspace = WORKSPACE_NONE;
	cleanup_with(kernel_package_clear) struct kernel_package package = {NULL, NULL, NULL, NULL};
	cleanup_free char *folder = NULL;
	int r = workspace_open(&workspace, store, err);

	if (!r)
		r = fill(context, workspace.path, &package, err);
	if (r)
		return r;
	kernel->name = kernel->name ?: package.release;
	kernel->release = package.release;
	kernel->version = package.version;
	kernel->architecture = package.architecture;
	r = complete(workspace.path, kernel, err);
	if (r)
		return r;
	folder = folder_of(store, kernel->name, kernel->sha256);
	return workspace_publish(&workspace, folder, err);
}

/* The kernel of a package; without a name, the one that is called by its release. */
static int find_added(const char *name, const char *sha256, struct kernel **kernel, struct hl_error *err)
{
	cleanup_with(kernel_list_free) struct kernel_list list = {NULL, 0};
	int r = kernel_store_list(&list, err);

	*kernel = NULL;
	for (size_t i = 0; !r && !*kernel && i < list.count; i++)
		if (!strcmp(list.kernels[i]->sha256, sha256) &&
		    !strcmp(list.kernels[i]->name, name ?: list.kernels[i]->release))
			*kernel = take_pointer(list.kernels[i]);
	return r;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

void kernel_store_combine(char (*each)[HASH_TEXT_SIZE], size_t count, char *sha256)
{
	struct sha256_ctx context;

	if (count == 1) {
		memcpy(sha256, each[0], HASH_TEXT_SIZE);
		return;
	}
	qsort(each, count, sizeof(*each), compare_texts);
	sha256_init(&context);
	for (size_t i = 0; i < count; i++)
		sha256_update(&context, HASH_TEXT_SIZE - 1, (const uint8_t *)each[i]);
	hash_finish(&context, sha256);
}

static int hash_packages(const char *const *paths, size_t count, char *sha256, struct hl_error *err)
{
	cleanup_free char(*each)[HASH_TEXT_SIZE] = calloc(count, sizeof(*each));
	int r = each ? 0 : hl_error_errno(err, ENOMEM, "hash %s", paths[0]);

	for (size_t i = 0; !r && i < count; i++)
		r = hash_file(paths[i], each[i], err);
	if (!r)
		kernel_store_combine(each, count, sha256);
	return r;
}

int kernel_store_add(const char *const *paths, size_t count, const char *name, struct kernel **kernel,
		     bool *added, struct hl_error *err)
{
	cleanup_with(kernel_cleanup) struct kernel *found = NULL;
	struct packages packages = {paths, count};
	cleanup_free char *store = NULL;
	char sha256[HASH_TEXT_SIZE];
	bool unpacked = false;
	int r = name ? check_name(name, err) : 0;

	if (!r)
		r = store_folder(&store, err);
	if (!r)
		r = hash_packages(paths, count, sha256, err);
	if (!r)
		r = find_added(name, sha256, &found, err);
	if (!r && !found) {
		cleanup_free char *source = sources_text(paths, count);
		struct kernel new = {.name = (char *)name, .sha256 = sha256, .source = source};

		unpacked = true;
		r = put(store, &new, unpack, &packages, err);
		if (!r)
			r = find_added(name, sha256, &found, err);
	}
	if (r)
		return r;
	if (!found)
		return hl_error_set(err, EIO, "the kernel of %s vanished from the store", paths[0]);
	if (added)
		*added = unpacked;
	*kernel = take_pointer(found);
	return 0;
}

/* ---- put what was built ---- */

/* A name leads to what was built last: earlier ones go. Their files are out of sight before they are removed.
 */
static int retire(const char *store, const struct kernel *old, struct hl_error *err)
{
	cleanup_with(workspace_close) struct workspace workspace = WORKSPACE_NONE;
	cleanup_free char *place = NULL;
	int r = workspace_open(&workspace, store, err);

	if (r)
		return r;
	place = file_path("%s/old", workspace.path);
	return rename(old->folder, place) ? hl_error_errno(err, errno, "remove %s", old->folder) : 0;
}

static int retire_others(const char *store, const char *name, const char *sha256, struct hl_error *err)
{
	cleanup_with(kernel_list_free) struct kernel_list list = {NULL, 0};
	int r = kernel_store_list(&list, err);

	for (size_t i = 0; !r && i < list.count; i++)
		if (!strcmp(list.kernels[i]->name, name) && strcmp(list.kernels[i]->sha256, sha256))
			r = retire(store, list.kernels[i], err);
	return r;
}

int kernel_store_check_name(const char *name, struct hl_error *err)
{
	static const char *const taken[] = {"debian:", "tree:", "bzImage:"};

	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (!strncmp(name, taken[i], strlen(taken[i])))
			return hl_error_set(
				err, EINVAL,
				"\"%s\" cannot name a kernel that is built here: names that begin with "
				"\"%s\" mean others",
				name, taken[i]);
	return check_name(name, err);
}

int kernel_store_put(const char *name, const char *sha256, const char *source, kernel_fill fill,
		     void *context, struct kernel **kernel, struct hl_error *err)
{
	struct kernel new = {
		.name = (char *)name,
		.sha256 = (char *)sha256,
		.source = (char *)source,
		.built = true,
	};
	cleanup_free char *store = NULL;
	int r = check_name(name, err);

	if (!r)
		r = store_folder(&store, err);
	if (!r)
		r = put(store, &new, fill, context, err);
	if (!r)
		r = retire_others(store, name, sha256, err);
	if (!r)
		r = kernel_store_find_package(name, sha256, kernel, err);
	return r || *kernel ? r : hl_error_set(err, EIO, "the kernel %s vanished from the store", name);
}
