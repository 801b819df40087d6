// SPDX-License-Identifier: GPL-2.0-or-later
#include "apt.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define CACHE_TIMEOUT_MS  60000
#define UPDATE_TIMEOUT_MS (5 * 60 * 1000)
#define SILENT_MS	  (3 * 60 * 1000) /* apt's own network timeouts are 30 s a try */
#define FRESH_SECONDS	  3600
#define KEYRING		  "/usr/share/keyrings/debian-archive-keyring.gpg"

/* ---- running apt ---- */

/* "PROGRAM [-c CONFIGURATION]", then @words, then @packages. */
static const char **make_command(const struct apt *apt, const char *const *words, const char *const *packages,
				 size_t count)
{
	const char **command = calloc(16 + count, sizeof(*command));
	size_t used = 0;

	if (!command)
		abort();
	while (*words)
		command[used++] = *words++;
	if (apt->configuration) {
		command[used++] = "-c";
		command[used++] = apt->configuration;
	}
	for (size_t i = 0; i < count; i++)
		command[used++] = packages[i];
	return command;
}

static int run_apt(const struct apt *apt, const char *const *words, const char *const *packages, size_t count,
		   int timeout_ms, char **output, struct hl_error *err)
{
	cleanup_free const char **command = make_command(apt, words, packages, count);

	return process_run(command, timeout_ms, output, err);
}

int apt_show(const struct apt *apt, const char *const *packages, size_t count, char **paragraphs,
	     struct hl_error *err)
{
	static const char *const words[] = {"apt-cache", "show", "--no-all-versions", NULL};

	return run_apt(apt, words, packages, count, CACHE_TIMEOUT_MS, paragraphs, err);
}

int apt_package_names(const struct apt *apt, const char *prefix, char **names, struct hl_error *err)
{
	static const char *const words[] = {"apt-cache", "pkgnames", NULL};

	return run_apt(apt, words, &prefix, 1, CACHE_TIMEOUT_MS, names, err);
}

/* ---- another suite ---- */

/* The archive that the machine gets Debian from: of the first source labelled "Debian". */
static int find_archive(char **uri, struct hl_error *err)
{
	static const char *const command[] = {
		"apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages", NULL};
	cleanup_free char *lines = NULL;
	char *position = NULL;
	int r = process_run(command, CACHE_TIMEOUT_MS, &lines, err);

	if (r)
		return r;
	for (char *line = strtok_r(lines, "\n", &position); line; line = strtok_r(NULL, "\n", &position))
		if (!strncmp(line, "Debian ", strlen("Debian "))) {
			*uri = file_path("%s", line + strlen("Debian "));
			(*uri)[strcspn(*uri, "\n ")] = '\0';
			return 0;
		}
	return hl_error_set(err, ENOENT, "apt has no source of Debian's here to get another suite from");
}

/*
 * Security updates of a release are in an archive of their own, and come with the release; sid and the
 * -backports have none.
 */
static char *sources_text(const char *uri, const char *suite)
{
	const char *signed_by = access(KEYRING, R_OK) ? "" : "[signed-by=" KEYRING "] ";
	const char *part = strchr(suite, '-');
	int length = (int)strlen(uri);

	while (length && uri[length - 1] == '/')
		length--;
	if (part && !strcmp(part, "-security"))
		return file_path("deb %s%.*s-security %s main\n", signed_by, length, uri, suite);
	if (part || !strcmp(suite, "sid"))
		return file_path("deb %s%s %s main\n", signed_by, uri, suite);
	return file_path("deb %s%s %s main\ndeb %s%.*s-security %s-security main\n", signed_by, uri, suite,
			 signed_by, length, uri, suite);
}

static int write_text(const char *folder, const char *name, const char *text, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", folder, name);

	return file_write(path, text, strlen(text), err);
}

