// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch_debian.h"

#include "apt.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "deb.h"
#include "kernel_store.h"
#include "workspace.h"

#include <ctype.h>
#include <glob.h>
#include <string.h>

#define FAMILY	   "debian"
#define IMAGE	   "linux-image-"
#define CURRENT	   KERNEL_DEBIAN_FLAVOUR /* linux-image-cloud-amd64 depends on today's release */
#define DEBUG	   "-dbg"
#define META_HOPS  3
#define NEAREST	   3
#define MOST_PARTS 4

/**
 * struct request - what was asked for
 * @name: what the kernel will be called in the store but for the release: "debian:", "debian:bullseye/"
 * @what: release, version, or CURRENT
 */
struct request {
	const struct progress *progress;
	struct apt apt;
	char *name;
	const char *what;
};

/**
 * struct candidate - what apt-cache says about a kernel
 * @packages: the packages that make it up, the one called IMAGE + release first; "=VERSION" behind those
 *	whose version is given: apt takes both forms
 */
struct candidate {
	char *packages[MOST_PARTS];
	char sha256[MOST_PARTS][HASH_TEXT_SIZE];
	size_t count;
	char *release;
	double megabytes;
};

static void candidate_clear(struct candidate *candidate)
{
	for (size_t i = 0; i < candidate->count; i++)
		free(candidate->packages[i]);
	free(candidate->release);
	memset(candidate, 0, sizeof(*candidate));
}

/* ---- which package ---- */

struct releases {
	char **names;
	size_t count;
};

static void releases_clear(struct releases *releases)
{
	for (size_t i = 0; i < releases->count; i++)
		free(releases->names[i]);
	free(releases->names);
}

static int compare_releases(const void *a, const void *b)
{
	return kernel_release_compare(*(char *const *)a, *(char *const *)b);
}

/* The releases of a flavour among the package names that apt knows, oldest first. */
static void collect_releases(const char *package_names, const char *flavour, struct releases *releases)
{
	cleanup_free char *lines = file_path("%s", package_names);
	char *position = NULL;

	for (char *line = strtok_r(lines, "\n", &position); line; line = strtok_r(NULL, "\n", &position)) {
		const char *release = line + strlen(IMAGE);
		char **larger;

		if (strncmp(line, IMAGE, strlen(IMAGE)) || *release < '0' || *release > '9' ||
		    strcmp(kernel_flavour(release), flavour))
			continue;
		larger = reallocarray(releases->names, releases->count + 1, sizeof(*larger));
		if (!larger)
			return;
		releases->names = larger;
		releases->names[releases->count++] = file_path("%s", release);
	}
	if (releases->count)
		qsort(releases->names, releases->count, sizeof(*releases->names), compare_releases);
}

/* The releases just below and above the one asked for, as ", "-separated text. */
static char *nearest_releases(const struct apt *apt, const char *wanted)
{
	cleanup_with(releases_clear) struct releases known = {NULL, 0};
	cleanup_free char *names = NULL;
	char *text = file_path("%s", "");
	size_t place = 0;

	if (apt_package_names(apt, IMAGE, &names, NULL))
		return text;
	collect_releases(names, kernel_flavour(wanted), &known);
	if (!known.count)
		collect_releases(names, CURRENT, &known);
	while (place < known.count && kernel_release_compare(known.names[place], wanted) < 0)
		place++;
	for (size_t i = place > NEAREST ? place - NEAREST : 0; i < known.count && i < place + NEAREST; i++) {
		cleanup_free char *old = text;

		text = file_path("%s%s%s", old, *old ? ", " : "", known.names[i]);
	}
	return text;
}

static int not_served(const struct apt *apt, const char *release, struct hl_error *err)
{
	cleanup_free char *nearest = nearest_releases(apt, release);

	if (!*nearest)
		return hl_error_set(err, ENOENT,
				    "apt does not know " IMAGE
				    "%s, nor any kernel like it: its package lists are "
				    "missing or too old; run: apt-get update",
				    release);
	return hl_error_set(err, ENOENT, "apt does not know " IMAGE "%s; the nearest it has: %s", release,
			    nearest);
}

/* Is @version the one @wanted, or is @wanted its upstream part? */
static bool is_version(const char *version, const char *wanted)
{
	size_t length = strlen(wanted);

	return version && !strncmp(version, wanted, length) && (!version[length] || version[length] == '-');
}

