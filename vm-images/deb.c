// SPDX-License-Identifier: GPL-2.0-or-later
#include "deb.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define READ_SIZE (128 * 1024)

/*
 * A .deb is an ar archive of debian-binary, control.tar and data.tar (deb(5)). The outer archive is
 * read once from the beginning to the end; each tar is read straight out of its member.
 */
struct unpacking {
	const char *path;
	const char *folder;
	struct archive *package;
	struct deb_kernel deb;
	bool has_control, has_data;
};

void deb_kernel_clear(struct deb_kernel *deb)
{
	free(deb->package);
	free(deb->version);
	free(deb->architecture);
	free(deb->release);
	*deb = (struct deb_kernel){NULL, NULL, NULL, NULL};
}

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

static void free_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

static int damaged(const struct unpacking *job, struct archive *archive, struct hl_error *err)
{
	return hl_error_set(err, EBADMSG, "%s is truncated or damaged: %s", job->path,
			    archive_error_string(archive));
}

/* The next header: 1 for an entry, 0 at the end. */
static int next_entry(const struct unpacking *job, struct archive *archive, struct archive_entry **entry,
		      struct hl_error *err)
{
	int r = archive_read_next_header(archive, entry);

	if (r == ARCHIVE_EOF)
		return 0;
	return r < ARCHIVE_WARN ? damaged(job, archive, err) : 1;
}

static la_ssize_t read_member(struct archive *tar, void *context, const void **block)
{
	struct unpacking *job = context;
	la_int64_t offset;
	size_t size = 0;
	int r;

	do {
		r = archive_read_data_block(job->package, block, &size, &offset);
	} while (r == ARCHIVE_OK && !size);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r < ARCHIVE_WARN) {
		archive_set_error(tar, archive_errno(job->package), "%s", archive_error_string(job->package));
		return -1;
	}
	return (la_ssize_t)size;
}

static struct archive *open_tar_member(struct unpacking *job)
{
	struct archive *tar = archive_read_new();

	archive_read_support_filter_gzip(tar);
	archive_read_support_filter_xz(tar);
	archive_read_support_filter_zstd(tar);
	archive_read_support_format_tar(tar);
	archive_read_open(tar, job, NULL, read_member, NULL);
	return tar;
}

/* Package paths begin with "./"; returns the path relative to the root. */
static const char *relative_path(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (!name)
		return "";
	if (!strncmp(name, "./", 2))
		name += 2;
	return name + strspn(name, "/");
}

static int read_text(const struct unpacking *job, struct archive *tar, struct archive_entry *entry,
		     char **text, struct hl_error *err)
{
	size_t size = (size_t)archive_entry_size(entry);
	cleanup_free char *content = size < 1024 * 1024 ? calloc(1, size + 1) : NULL;

	if (!content)
		return hl_error_set(err, EBADMSG, "%s has a control file of %zu bytes", job->path, size);
	if (archive_read_data(tar, content, size) != (la_ssize_t)size)
		return damaged(job, tar, err);
	*text = take_pointer(content);
	return 0;
}

static int read_control(struct unpacking *job, struct hl_error *err)
{
	cleanup_with(free_archive) struct archive *tar = open_tar_member(job);
	struct archive_entry *entry;
	int r;

	while ((r = next_entry(job, tar, &entry, err)) > 0) {
		cleanup_free char *control = NULL;

		if (strcmp(relative_path(entry), "control"))
			continue;
		r = read_text(job, tar, entry, &control, err);
		if (r)
			return r;
		job->deb.package = deb_field(control, "Package");
		job->deb.version = deb_field(control, "Version");
		job->deb.architecture = deb_field(control, "Architecture");
	}
	if (r)
		return r;
	if (!job->deb.package || !job->deb.version || !job->deb.architecture)
		return hl_error_set(err, EBADMSG,
				    "%s has no control file with Package, Version and Architecture",
				    job->path);
	job->has_control = true;
	return 0;
}

static bool climbs(const char *path)
{
	for (const char *dots = strstr(path, ".."); dots; dots = strstr(dots + 2, ".."))
		if ((dots == path || dots[-1] == '/') && (dots[2] == '/' || !dots[2]))
			return true;
	return false;
}

/* Where a file of the package belongs in the folder, newly allocated; NULL for one not wanted. */
static char *place_of(const struct unpacking *job, const char *name)
{
	static const char *const kinds[] = {"vmlinuz", "config", "System.map"};

	if (!strncmp(name, "usr/", 4))
		name += 4;
	if (!strncmp(name, "lib/modules/", strlen("lib/modules/")))
		return file_path("%s/%s", job->folder, name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t length = strlen(kinds[i]);

		if (!strncmp(name, "boot/", 5) && !strncmp(name + 5, kinds[i], length) &&
		    name[5 + length] == '-')
			return file_path("%s/%s", job->folder, kinds[i]);
	}
	return NULL;
}

