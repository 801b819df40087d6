// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include "apt.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "deb.h"
#include "workspace.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>

#define FAMILY		  "debian:"
#define PACKAGE		  "linux-source-"
#define UNPACK_TIMEOUT_MS (20 * 60 * 1000)

/* What was asked for: "debian:SUITE/SERIES=VERSION". */
struct wanted {
	char *suite, *package, *version;
};

static void wanted_clear(struct wanted *wanted)
{
	free(wanted->suite);
	free(wanted->package);
	free(wanted->version);
}

void source_close(struct source *source)
{
	free(source->package);
	free(source->version);
	free(source->sha256);
	free(source->folder);
	free(source->tree);
	if (source->lock >= 0)
		close(source->lock);
	*source = (struct source)SOURCE_NONE;
}

/* ---- the name ---- */

static bool is_word(const char *text, size_t length)
{
	bool good = length && isalnum((unsigned char)*text);

	for (size_t i = 0; i < length; i++)
		good = good && (isalnum((unsigned char)text[i]) || strchr(".+~-", text[i]));
	return good;
}

static int parse_name(const char *name, struct wanted *wanted, struct hl_error *err)
{
	const char *rest = strncmp(name, FAMILY, strlen(FAMILY)) ? "" : name + strlen(FAMILY);
	const char *slash = strchr(rest, '/'), *series = slash ? slash + 1 : rest;
	size_t length = strcspn(series, "=");
	const char *version = series[length] ? series + length + 1 : NULL;

	if ((slash && !is_word(rest, (size_t)(slash - rest))) || !is_word(series, length) ||
	    !isdigit((unsigned char)*series) || (version && !is_word(version, strlen(version))))
		return hl_error_set(err, EINVAL,
				    "\"%s\" names no kernel sources: use debian:SERIES (debian:6.1) or "
				    "debian:SUITE/SERIES (debian:trixie/6.12), with =VERSION behind it for a "
				    "certain version of the package",
				    name);
	wanted->suite = slash ? strndup(rest, (size_t)(slash - rest)) : NULL;
	wanted->package = file_path(PACKAGE "%.*s", (int)length, series);
	wanted->version = version ? strdup(version) : NULL;
	return 0;
}

/* ---- what is there ---- */

static char *description_path(const struct source *source)
{
	return file_path("%s/source.json", source->folder);
}

static void json_cleanup(json_t **json)
{
	json_decref(*json);
}

/* What the tree was unpacked from; nothing of an unfinished one. */
static void read_description(struct source *source)
{
	cleanup_free char *path = description_path(source);
	cleanup_with(json_cleanup) json_t *json = json_load_file(path, 0, NULL);
	const char *version = json_string_value(json_object_get(json, "version"));
	const char *sha256 = json_string_value(json_object_get(json, "sha256"));

	if (!version || !sha256)
		return;
	source->version = strdup(version);
	source->sha256 = strdup(sha256);
}

static int write_description(const struct source *source, struct hl_error *err)
{
	cleanup_free char *path = description_path(source);
	cleanup_with(json_cleanup) json_t *json =
		json_pack("{ss ss ss}", "package", source->package, "version", source->version, "sha256",
			  source->sha256);
	cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

	return text ? file_write(path, text, strlen(text), err)
		    : hl_error_set(err, EINVAL, "describe %s: a text is not UTF-8", source->package);
}

static int lock_folder(struct source *source, const struct wanted *wanted, const struct progress *progress,
		       struct hl_error *err)
{
	cleanup_free char *name =
		file_path("sources/%s%s%s", wanted->suite ?: "", wanted->suite ? "-" : "", wanted->package);
	int r = file_cache_folder(name, &source->folder, err);