/* The release among @paragraphs whose package has this version, newly allocated, or NULL. */
static char *release_of_version(char *paragraphs, const char *version)
{
	for (char *next, *paragraph = paragraphs; paragraph; paragraph = next) {
		cleanup_free char *found = NULL, *package = NULL;

		next = strstr(paragraph, "\n\n");
		if (next) {
			*next = '\0';
			next += 2;
		}
		found = deb_field(paragraph, "Version");
		package = deb_field(paragraph, "Package");
		if (package && is_version(found, version))
			return file_path("%s", package + strlen(IMAGE));
	}
	return NULL;
}

/* The cloud kernel of a package version: "6.1.170-3", "6.1.170". NULL when there is none. */
static char *find_version(const struct apt *apt, const char *version)
{
	cleanup_with(releases_clear) struct releases known = {NULL, 0};
	cleanup_free char *names = NULL, *paragraphs = NULL;
	char *release = NULL;

	if (!isdigit((unsigned char)*version) || apt_package_names(apt, IMAGE, &names, NULL))
		return NULL;
	collect_releases(names, CURRENT, &known);
	for (size_t i = 0; i < known.count; i++) {
		cleanup_free char *bare = known.names[i];

		known.names[i] = file_path(IMAGE "%s", bare);
	}
	if (known.count && !apt_show(apt, (const char *const *)known.names, known.count, &paragraphs, NULL))
		release = release_of_version(paragraphs, version);
	return release;
}

/* ---- the packages of a kernel ---- */

/* The kernel package that a meta package depends on, newly allocated; NULL for a real one. */
static char *meta_target(const char *paragraph)
{
	cleanup_free char *depends = deb_field(paragraph, "Depends");
	char *position = NULL;

	for (char *word = depends ? strtok_r(depends, ", ", &position) : NULL; word;
	     word = strtok_r(NULL, ", ", &position))
		if (!strncmp(word, IMAGE, strlen(IMAGE)))
			return strdup(word);
	return NULL;
}

/* Takes over @package. */
static int add_package(struct candidate *candidate, char *package, const char *paragraph,
		       struct hl_error *err)
{
	cleanup_free char *size = deb_field(paragraph, "Size"), *sha256 = deb_field(paragraph, "SHA256");
	size_t place = candidate->count;

	if (place == MOST_PARTS || !sha256 || strlen(sha256) >= HASH_TEXT_SIZE) {
		hl_error_set(err, EIO, "apt-cache gives no SHA256 for %s", package);
		free(package);
		return -EIO;
	}
	candidate->packages[candidate->count++] = package;
	memcpy(candidate->sha256[place], sha256, strlen(sha256) + 1);
	candidate->megabytes += size ? strtod(size, NULL) / 1e6 : 0;
	return 0;
}

/* "linux-modules-7.3.4+deb13-cloud-amd64 (= 7.3.4-1~bpo13+1)" -> "NAME=VERSION" */
static char *dependency_package(const char *dependency)
{
	int name = (int)strcspn(dependency, " (,|");
	const char *version = strstr(dependency, "(= ");

	if (!version)
		return file_path("%.*s", name, dependency);
	version += strlen("(= ");
	return file_path("%.*s=%.*s", name, dependency, (int)strcspn(version, ")"), version);
}

/* From 7.x an empty linux-image depends on what it held before; Ubuntu keeps the modules apart. */
static bool is_part(const char *dependency)
{
	static const char *const parts[] = {"linux-base-", "linux-binary-", "linux-modules-"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!strncmp(dependency, parts[i], strlen(parts[i])))
			return true;
	return false;
}

static int add_parts(const struct apt *apt, struct candidate *candidate, const char *paragraph,
		     struct hl_error *err)
{
	cleanup_free char *depends = deb_field(paragraph, "Depends");
	char *position = NULL;
	int r = 0;

	if (!depends)
		return 0;
	for (char *word = strtok_r(depends, ",", &position); !r && word;
	     word = strtok_r(NULL, ",", &position)) {
		cleanup_free char *part = NULL, *described = NULL;

		word += strspn(word, " ");
		if (!is_part(word))
			continue;
		part = dependency_package(word);
		r = apt_show(apt, (const char *const[]){part}, 1, &described, err);
		if (!r)
			r = add_package(candidate, take_pointer(part), described, err);
	}
	return r;
}

static int describe_kernel(const struct apt *apt, struct candidate *candidate, const char *package,
			   const char *paragraph, struct hl_error *err)
{
	const char *release = package + strlen(IMAGE);
	int r = add_package(candidate, file_path("%s", package), paragraph, err);

	if (r)
		return r;
	candidate->release = strndup(release, strcspn(release, "="));
	return add_parts(apt, candidate, paragraph, err);
}