static int write_content(const struct unpacking *job, struct archive *tar, int fd, const char *path,
			 struct hl_error *err)
{
	const void *block;
	la_int64_t offset;
	size_t size;
	int r;

	while ((r = archive_read_data_block(tar, &block, &size, &offset)) == ARCHIVE_OK) {
		if (lseek(fd, offset, SEEK_SET) < 0)
			return hl_error_errno(err, errno, "unpack %s: write %s", job->path, path);
		r = file_write_all(fd, block, size);
		if (r)
			return hl_error_errno(err, -r, "unpack %s: write %s", job->path, path);
	}
	return r == ARCHIVE_EOF ? 0 : damaged(job, tar, err);
}

static int unpack_file(const struct unpacking *job, struct archive *tar, const char *path,
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
	if (fd < 0)
		return hl_error_errno(err, errno, "unpack %s: create %s", job->path, path);
	return write_content(job, tar, fd, path, err);
}

static int unpack_entry(struct unpacking *job, struct archive *tar, struct archive_entry *entry,
			struct hl_error *err)
{
	const char *name = relative_path(entry);
	cleanup_free char *path = place_of(job, name);

	/* Links are left out: those that kernel packages have point at headers on the machine. */
	if (!path || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return 0;
	if (climbs(name))
		return hl_error_set(err, EBADMSG, "%s has a path with \"..\": %s", job->path, name);
	if (!strncmp(name, "boot/vmlinuz-", strlen("boot/vmlinuz-"))) {
		if (job->deb.release)
			return hl_error_set(err, ENODATA, "%s holds more than one kernel", job->path);
		job->deb.release = strdup(name + strlen("boot/vmlinuz-"));
	}
	return unpack_file(job, tar, path, err);
}

static int unpack_data(struct unpacking *job, struct hl_error *err)
{
	cleanup_with(free_archive) struct archive *tar = open_tar_member(job);
	struct archive_entry *entry;
	int r;

	while ((r = next_entry(job, tar, &entry, err)) > 0) {
		r = unpack_entry(job, tar, entry, err);
		if (r)
			return r;
	}
	job->has_data = !r;
	return r;
}

static int unpack_member(struct unpacking *job, struct archive_entry *entry, struct hl_error *err)
{
	const char *name = archive_entry_pathname(entry);

	if (!strncmp(name, "control.tar", strlen("control.tar")))
		return read_control(job, err);
	if (!strncmp(name, "data.tar", strlen("data.tar")))
		return unpack_data(job, err);
	return 0;
}

static int unpack_members(struct unpacking *job, struct hl_error *err)
{
	struct archive_entry *entry;
	int r;

	if (archive_read_next_header(job->package, &entry) != ARCHIVE_OK ||
	    strcmp(archive_entry_pathname(entry), "debian-binary"))
		return hl_error_set(err, EBADMSG, "%s is not a Debian package", job->path);
	while ((r = next_entry(job, job->package, &entry, err)) > 0) {
		r = unpack_member(job, entry, err);
		if (r)
			return r;
	}
	return r;
}

static int check_complete(const struct unpacking *job, struct hl_error *err)
{
	cleanup_free char *modules = file_path("%s/lib/modules/%s", job->folder, job->deb.release ?: "");

	if (!job->has_control || !job->has_data)
		return hl_error_set(err, EBADMSG, "%s is truncated: it has no %s", job->path,
				    job->has_control ? "data.tar" : "control.tar");
	if (!job->deb.release)
		return hl_error_set(err, ENODATA,
				    "%s (package %s) holds no kernel: it has no boot/vmlinuz-RELEASE",
				    job->path, job->deb.package);
	if (access(modules, F_OK))
		return hl_error_set(err, ENODATA,
				    "%s (package %s) holds a kernel without its modules: it has no %s",
				    job->path, job->deb.package, modules + strlen(job->folder) + 1);
	return 0;
}

static int open_package(struct unpacking *job, int fd, struct hl_error *err)
{
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return hl_error_errno(err, errno, "open %s", job->path);
	if (!S_ISREG(status.st_mode))
		return hl_error_set(err, EBADMSG, "%s is not a Debian package: it is not a regular file",
				    job->path);
	archive_read_support_format_ar(job->package);
	if (archive_read_open_fd(job->package, fd, READ_SIZE) != ARCHIVE_OK)
		return hl_error_set(err, EBADMSG, "%s is not a Debian package", job->path);
	return 0;
}

int deb_unpack_kernel(const char *path, const char *folder, struct deb_kernel *deb, struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_with(free_archive) struct archive *package = archive_read_new();
	struct unpacking job = {.path = path, .folder = folder, .package = package};
	int r = open_package(&job, fd, err);

	if (!r)
		r = unpack_members(&job, err);
	if (!r)
		r = check_complete(&job, err);
	if (r)
		deb_kernel_clear(&job.deb);
	else
		*deb = job.deb;
	return r;
}