	if (r)
		return r;
	source->package = strdup(wanted->package);
	source->tree = file_path("%s/tree", source->folder);
	source->lock = open(source->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source->lock >= 0 && flock(source->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		progress_report(progress, "wait for another build from these sources", -1);
	if (source->lock < 0 || flock(source->lock, LOCK_EX))
		return hl_error_errno(err, errno, "lock %s", source->folder);
	return 0;
}

/* ---- what apt has ---- */

/* A package that apt serves; @package is "NAME" or "NAME=VERSION". */
struct served {
	char *package, *version, *sha256;
};

static void served_clear(struct served *served)
{
	free(served->package);
	free(served->version);
	free(served->sha256);
}

static int ask(const struct apt *apt, const struct wanted *wanted, struct served *served,
	       struct hl_error *err)
{
	cleanup_free char *paragraph = NULL;
	int r;

	served->package =
		file_path("%s%s%s", wanted->package, wanted->version ? "=" : "", wanted->version ?: "");
	r = apt_show(apt, (const char *const[]){served->package}, 1, &paragraph, err);
	if (r)
		return hl_error_set(err, ENOENT,
				    "apt does not know the package %s: are its lists up to date? apt-get "
				    "update; other suites are named debian:SUITE/SERIES",
				    served->package);
	served->version = deb_field(paragraph, "Version");
	served->sha256 = deb_field(paragraph, "SHA256");
	if (!served->version || !served->sha256)
		return hl_error_set(err, EIO, "apt-cache gives no version and SHA256 for %s",
				    served->package);
	return 0;
}

/* ---- unpack ---- */

struct download {
	const struct progress *progress;
	const char *text;
};

static void report_percent(void *context, int percent)
{
	const struct download *download = context;

	progress_report(download->progress, download->text, percent);
}

static int run(const char *const *command, struct hl_error *err)
{
	return process_run(command, UNPACK_TIMEOUT_MS, NULL, err);
}

/* The tree lies in the package as usr/src/linux-source-SERIES.tar.xz. */
static int unpack(const struct source *source, const char *package, const char *folder, struct hl_error *err)
{
	cleanup_free char *archive = file_path("%s/usr/src/%s.tar.xz", folder, source->package);
	cleanup_free char *tree = file_path("%s/tree", folder);
	int r = run((const char *const[]){"dpkg-deb", "-x", package, folder, NULL}, err);

	if (!r)
		r = file_make_folders(tree, err);
	if (!r)
		r = run((const char *const[]){"tar", "-C", tree, "--strip-components=1", "-xf", archive,
					      NULL},
			err);
	return r ? hl_error_prefix(err, "unpack %s", source->package) : 0;
}

/* From here on the folder holds no tree until the new one is complete. */
static int clear(const struct source *source, struct hl_error *err)
{
	static const char *const parts[] = {"source.json", "original", "created", "tree"};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(parts) / sizeof(*parts); i++) {
		cleanup_free char *path = file_path("%s/%s", source->folder, parts[i]);

		r = file_remove_tree(path, err);
	}
	return r;
}

static int take_tree(struct source *source, const struct served *served, const char *folder,
		     struct hl_error *err)
{
	cleanup_free char *tree = file_path("%s/tree", folder);
	int r = clear(source, err);

	if (r)
		return r;
	if (rename(tree, source->tree))
		return hl_error_errno(err, errno, "rename %s to %s", tree, source->tree);
	free(source->version);
	free(source->sha256);
	source->version = strdup(served->version);
	source->sha256 = strdup(served->sha256);
	return write_description(source, err);
}

static int fetch_into(struct source *source, const struct apt *apt, const struct served *served,
		      const struct progress *progress, const char *folder, struct hl_error *err)
{
	cleanup_free char *downloading = file_path("download %s %s", source->package, served->version);
	cleanup_free char *unpacking = file_path("unpack %s %s", source->package, served->version);
	cleanup_free char *pattern = file_path("%s/*.deb", folder);
	struct download download = {progress, downloading};
	glob_t files;
	int r;

	progress_report(progress, downloading, 0);
	r = apt_download(apt, (const char *const[]){served->package}, 1, folder, report_percent, &download,
			 err);
	if (r)
		return r;
	if (glob(pattern, 0, NULL, &files))
		return hl_error_set(err, EIO, "apt-get left no file for %s", served->package);
	progress_report(progress, unpacking, -1);
	r = unpack(source, files.gl_pathv[0], folder, err);
	globfree(&files);
	return r ? r : take_tree(source, served, folder, err);
}

static int fetch(struct source *source, const struct apt *apt, const struct served *served,
		 const struct progress *progress, struct hl_error *err)
{
	cleanup_with(workspace_close) struct workspace workspace = WORKSPACE_NONE;
	cleanup_free char *parent = NULL;
	int r = file_cache_folder("sources", &parent, err);

	if (!r)
		r = workspace_open(&workspace, parent, err);
	return r ? r : fetch_into(source, apt, served, progress, workspace.path, err);
}

static int bring_up_to_date(struct source *source, const struct wanted *wanted,
			    const struct progress *progress, struct hl_error *err)
{
	cleanup_with(served_clear) struct served served = {NULL, NULL, NULL};
	cleanup_with(apt_close) struct apt apt = {NULL};
	int r;

	if (wanted->version && source->version && !strcmp(wanted->version, source->version))
		return 0;
	progress_report(progress, "ask apt-cache", -1);
	r = apt_open(&apt, wanted->suite, err);
	if (!r)
		r = ask(&apt, wanted, &served, err);
	if (r)
		return source->version && !wanted->version ? 0 : r;
	if (source->sha256 && !strcmp(source->sha256, served.sha256))
		return 0;
	return fetch(source, &apt, &served, progress, err);
}

int source_open(const char *name, const struct progress *progress, struct source *source,
		struct hl_error *err)
{
	cleanup_with(wanted_clear) struct wanted wanted = {NULL, NULL, NULL};
	int r = parse_name(name, &wanted, err);

	if (r)
		return r;
	r = lock_folder(source, &wanted, progress, err);
	if (!r) {
		read_description(source);
		r = bring_up_to_date(source, &wanted, progress, err);
	}
	if (r)
		source_close(source);
	return r;
}