/* apt-cache takes a name that it does not know for a regular expression: is this about the package asked for?
 */
static bool is_about(const char *paragraph, const char *package)
{
	cleanup_free char *name = deb_field(paragraph, "Package");

	return name && strlen(name) == strcspn(package, "=") && !strncmp(name, package, strlen(name));
}

/* What apt-cache shows of a package; when it is unknown, of the one with that version. */
static int show_kernel(const struct request *request, char **package, char **paragraph, struct hl_error *err)
{
	int r = apt_show(&request->apt, (const char *const[]){*package}, 1, paragraph, err);
	cleanup_free char *release = NULL;

	if (r ? r != -EIO : is_about(*paragraph, *package))
		return r;
	release = find_version(&request->apt, *package + strlen(IMAGE));
	if (!release)
		return not_served(&request->apt, *package + strlen(IMAGE), err);
	free(*package);
	free(take_pointer(*paragraph));
	*package = file_path(IMAGE "%s", release);
	return apt_show(&request->apt, (const char *const[]){*package}, 1, paragraph, err);
}

/* Ask apt-cache about IMAGE + what was asked for, through meta packages to the package with the kernel. */
static int find_candidate(const struct request *request, struct candidate *candidate, struct hl_error *err)
{
	cleanup_free char *package = file_path(IMAGE "%s", request->what);

	for (int hop = 0; hop < META_HOPS; hop++) {
		cleanup_free char *paragraph = NULL, *target = NULL;
		int r = show_kernel(request, &package, &paragraph, err);

		if (r)
			return r;
		target = meta_target(paragraph);
		if (!target)
			return describe_kernel(&request->apt, candidate, package, paragraph, err);
		free(package);
		package = take_pointer(target);
	}
	return hl_error_set(err, ENOENT, IMAGE "%s leads to no kernel package, only to %s", request->what,
			    package);
}

/* ---- download ---- */

struct phase {
	const struct request *request;
	const char *text;
};

static void report_percent(void *context, int percent)
{
	const struct phase *phase = context;

	progress_report(phase->request->progress, phase->text, percent);
}

/* apt chose the files' names; the folder holds nothing else. */
static int add_downloaded(const struct candidate *candidate, const char *folder, const char *name,
			  struct kernel **kernel, bool *added, struct hl_error *err)
{
	cleanup_free char *pattern = file_path("%s/*.deb", folder);
	glob_t files;
	int r;

	if (glob(pattern, 0, NULL, &files))
		return hl_error_set(err, EIO, "apt-get left no file for %s", candidate->packages[0]);
	r = kernel_store_add((const char *const *)files.gl_pathv, files.gl_pathc, name, kernel, added, err);
	globfree(&files);
	return r;
}

static int download(const struct request *request, const struct candidate *candidate, const char *name,
		    struct kernel **kernel, bool *added, struct hl_error *err)
{
	cleanup_with(workspace_close) struct workspace workspace = WORKSPACE_NONE;
	cleanup_free char *folder = NULL, *unpacking = file_path("unpack %s", candidate->packages[0]);
	cleanup_free char *text =
		file_path("download %s, %.0f MB", candidate->packages[0], candidate->megabytes);
	struct phase phase = {request, text};
	int r = file_cache_folder("downloads", &folder, err);

	if (!r)
		r = workspace_open(&workspace, folder, err);
	if (r)
		return r;
	progress_report(request->progress, text, 0);
	r = apt_download(&request->apt, (const char *const *)candidate->packages, candidate->count,
			 workspace.path, report_percent, &phase, err);
	if (r)
		return r;
	progress_report(request->progress, unpacking, -1);
	return add_downloaded(candidate, workspace.path, name, kernel, added, err);
}

/* ---- fetch ---- */

/* apt takes options, globs and patterns where a package name may stand: let only names through. */
static bool is_word(const char *text, size_t length)
{
	bool good = length && isalnum((unsigned char)text[0]);

	for (size_t i = 0; i < length; i++)
		good = good && (isalnum((unsigned char)text[i]) || strchr(".+~-=", text[i]));
	return good;
}

static int bad_name(const char *name, struct hl_error *err)
{
	return hl_error_set(err, EINVAL,
			    "\"%s\" names no Debian kernel: use " FAMILY ", " FAMILY ":FLAVOUR (" FAMILY
			    ":amd64), " FAMILY ":RELEASE (" FAMILY ":6.1.0-55-cloud-amd64), " FAMILY
			    ":VERSION (" FAMILY ":6.1.170-3) or " FAMILY ":SUITE/RELEASE (" FAMILY
			    ":bullseye/5.10.218)",
			    name);
}

