// SPDX-License-Identifier: GPL-2.0-or-later
#include "package.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const struct format {
	const char *magic;
	int (*unpack)(struct unpacking *job, int fd, struct hl_error *err);
} formats[] = {
	{"!<arch>\n", deb_unpack},
	{"\xed\xab\xee\xdb", rpm_unpack},
};

void kernel_package_clear(struct kernel_package *package)
{
	free(package->package);
	free(package->version);
	free(package->architecture);
	free(package->release);
	*package = (struct kernel_package){NULL, NULL, NULL, NULL};
}

static const struct format *find_format(int fd)
{
	char magic[8] = "";

	if (pread(fd, magic, sizeof(magic), 0) < 4)
		return NULL;
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!memcmp(magic, formats[i].magic, strlen(formats[i].magic)))
			return &formats[i];
	return NULL;
}

static int unpack_one(struct unpacking *job, struct hl_error *err)
{
	cleanup_fd int fd = open(job->path, O_RDONLY | O_CLOEXEC);
	const struct format *format;
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return hl_error_errno(err, errno, "open %s", job->path);
	if (!S_ISREG(status.st_mode))
		return hl_error_set(err, EBADMSG,
				    "%s is not a Debian package or RPM: it is not a regular file", job->path);
	format = find_format(fd);
	if (!format)
		return hl_error_set(err, EBADMSG, "%s is not a Debian package, nor an RPM", job->path);
	return format->unpack(job, fd, err);
}

static int take_kernel(struct unpacking *job, struct kernel_package *package, struct hl_error *err)
{
	if (!job->has_kernel)
		return 0;
	if (package->release)
		return hl_error_set(err, ENODATA,
				    "%s holds a second kernel, %s beside %s: add one kernel at a time",
				    job->path, job->said.release, package->release);
	*package = job->said;
	job->said = (struct kernel_package){NULL, NULL, NULL, NULL};
	return 0;
}

static int unpack_all(const char *const *paths, size_t count, const char *folder,
		      struct kernel_package *package, struct hl_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < count; i++) {
		struct unpacking job = {.path = paths[i], .folder = folder};

		r = unpack_one(&job, err);
		if (!r)
			r = take_kernel(&job, package, err);
		kernel_package_clear(&job.said);
	}
	return r;
}

static int check_complete(const char *path, const char *folder, const struct kernel_package *package,
			  struct hl_error *err)
{
	cleanup_free char *modules = file_path("%s/lib/modules/%s", folder, package->release ?: "");

	if (!package->release)
		return hl_error_set(err, ENODATA,
				    "%s holds no kernel: it has neither boot/vmlinuz-RELEASE nor "
				    "lib/modules/RELEASE/vmlinuz",
				    path);
	if (access(modules, F_OK))
		return hl_error_set(
			err, ENODATA,
			"%s (package %s) holds a kernel without its modules: there is no %s; give the "
			"package with the modules too",
			path, package->package, modules + strlen(folder) + 1);
	return 0;
}

int package_unpack_kernel(const char *const *paths, size_t count, const char *folder,
			  struct kernel_package *package, struct hl_error *err)
{
	struct kernel_package found = {NULL, NULL, NULL, NULL};
	int r = unpack_all(paths, count, folder, &found, err);

	if (!r)
		r = check_complete(paths[0], folder, &found, err);
	if (r)
		kernel_package_clear(&found);
	else
		*package = found;
	return r;
}
