// SPDX-License-Identifier: GPL-2.0-or-later
#include "package_files.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <string.h>

void package_free_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

int package_damaged(const struct unpacking *job, struct archive *archive, struct hl_error *err)
{
	return hl_error_set(err, EBADMSG, "%s is truncated or damaged: %s", job->path,
			    archive_error_string(archive));
}

int package_next_entry(const struct unpacking *job, struct archive *archive, struct archive_entry **entry,
		       struct hl_error *err)
{
	int r = archive_read_next_header(archive, entry);

	if (r == ARCHIVE_EOF)
		return 0;
	return r < ARCHIVE_WARN ? package_damaged(job, archive, err) : 1;
}

const char *package_relative_path(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (!name)
		return "";
	if (!strncmp(name, "./", 2))
		name += 2;
	return name + strspn(name, "/");
}

static bool climbs(const char *path)
{
	for (const char *dots = strstr(path, ".."); dots; dots = strstr(dots + 2, ".."))
		if ((dots == path || dots[-1] == '/') && (dots[2] == '/' || !dots[2]))
			return true;
	return false;
}

static const char *skip_prefix(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

/* The kinds of files beside the modules, and what stands in front of the release in their names. */
static const struct {
	const char *name, *in_boot;
} kinds[] = {
	{"vmlinuz", "vmlinuz-"},
	{"config", "config-"},
	{"System.map", "System.map-"},
	{"vmlinux", "vmlinux-"}, /* debug packages, in usr/lib/debug/boot */
};

/*
 * Of "boot/KIND-RELEASE", or "lib/modules/RELEASE/KIND" (Fedora, RHEL 8, Debian from 7.x): the kind, with
 * @release newly allocated; NULL for any other file.
 */
static const char *kind_of(const char *name, char **release)
{
	const char *debug = skip_prefix(name, "lib/debug/");
	const char *boot = skip_prefix(debug ? debug : name, "boot/");
	const char *below = skip_prefix(debug ? debug : name, "lib/modules/");
	const char *file = below ? strchr(below, '/') : NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *rest = boot ? skip_prefix(boot, kinds[i].in_boot) : NULL;

		if (rest && !strchr(rest, '/'))
			*release = strdup(rest);
		else if (file && !strcmp(file + 1, kinds[i].name))
			*release = strndup(below, (size_t)(file - below));
		else
			continue;
		return kinds[i].name;
	}
	return NULL;
}

static int write_content(const struct unpacking *job, struct archive *archive, int fd, const char *path,
			 struct hl_error *err)
{
	const void *block;
	la_int64_t offset;
	size_t size;
	int r;

	while ((r = archive_read_data_block(archive, &block, &size, &offset)) == ARCHIVE_OK) {
		if (lseek(fd, offset, SEEK_SET) < 0)
			return hl_error_errno(err, errno, "unpack %s: write %s", job->path, path);
		r = file_write_all(fd, block, size);
		if (r)
			return hl_error_errno(err, -r, "unpack %s: write %s", job->path, path);
	}
	return r == ARCHIVE_EOF ? 0 : package_damaged(job, archive, err);
}

static int unpack_file(const struct unpacking *job, struct archive *archive, const char *path,
		       struct hl_error *err)
{
	cleanup_free char *parent = file_path("%s", path);
	cleanup_fd int fd = -1;
	int r = file_make_folders(dirname(parent), err);

	if (r) {
		hl_error_prefix(err, "unpack %s", job->path);
		return r;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	/* In boot and beside the modules: the same file twice. */
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return hl_error_errno(err, errno, "unpack %s: create %s", job->path, path);
	return write_content(job, archive, fd, path, err);
}

static int note_release(struct unpacking *job, char *release, struct hl_error *err)
{
	cleanup_free char *found = release;

	if (job->said.release && strcmp(job->said.release, found))
		return hl_error_set(err, ENODATA, "%s holds more than one kernel", job->path);
	if (!job->said.release)
		job->said.release = take_pointer(found);
	job->has_kernel = true;
	return 0;
}

static int unpack_entry(struct unpacking *job, struct archive *archive, struct archive_entry *entry,
			struct hl_error *err)
{
	const char *name = package_relative_path(entry);
	const char *kind;
	cleanup_free char *release = NULL, *path = NULL;
	int r = 0;

	/* Links are left out: those that kernel packages have point at headers on the machine. */
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return 0;
	if (!strncmp(name, "usr/", 4))
		name += 4;
	kind = kind_of(name, &release);
	if (!kind && strncmp(name, "lib/modules/", strlen("lib/modules/")))
		return 0;
	if (climbs(name))
		return hl_error_set(err, EBADMSG, "%s has a path with \"..\": %s", job->path, name);
	path = file_path("%s/%s", job->folder, kind ? kind : name);
	if (kind && !strcmp(kind, "vmlinuz"))
		r = note_release(job, take_pointer(release), err);
	return r ? r : unpack_file(job, archive, path, err);
}

int package_unpack_files(struct unpacking *job, struct archive *archive, struct hl_error *err)
{
	struct archive_entry *entry;
	int r;

	while ((r = package_next_entry(job, archive, &entry, err)) > 0) {
		r = unpack_entry(job, archive, entry, err);
		if (r)
			return r;
	}
	return r;
}