static bool is_debug_package(const char *what)
{
	size_t length = strlen(what);

	return length > strlen(DEBUG) && !strcmp(what + length - strlen(DEBUG), DEBUG);
}

/* "amd64", "cloud-amd64", "rt-amd64" */
static bool is_flavour(const char *word)
{
	size_t length = strlen(word), ending = strlen("amd64");

	return isalpha((unsigned char)word[0]) && length >= ending &&
	       !strcmp(word + length - ending, "amd64");
}

/* "debian", "debian:FLAVOUR", "debian:RELEASE", "debian:SUITE", "debian:SUITE/RELEASE"; @suite is newly
 * allocated or NULL. */
static int parse_name(struct request *request, const char *name, char **suite, struct hl_error *err)
{
	const char *rest = name + strlen(FAMILY) + 1;
	size_t length;

	request->what = CURRENT;
	request->name = file_path(FAMILY ":");
	if (!strcmp(name, FAMILY))
		return 0;
	if (strncmp(name, FAMILY ":", strlen(FAMILY ":")))
		return bad_name(name, err);
	length = strcspn(rest, "/");
	if (!is_word(rest, length) ||
	    (rest[length] && !is_word(rest + length + 1, strlen(rest + length + 1))))
		return bad_name(name, err);
	if (!rest[length] && (!isalpha((unsigned char)rest[0]) || is_flavour(rest))) {
		request->what = rest;
		return 0;
	}
	*suite = strndup(rest, length);
	if (rest[length])
		request->what = rest + length + 1;
	free(request->name);
	request->name = file_path(FAMILY ":%s/", *suite);
	return 0;
}

/* A release or version by its full name is taken from the store, without asking apt. */
static struct kernel *find_stored(const struct request *request)
{
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	cleanup_free char *wanted = file_path("%s%s", request->name, request->what);
	cleanup_free char *exact = strndup(wanted, strcspn(wanted, "="));

	if (is_flavour(request->what) || kernel_store_find(wanted, &kernel, NULL) ||
	    (strcmp(kernel->name, exact) && !is_version(kernel->version, request->what)))
		return NULL;
	return take_pointer(kernel);
}

static int fetch_candidate(const struct request *request, struct kernel **kernel, bool *added,
			   struct hl_error *err)
{
	cleanup_with(candidate_clear) struct candidate candidate = {.count = 0};
	cleanup_free char *name = NULL;
	char sha256[HASH_TEXT_SIZE];
	int r;

	progress_report(request->progress, "ask apt-cache", -1);
	r = find_candidate(request, &candidate, err);
	if (r)
		return r;
	name = file_path("%s%s", request->name, candidate.release);
	kernel_store_combine(candidate.sha256, candidate.count, sha256);
	*added = false;
	r = kernel_store_find_package(name, sha256, kernel, err);
	return r || *kernel ? r : download(request, &candidate, name, kernel, added, err);
}

static int fetch(struct request *request, const char *suite, struct kernel **kernel, bool *added,
		 struct hl_error *err)
{
	int r;

	*kernel = find_stored(request);
	if (*kernel)
		return 0;
	if (suite)
		progress_report(request->progress, "get package lists", -1);
	r = apt_open(&request->apt, suite, err);
	return r ? r : fetch_candidate(request, kernel, added, err);
}

int kernel_fetch_debian(const char *name, const struct progress *progress, struct kernel **kernel,
			bool *added, struct hl_error *err)
{
	struct request request = {.progress = progress};
	cleanup_free char *suite = NULL;
	struct kernel *found = NULL;
	bool downloaded = false;
	int r = parse_name(&request, name, &suite, err);

	if (!r && is_debug_package(request.what))
		r = hl_error_set(
			err, EINVAL,
			"\"%s\" names the symbols of a kernel, which are some hundred megabytes: to have "
			"them beside it, run apt-get download " IMAGE "%s " IMAGE
			"%.*s, then hanglab kernel add with both files",
			name, request.what, (int)(strlen(request.what) - strlen(DEBUG)), request.what);
	if (!r)
		r = fetch(&request, suite, &found, &downloaded, err);
	apt_close(&request.apt);
	free(request.name);
	if (r)
		return r;
	if (added)
		*added = downloaded;
	*kernel = found;
	return 0;
}
