// SPDX-License-Identifier: GPL-2.0-or-later
#include "deb.h"

#include "base/cleanup.h"
#include "package_files.h"

#include <stdbool.h>
#include <string.h>

/*
 * A .deb is an ar archive of debian-binary, control.tar and data.tar (deb(5)). The outer archive is
 * read once from the beginning to the end; each tar is read straight out of its member.
 */
struct deb {
	struct unpacking *job;
	struct archive *package;
	bool has_control, has_data;
};

char *deb_field(const char *paragraph, const char *field)
{
	size_t length = strlen(field);

	for (const char *line = paragraph; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, field, length) && line[length] == ':') {
			const char *value = line + length + 1;

			value += strspn(value, " \t");
			return strndup(value, strcspn(value, "\n"));
		}
	}
	return NULL;
}

static la_ssize_t read_member(struct archive *tar, void *context, const void **block)
{
	struct deb *deb = context;
	la_int64_t offset;
	size_t size = 0;
	int r;

	do {
		r = archive_read_data_block(deb->package, block, &size, &offset);
	} while (r == ARCHIVE_OK && !size);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r < ARCHIVE_WARN) {
		archive_set_error(tar, archive_errno(deb->package), "%s", archive_error_string(deb->package));
		return -1;
	}
	return (la_ssize_t)size;
}

static struct archive *open_tar_member(struct deb *deb)
{
	struct archive *tar = archive_read_new();

	archive_read_support_filter_gzip(tar);
	archive_read_support_filter_xz(tar);
	archive_read_support_filter_zstd(tar);
	archive_read_support_format_tar(tar);
	archive_read_open(tar, deb, NULL, read_member, NULL);
	return tar;
}

static int read_text(const struct unpacking *job, struct archive *tar, struct archive_entry *entry,
		     char **text, struct hl_error *err)
{
	size_t size = (size_t)archive_entry_size(entry);
	cleanup_free char *content = size < 1024 * 1024 ? calloc(1, size + 1) : NULL;

	if (!content)
		return hl_error_set(err, EBADMSG, "%s has a control file of %zu bytes", job->path, size);
	if (archive_read_data(tar, content, size) != (la_ssize_t)size)
		return package_damaged(job, tar, err);
	*text = take_pointer(content);
	return 0;
}

static int read_control(struct deb *deb, struct hl_error *err)
{
	cleanup_with(package_free_archive) struct archive *tar = open_tar_member(deb);
	struct kernel_package *said = &deb->job->said;
	struct archive_entry *entry;
	int r;

	while ((r = package_next_entry(deb->job, tar, &entry, err)) > 0) {
		cleanup_free char *control = NULL;

		if (strcmp(package_relative_path(entry), "control"))
			continue;
		r = read_text(deb->job, tar, entry, &control, err);
		if (r)
			return r;
		said->package = deb_field(control, "Package");
		said->version = deb_field(control, "Version");
		said->architecture = deb_field(control, "Architecture");
	}
	if (r)
		return r;
	if (!said->package || !said->version || !said->architecture)
		return hl_error_set(err, EBADMSG,
				    "%s has no control file with Package, Version and Architecture",
				    deb->job->path);
	deb->has_control = true;
	return 0;
}

static int unpack_data(struct deb *deb, struct hl_error *err)
{
	cleanup_with(package_free_archive) struct archive *tar = open_tar_member(deb);
	int r = package_unpack_files(deb->job, tar, err);

	deb->has_data = !r;
	return r;
}

static int unpack_member(struct deb *deb, struct archive_entry *entry, struct hl_error *err)
{
	const char *name = archive_entry_pathname(entry);

	if (!strncmp(name, "control.tar", strlen("control.tar")))
		return read_control(deb, err);
	if (!strncmp(name, "data.tar", strlen("data.tar")))
		return unpack_data(deb, err);
	return 0;
}

static int unpack_members(struct deb *deb, struct hl_error *err)
{
	struct archive_entry *entry;
	int r;

	if (archive_read_next_header(deb->package, &entry) != ARCHIVE_OK ||
	    strcmp(archive_entry_pathname(entry), "debian-binary"))
		return hl_error_set(err, EBADMSG, "%s is not a Debian package", deb->job->path);
	while ((r = package_next_entry(deb->job, deb->package, &entry, err)) > 0) {
		r = unpack_member(deb, entry, err);
		if (r)
			return r;
	}
	return r;
}

int deb_unpack(struct unpacking *job, int fd, struct hl_error *err)
{
	cleanup_with(package_free_archive) struct archive *package = archive_read_new();
	struct deb deb = {.job = job, .package = package};
	int r;

	archive_read_support_format_ar(package);
	if (archive_read_open_fd(package, fd, PACKAGE_READ_SIZE) != ARCHIVE_OK)
		return hl_error_set(err, EBADMSG, "%s is not a Debian package", job->path);
	r = unpack_members(&deb, err);
	if (!r && (!deb.has_control || !deb.has_data))
		r = hl_error_set(err, EBADMSG, "%s is truncated: it has no %s", job->path,
				 deb.has_control ? "data.tar" : "control.tar");
	return r;
}
