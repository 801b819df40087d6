// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch_debian.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "deb.h"
#include "kernel_store.h"
#include "workspace.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define FAMILY		     "debian"
#define IMAGE		     "linux-image-"
#define CURRENT		     KERNEL_DEBIAN_FLAVOUR /* linux-image-cloud-amd64 depends on today's release */
#define META_HOPS	     3
#define APT_CACHE_TIMEOUT_MS 60000
#define APT_SILENT_MS	     (3 * 60 * 1000) /* apt's own network timeouts are 30 s a try */
#define APT_END_MS	     30000
#define NEAREST		     3

struct fetch {
	kernel_fetch_progress report;
	void *context;
};

/* What apt-cache says about one version of a package. */
struct candidate {
	char *package; /* with "=VERSION" where the user pinned one: apt takes both forms */
	char *release;
	char *sha256;
	double megabytes;
};

static void candidate_clear(struct candidate *candidate)
{
	free(candidate->package);
	free(candidate->release);
	free(candidate->sha256);
	*candidate = (struct candidate){NULL, NULL, NULL, 0};
}

static void report(const struct fetch *fetch, const char *phase, int percent)
{
	if (fetch->report)
		fetch->report(fetch->context, phase, percent);
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
static char *nearest_releases(const char *wanted)
{
	const char *const command[] = {"apt-cache", "pkgnames", IMAGE, NULL};
	cleanup_with(releases_clear) struct releases known = {NULL, 0};
	cleanup_free char *names = NULL;
	char *text = file_path("%s", "");
	size_t place = 0;

	if (process_run(command, APT_CACHE_TIMEOUT_MS, &names, NULL))
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

static int not_served(const char *release, struct hl_error *err)
{
	cleanup_free char *nearest = nearest_releases(release);

	if (!*nearest)
		return hl_error_set(err, ENOENT,
				    "apt does not know " IMAGE
				    "%s, nor any kernel like it: its package lists are "
				    "missing or too old; run: apt-get update",
				    release);
	return hl_error_set(err, ENOENT, "apt does not know " IMAGE "%s; the nearest it has: %s", release,
			    nearest);
}

/* The kernel package that a meta package depends on, newly allocated; NULL for a real one. */
static char *meta_target(const char *paragraph)
{
	cleanup_free char *depends = deb_field(paragraph, "Depends");

	if (!depends || strncmp(depends, IMAGE, strlen(IMAGE)))
		return NULL;
	return strndup(depends, strcspn(depends, " (,|"));
}

static int describe_package(struct candidate *candidate, const char *paragraph, struct hl_error *err)
{
	cleanup_free char *size = deb_field(paragraph, "Size");

	candidate->sha256 = deb_field(paragraph, "SHA256");
	candidate->release =
		strndup(candidate->package + strlen(IMAGE), strcspn(candidate->package + strlen(IMAGE), "="));
	candidate->megabytes = size ? strtod(size, NULL) / 1e6 : 0;
	return candidate->sha256 && candidate->release
		       ? 0
		       : hl_error_set(err, EIO, "apt-cache gives no SHA256 for %s", candidate->package);
}

/* Ask apt-cache about IMAGE + @release, through meta packages to the package with the kernel. */
static int find_candidate(const char *release, struct candidate *candidate, struct hl_error *err)
{
	candidate->package = file_path(IMAGE "%s", release);
	for (int hop = 0; hop < META_HOPS; hop++) {
		const char *const command[] = {"apt-cache", "show", "--no-all-versions", candidate->package,
					       NULL};
		cleanup_free char *paragraph = NULL, *target = NULL;
		int r = process_run(command, APT_CACHE_TIMEOUT_MS, &paragraph, err);

		if (r == -EIO || (!r && !*paragraph))
			return not_served(candidate->package + strlen(IMAGE), err);
		if (r)
			return r;
		target = meta_target(paragraph);
		if (!target)
			return describe_package(candidate, paragraph, err);
		free(candidate->package);
		candidate->package = take_pointer(target);
	}
	return hl_error_set(err, ENOENT, IMAGE "%s leads to no kernel package, only to %s", release,
			    candidate->package);
}

/* ---- download ---- */

/* apt writes "dlstatus:ITEM:PERCENT:TEXT" lines (its README.progress-reporting). */
static void report_status(const struct fetch *fetch, const char *phase, const char *line)
{
	const char *percent = strncmp(line, "dlstatus:", strlen("dlstatus:")) ? NULL : strchr(line, ':');

	percent = percent ? strchr(percent + 1, ':') : NULL;
	if (percent)
		report(fetch, phase, (int)strtod(percent + 1, NULL));
}

/* Follow apt's status lines until it closes them, which it does when it ends. */
static int follow_status(const struct fetch *fetch, const char *phase, int fd, struct hl_error *err)
{
	struct pollfd watched = {.fd = fd, .events = POLLIN};
	char lines[4096];
	size_t used = 0;

	for (;;) {
		int r = poll(&watched, 1, APT_SILENT_MS);
		ssize_t got;
		char *end;

		if (r < 0 && errno == EINTR)
			continue;
		if (!r)
			return hl_error_set(err, ETIMEDOUT, "apt-get was silent for %d s",
					    APT_SILENT_MS / 1000);
		got = r < 0 ? -1 : read(fd, lines + used, sizeof(lines) - 1 - used);
		if (got < 0)
			return hl_error_errno(err, errno, "read the status of apt-get");
		if (!got)
			return 0;
		used += (size_t)got;
		lines[used] = '\0';
		while ((end = strchr(lines, '\n'))) {
			*end = '\0';
			report_status(fetch, phase, lines);
			used -= (size_t)(end + 1 - lines);
			memmove(lines, end + 1, used + 1);
		}
		if (used == sizeof(lines) - 1)
			used = 0;
	}
}

/* What apt-get complained of, for the error message. */
static int download_failed(const char *package, int errors, struct hl_error *err)
{
	char text[1024] = "";
	ssize_t got = pread(errors, text, sizeof(text) - 1, 0);

	while (got > 0 && strchr("\n ", text[got - 1]))
		text[--got] = '\0';
	return hl_error_set(err, EIO,
			    "download of %s failed (are the package lists up to date? apt-get update): %s",
			    package, *text ? text : "apt-get gave no reason");
}

static int run_download(const struct fetch *fetch, const struct candidate *candidate, const char *folder,
			struct hl_error *err)
{
	/*
	 * apt-get download writes to its current folder. As root it would hand the work to the user _apt,
	 * who may not enter the cache of another user, and complain: stay root then.
	 */
	const char *const command[] = {"env",
				       "-C",
				       folder,
				       "apt-get",
				       "-q",
				       "-o",
				       "APT::Status-Fd=1",
				       "-o",
				       "APT::Sandbox::User=root",
				       "download",
				       candidate->package,
				       NULL};
	cleanup_free char *phase =
		file_path("download %s, %.0f MB", candidate->package, candidate->megabytes);
	cleanup_fd int status_read = -1, status_write = -1, errors = memfd_create("errors", MFD_CLOEXEC);
	cleanup_with(process_kill) struct process child = PROCESS_NONE;
	struct process_files files = {-1, -1, errors, NULL, 0};
	int ends[2], status, r;

	if (errors < 0 || pipe2(ends, O_CLOEXEC))
		return hl_error_errno(err, errno, "start apt-get");
	status_read = ends[0];
	files.output = status_write = ends[1];
	report(fetch, phase, 0);
	r = process_start(&child, command, &files, err);
	if (r)
		return r;
	close(take_fd(&status_write));
	r = follow_status(fetch, phase, status_read, err);
	if (!r)
		r = process_wait(&child, APT_END_MS, &status, err);
	if (r)
		return r;
	return status ? download_failed(candidate->package, errors, err) : 0;
}

/* apt chose the file's name; the folder holds nothing else. */
static int add_downloaded(const struct candidate *candidate, const char *folder, struct kernel **kernel,
			  bool *added, struct hl_error *err)
{
	cleanup_free char *pattern = file_path("%s/*.deb", folder);
	cleanup_free char *name = file_path(FAMILY ":%s", candidate->release);
	glob_t files;
	int r;

	if (glob(pattern, 0, NULL, &files))
		return hl_error_set(err, EIO, "apt-get left no file for %s", candidate->package);
	r = kernel_store_add_deb(files.gl_pathv[0], name, kernel, added, err);
	globfree(&files);
	return r;
}

static int download(const struct fetch *fetch, const struct candidate *candidate, struct kernel **kernel,
		    bool *added, struct hl_error *err)
{
	cleanup_with(workspace_close) struct workspace workspace = WORKSPACE_NONE;
	cleanup_free char *folder = NULL, *phase = file_path("unpack %s", candidate->package);
	int r = file_cache_folder("downloads", &folder, err);

	if (!r)
		r = workspace_open(&workspace, folder, err);
	if (!r)
		r = run_download(fetch, candidate, workspace.path, err);
	if (r)
		return r;
	report(fetch, phase, -1);
	return add_downloaded(candidate, workspace.path, kernel, added, err);
}

/* ---- fetch ---- */

/* apt takes options, globs and patterns where a package name may stand: let only names through. */
static bool is_release(const char *text)
{
	bool good = isalnum((unsigned char)text[0]);

	for (const char *c = text; *c; c++)
		good = good && (isalnum((unsigned char)*c) || strchr(".+~-=", *c));
	return good;
}

/* The release that a name asks for, or NULL with @err set. */
static const char *requested_release(const char *name, struct hl_error *err)
{
	const char *release = name + strlen(FAMILY);

	if (!strcmp(name, FAMILY))
		return CURRENT;
	if (!strncmp(name, FAMILY ":", strlen(FAMILY ":")) && is_release(release + 1))
		return release + 1;
	hl_error_set(err, EINVAL,
		     "\"%s\" names no Debian kernel: use " FAMILY ", " FAMILY ":FLAVOUR (" FAMILY
		     ":amd64) or " FAMILY ":RELEASE (" FAMILY ":6.1.0-55-cloud-amd64)",
		     name);
	return NULL;
}

/* A release by its full name is taken from the store, without asking apt. */
static struct kernel *find_stored(const char *name)
{
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	cleanup_free char *exact = strndup(name, strcspn(name, "="));

	if (!exact || kernel_store_find(name, &kernel, NULL) || strcmp(kernel->name, exact))
		return NULL;
	return take_pointer(kernel);
}

static int fetch_candidate(const struct fetch *fetch, const char *release, struct kernel **kernel,
			   bool *added, struct hl_error *err)
{
	cleanup_with(candidate_clear) struct candidate candidate = {NULL, NULL, NULL, 0};
	cleanup_free char *name = NULL;
	int r;

	report(fetch, "ask apt-cache", -1);
	r = find_candidate(release, &candidate, err);
	if (r)
		return r;
	name = file_path(FAMILY ":%s", candidate.release);
	*added = false;
	r = kernel_store_find_package(name, candidate.sha256, kernel, err);
	return r || *kernel ? r : download(fetch, &candidate, kernel, added, err);
}

int kernel_fetch_debian(const char *name, kernel_fetch_progress progress, void *context,
			struct kernel **kernel, bool *added, struct hl_error *err)
{
	const struct fetch fetch = {progress, context};
	const char *release = requested_release(name, err);
	struct kernel *found;
	bool downloaded = false;
	int r = 0;

	if (!release)
		return -EINVAL;
	found = find_stored(name);
	if (!found)
		r = fetch_candidate(&fetch, release, &found, &downloaded, err);
	if (r)
		return r;
	if (added)
		*added = downloaded;
	*kernel = found;
	return 0;
}