static int make_state(const char *folder, const char *suite, struct hl_error *err)
{
	cleanup_free char *lists = file_path("%s/state/lists/partial", folder);
	cleanup_free char *archives = file_path("%s/cache/archives/partial", folder);
	cleanup_free char *configuration = file_path("Dir::State \"%s/state\";\n"
						     "Dir::State::status \"%s/state/status\";\n"
						     "Dir::Cache \"%s/cache\";\n"
						     "Dir::Etc::SourceList \"%s/sources.list\";\n"
						     "Dir::Etc::SourceParts \"/dev/null\";\n"
						     "Dir::Etc::Preferences \"/dev/null\";\n"
						     "Dir::Etc::PreferencesParts \"/dev/null\";\n"
						     "APT::Sandbox::User \"root\";\n"
						     "Acquire::Languages \"none\";\n",
						     folder, folder, folder, folder);
	cleanup_free char *uri = NULL, *sources = NULL;
	int r = find_archive(&uri, err);

	if (r)
		return r;
	sources = sources_text(uri, suite);
	r = file_make_folders(lists, err);
	if (!r)
		r = file_make_folders(archives, err);
	if (!r)
		r = write_text(folder, "state/status", "", err);
	if (!r)
		r = write_text(folder, "sources.list", sources, err);
	return r ? r : write_text(folder, "apt.conf", configuration, err);
}

static bool is_fresh(const char *stamp)
{
	struct stat status;

	return !stat(stamp, &status) && status.st_mtime + FRESH_SECONDS > time(NULL);
}

static int update(const struct apt *apt, const char *folder, const char *suite, struct hl_error *err)
{
	static const char *const words[] = {"apt-get", "-q", "-o", "APT::Update::Error-Mode=any",
					    "update",  NULL};
	int r = make_state(folder, suite, err);

	if (!r)
		r = run_apt(apt, words, NULL, 0, UPDATE_TIMEOUT_MS, NULL, err);
	return r ? hl_error_prefix(err, "get the package lists of the suite \"%s\"", suite)
		 : write_text(folder, "updated", "", err);
}

int apt_open(struct apt *apt, const char *suite, struct hl_error *err)
{
	cleanup_free char *name = suite ? file_path("apt/%s", suite) : NULL, *folder = NULL, *stamp = NULL;
	cleanup_fd int turn = -1;
	int r = 0;

	apt->configuration = NULL;
	if (!suite)
		return 0;
	r = file_cache_folder(name, &folder, err);
	if (r)
		return r;
	/* One process at a time brings the lists up to date. */
	turn = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (turn < 0 || flock(turn, LOCK_EX))
		return hl_error_errno(err, errno, "lock %s", folder);
	apt->configuration = file_path("%s/apt.conf", folder);
	stamp = file_path("%s/updated", folder);
	if (!is_fresh(stamp))
		r = update(apt, folder, suite, err);
	if (r)
		apt_close(apt);
	return r;
}

void apt_close(struct apt *apt)
{
	free(take_pointer(apt->configuration));
}

/* ---- download ---- */

struct download {
	apt_progress progress;
	void *context;
};

/* apt writes "dlstatus:ITEM:PERCENT:TEXT" lines (its README.progress-reporting). */
static void report_status(void *data, const char *line)
{
	const struct download *download = data;
	const char *percent = strncmp(line, "dlstatus:", strlen("dlstatus:")) ? NULL : strchr(line, ':');

	percent = percent ? strchr(percent + 1, ':') : NULL;
	if (percent && download->progress)
		download->progress(download->context, (int)strtod(percent + 1, NULL));
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

static int follow_download(struct download *download, const char *const *command, const char *package,
			   struct hl_error *err)
{
	cleanup_fd int errors = memfd_create("errors", MFD_CLOEXEC);
	const struct process_listener listener = {report_status, download, SILENT_MS, errors};
	int status, r;

	if (errors < 0)
		return hl_error_errno(err, errno, "start apt-get");
	r = process_follow(command, &listener, &status, err);
	if (r) {
		hl_error_prefix(err, "apt-get");
		return r;
	}
	return status ? download_failed(package, errors, err) : 0;
}

int apt_download(const struct apt *apt, const char *const *packages, size_t count, const char *folder,
		 apt_progress progress, void *context, struct hl_error *err)
{
	/*
	 * apt-get download writes to its current folder. As root it would hand the work to the user _apt,
	 * who may not enter the cache of another user, and complain: stay root then.
	 */
	const char *const words[] = {"env",
				     "-C",
				     folder,
				     "apt-get",
				     "-q",
				     "-o",
				     "APT::Status-Fd=1",
				     "-o",
				     "APT::Sandbox::User=root",
				     "download",
				     NULL};
	cleanup_free const char **command = make_command(apt, words, packages, count);
	struct download download = {progress, context};

	return follow_download(&download, command, packages[0], err);
}
