// SPDX-License-Identifier: GPL-2.0-or-later
#include "build.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "kconfig.h"
#include "kernel_store.h"
#include "kernel_tree.h"
#include "source.h"
#include "tree_build.h"

#include <jansson.h>
#include <string.h>

#define COMPILER_TIMEOUT_MS 10000
/* Raise when equal requests give other kernels than before. */
#define LAYOUT		    "hanglab kernel build 1"

/* What is known of a build once everything that goes into it was read. */
struct work {
	const struct build *build;
	const struct progress *progress;
	struct source source;
	struct kconfig config;
	char *config_text, *compiler;
	char (*patches)[HASH_TEXT_SIZE];
	char config_sha256[HASH_TEXT_SIZE], sha256[HASH_TEXT_SIZE];
};

static void work_clear(struct work *work)
{
	source_close(&work->source);
	kconfig_clear(&work->config);
	free(work->config_text);
	free(work->compiler);
	free(work->patches);
}

/* ---- what goes in ---- */

static int read_compiler(char **compiler, struct hl_error *err)
{
	int r = process_run((const char *const[]){"gcc", "--version", NULL}, COMPILER_TIMEOUT_MS, compiler,
			    err);

	if (!r)
		(*compiler)[strcspn(*compiler, "\n")] = '\0';
	return r;
}

static void hash_text(const char *text, char *sha256)
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, strlen(text), (const uint8_t *)text);
	hash_finish(&context, sha256);
}

static void add_text(struct sha256_ctx *context, const char *text)
{
	sha256_update(context, strlen(text) + 1, (const uint8_t *)text);
}

static void hash_inputs(struct work *work)
{
	struct sha256_ctx context;

	sha256_init(&context);
	add_text(&context, LAYOUT);
	add_text(&context, work->source.sha256);
	add_text(&context, work->config.rest_off ? "off" : "default");
	add_text(&context, work->config_sha256);
	add_text(&context, work->compiler);
	for (size_t i = 0; i < work->build->patch_count; i++)
		add_text(&context, work->patches[i]);
	hash_finish(&context, work->sha256);
}

static int read_inputs(struct work *work, struct hl_error *err)
{
	const struct build *build = work->build;
	int r = kconfig_read(build->config, build->fragments, build->fragment_count, &work->config, err);

	if (r)
		return r;
	work->config_text = kconfig_text(&work->config);
	hash_text(work->config_text, work->config_sha256);
	work->patches = calloc(build->patch_count + 1, sizeof(*work->patches));
	if (!work->patches)
		return hl_error_errno(err, ENOMEM, "read the patches");
	for (size_t i = 0; !r && i < build->patch_count; i++)
		r = hash_file(build->patches[i], work->patches[i], err);
	if (!r)
		r = tree_build_check_programs(err);
	if (!r)
		r = read_compiler(&work->compiler, err);
	if (!r)
		r = source_open(build->source, work->progress, &work->source, err);
	if (!r)
		hash_inputs(work);
	return r;
}

static int compile(struct work *work, struct hl_error *err)
{
	cleanup_free char *name = file_path("%s %s", work->source.package, work->source.version);
	const struct tree_build build = {work->source.tree, name, work->source.folder, &work->config,
					 work->build->jobs};

	return tree_build(&build, work->progress, err);
}

/* ---- into the store ---- */

static void json_cleanup(json_t **json)
{
	json_decref(*json);
}

static json_t *describe_patches(const struct work *work)
{
	json_t *list = json_array();

	for (size_t i = 0; i < work->build->patch_count; i++)
		json_array_append_new(list, json_pack("{ss ss}", "file", basename(work->build->patches[i]),
						      "sha256", work->patches[i]));
	return list;
}

static json_t *describe_config(const struct work *work)
{
	json_t *files = json_array();

	for (size_t i = 0; i < work->config.count; i++)
		json_array_append_new(files, json_string(basename(work->config.parts[i].path)));
	return json_pack("{so ss sb}", "files", files, "sha256", work->config_sha256, "rest_off",
			 work->config.rest_off);
}

static int write_provenance(const struct work *work, const char *folder, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/build.json", folder);
	cleanup_free char *image = file_path("%s/vmlinuz", folder);
	char sha256[HASH_TEXT_SIZE];
	int r = hash_file(image, sha256, err);

	if (r)
		return r;
	cleanup_with(json_cleanup) json_t *json = json_pack(
		"{s{ss ss ss} so so ss ss}", "source", "package", work->source.package, "version",
		work->source.version, "sha256", work->source.sha256, "patches", describe_patches(work),
		"config", describe_config(work), "compiler", work->compiler, "vmlinuz_sha256", sha256);
	cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

	return text ? file_write(path, text, strlen(text), err)
		    : hl_error_set(err, EINVAL, "describe the build: a text is not UTF-8");
}

static int fill(void *context, const char *folder, struct kernel_package *package, struct hl_error *err)
{
	struct work *work = context;
	int r = kernel_tree_install(work->source.tree, folder, package, err);

	if (r)
		return r;
	package->version = strdup(work->source.version);
	return write_provenance(work, folder, err);
}

/* "linux-source-6.1 6.1.192-2, thp.patch" */
static char *describe(const struct work *work)
{
	char *text = file_path("%s %s", work->source.package, work->source.version);

	for (size_t i = 0; i < work->build->patch_count; i++) {
		cleanup_free char *old = text;

		text = file_path("%s, %s", old, basename(work->build->patches[i]));
	}
	return text;
}

static int build_anew(struct work *work, struct kernel **kernel, struct hl_error *err)
{
	const struct build *build = work->build;
	cleanup_free char *description = describe(work);
	int r = source_patch(&work->source, build->patches, build->patch_count, err);

	if (!r)
		r = compile(work, err);
	return r ? r : kernel_store_put(build->name, work->sha256, description, fill, work, kernel, err);
}

int kernel_build(const struct build *build, const struct progress *progress, struct kernel **kernel,
		 bool *built, struct hl_error *err)
{
	cleanup_with(work_clear) struct work work = {build, progress, .source = SOURCE_NONE};
	struct kernel *found = NULL;
	int r = kernel_store_check_name(build->name, err);

	if (!r)
		r = read_inputs(&work, err);
	if (!r)
		r = kernel_store_find_package(build->name, work.sha256, &found, err);
	*built = !r && !found;
	if (*built)
		r = build_anew(&work, &found, err);
	if (!r)
		*kernel = found;
	return r;
}
