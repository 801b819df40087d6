// SPDX-License-Identifier: GPL-2.0-or-later
#include "local_kernel.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "bzimage.h"
#include "kernel_store.h"
#include "kernel_tree.h"

#include <fts.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define TREE		"tree:"
#define IMAGE		"bzImage:"
#define COPY_TIMEOUT_MS (10 * 60 * 1000)

/* Where the parts of a kernel are; @modules and @config may be NULL. */
struct parts {
	char *tree, *image, *modules, *config;
};

static void parts_clear(struct parts *parts)
{
	free(parts->tree);
	free(parts->image);
	free(parts->modules);
	free(parts->config);
}

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool local_kernel_is(const char *name)
{
	return begins(name, TREE) || begins(name, IMAGE);
}

/* ---- the name ---- */

static int set_path(char **place, const char *path, struct hl_error *err)
{
	free(*place);
	*place = realpath(path, NULL);
	return *place ? 0 : hl_error_errno(err, errno, "open %s", path);
}

static int parse_word(struct parts *parts, const char *word, const char *name, struct hl_error *err)
{
	if (begins(word, "modules="))
		return set_path(&parts->modules, word + strlen("modules="), err);
	if (begins(word, "config="))
		return set_path(&parts->config, word + strlen("config="), err);
	return hl_error_set(
		err, EINVAL,
		"\"%s\" in \"%s\" is not known here: write bzImage:FILE,modules=FOLDER,config=FILE", word,
		name);
}

static int parse(const char *name, struct parts *parts, struct hl_error *err)
{
	cleanup_free char *words = NULL;
	char *position = NULL, *word;
	int r;

	if (begins(name, TREE))
		return set_path(&parts->tree, name + strlen(TREE), err);
	words = strdup(name + strlen(IMAGE));
	word = strtok_r(words, ",", &position);
	r = set_path(&parts->image, word ?: "", err);
	while (!r && (word = strtok_r(NULL, ",", &position)))
		r = parse_word(parts, word, name, err);
	return r;
}

/* ---- as it is now ---- */

static int add_content(struct sha256_ctx *context, const char *path, struct hl_error *err)
{
	char sha256[HASH_TEXT_SIZE];
	int r = hash_file(path, sha256, err);

	if (!r)
		sha256_update(context, sizeof(sha256), (const uint8_t *)sha256);
	return r;
}

/* Of modules it is enough whether one was written anew. */
static void add_times(struct sha256_ctx *context, const char *folder)
{
	FTS *walk = fts_open((char *const[]){(char *)folder, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	/* The order of the walk is that of the file system: sum up. */
	uint64_t sum[3] = {0};

	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_info != FTS_F || !strstr(entry->fts_name, ".ko"))
			continue;
		sum[0]++;
		sum[1] += (uint64_t)entry->fts_statp->st_size;
		sum[2] += (uint64_t)entry->fts_statp->st_mtim.tv_sec * 1000000000 +
			  (uint64_t)entry->fts_statp->st_mtim.tv_nsec;
	}
	if (walk)
		fts_close(walk);
	sha256_update(context, sizeof(sum), (const uint8_t *)sum);
}

static int hash_parts(const struct parts *parts, char *sha256, struct hl_error *err)
{
	struct sha256_ctx context;
	int r;

	sha256_init(&context);
	r = add_content(&context, parts->image, err);
	if (!r && parts->config)
		r = add_content(&context, parts->config, err);
	if (parts->tree || parts->modules)
		add_times(&context, parts->tree ?: parts->modules);
	hash_finish(&context, sha256);
	return r;
}

/* ---- into the store ---- */

static int copy(const char *from, const char *to, struct hl_error *err)
{
	return process_run((const char *const[]){"cp", "-r", "--", from, to, NULL}, COPY_TIMEOUT_MS, NULL,
			   err);
}

/* @to: folder of the store; its lib/modules/RELEASE does not exist yet */
static int copy_modules(const char *folder, const char *release, const char *to, struct hl_error *err)
{
	cleanup_free char *installed = file_path("%s/lib/modules/%s", folder, release);
	cleanup_free char *place = file_path("%s/lib/modules/%s", to, release);
	int r = copy(access(installed, F_OK) ? folder : installed, place, err);

	if (!r)
		kernel_tree_remove_links(to, release);
	return r;
}

static int fill_from_image(const struct parts *parts, const char *folder, struct kernel_package *package,
			   struct hl_error *err)
{
	cleanup_free char *image = file_path("%s/vmlinuz", folder), *config = file_path("%s/config", folder);
	cleanup_free char *release = NULL, *none = NULL;
	int r = bzimage_release(parts->image, &release, err);

	if (r)
		return r;
	none = file_path("%s/lib/modules%s%s", folder, parts->modules ? "" : "/",
			 parts->modules ? "" : release);
	r = file_make_folders(none, err);
	if (!r)
		r = copy(parts->image, image, err);
	if (!r && parts->config)
		r = copy(parts->config, config, err);
	if (!r && parts->modules)
		r = copy_modules(parts->modules, release, folder, err);
	if (r)
		return r;
	package->release = take_pointer(release);
	package->architecture = strdup("amd64");
	return 0;
}

static int fill(void *context, const char *folder, struct kernel_package *package, struct hl_error *err)
{
	const struct parts *parts = context;
	int r = parts->tree ? kernel_tree_install(parts->tree, folder, package, err)
			    : fill_from_image(parts, folder, package, err);

	if (!r)
		package->version = strdup(package->release);
	return r;
}

/* What a tree has is where make puts it. */
static int find_in_tree(struct parts *parts, struct hl_error *err)
{
	if (!parts->tree)
		return 0;
	parts->image = file_path("%s/" KERNEL_TREE_IMAGE, parts->tree);
	parts->config = file_path("%s/.config", parts->tree);
	return access(parts->image, R_OK)
		       ? hl_error_set(err, ENODATA, "no kernel was built in %s: there is no %s", parts->tree,
				      parts->image)
		       : 0;
}

int local_kernel_find(const char *name, struct kernel **kernel, struct hl_error *err)
{
	cleanup_with(parts_clear) struct parts parts = {NULL, NULL, NULL, NULL};
	cleanup_free char *stored = NULL;
	char sha256[HASH_TEXT_SIZE];
	int r = parse(name, &parts, err);

	if (r)
		return r;
	stored = parts.tree ? file_path(TREE "%s", parts.tree) : file_path(IMAGE "%s", parts.image);
	r = find_in_tree(&parts, err);
	if (!r)
		r = hash_parts(&parts, sha256, err);
	if (!r)
		r = kernel_store_find_package(stored, sha256, kernel, err);
	return r || *kernel ? r : kernel_store_put(stored, sha256, stored, fill, &parts, kernel, err);
}
