// SPDX-License-Identifier: GPL-2.0-or-later
#include "file.h"

#include "cleanup.h"

#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

int file_read(const char *path, char **data, size_t *size, struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *content = NULL;
	size_t used = 0, room = 0;
	ssize_t got;

	if (fd < 0)
		return hl_error_errno(err, errno, "open %s", path);
	do {
		if (room - used < 2) {
			char *larger;

			room = room ? 2 * room : 4096;
			larger = realloc(content, room);
			if (!larger)
				return hl_error_errno(err, ENOMEM, "read %s", path);
			content = larger;
		}
		got = read(fd, content + used, room - used - 1);
		if (got < 0)
			return hl_error_errno(err, errno, "read %s", path);
		used += (size_t)got;
	} while (got);
	content[used] = '\0';
	if (size)
		*size = used;
	*data = take_pointer(content);
	return 0;
}

int file_write_all(int fd, const void *data, size_t size)
{
	const char *next = data;

	while (size) {
		ssize_t put = write(fd, next, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		next += put;
		size -= (size_t)put;
	}
	return 0;
}

int file_set(const char *path, const char *text, struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : file_write_all(fd, text, strlen(text));

	return r ? hl_error_errno(err, -r, "write %s to %s", text, path) : 0;
}

int file_open_unnamed(const char *folder, struct hl_error *err)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	return fd < 0 ? hl_error_errno(err, errno, "create a file in %s", folder) : fd;
}

static int link_fd(int fd, const char *path)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

int file_publish(int fd, const char *path, struct hl_error *err)
{
	int r;

	if (fsync(fd))
		return hl_error_errno(err, errno, "write %s", path);
	r = link_fd(fd, path);
	if (r == -EEXIST) {
		if (unlink(path) && errno != ENOENT)
			return hl_error_errno(err, errno, "replace %s", path);
		r = link_fd(fd, path);
	}
	return r ? hl_error_errno(err, -r, "name %s", path) : 0;
}

int file_write(const char *path, const void *data, size_t size, struct hl_error *err)
{
	cleanup_free char *copy = strdup(path);
	cleanup_fd int fd = -1;
	int r;

	if (!copy)
		return hl_error_errno(err, ENOMEM, "write %s", path);
	fd = file_open_unnamed(dirname(copy), err);
	if (fd < 0)
		return fd;
	r = file_write_all(fd, data, size);
	if (r)
		return hl_error_errno(err, -r, "write %s", path);
	return file_publish(fd, path, err);
}

int file_make_folders(const char *path, struct hl_error *err)
{
	cleanup_free char *partial = strdup(path);

	if (!partial)
		return hl_error_errno(err, ENOMEM, "create folder %s", path);
	if (!partial[0])
		return hl_error_set(err, ENOENT, "create folder: its name is empty");
	for (char *slash = partial + 1;; slash++) {
		char kept = *slash;

		if (kept != '/' && kept != '\0')
			continue;
		*slash = '\0';
		if (mkdir(partial, 0755) && errno != EEXIST)
			return hl_error_errno(err, errno, "create folder %s", partial);
		if (!kept)
			return 0;
		*slash = kept;
	}
}

int file_remove_tree(const char *path, struct hl_error *err)
{
	char *roots[] = {(char *)path, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int r = 0;

	if (!tree)
		return hl_error_errno(err, errno, "remove %s", path);
	while ((entry = fts_read(tree))) {
		if (entry->fts_info == FTS_D || (entry->fts_info == FTS_NS && entry->fts_errno == ENOENT))
			continue;
		if (remove(entry->fts_accpath) && errno != ENOENT && !r)
			r = hl_error_errno(err, errno, "remove %s", entry->fts_path);
	}
	fts_close(tree);
	return r;
}

char *file_path(const char *format, ...)
{
	va_list args;
	char *path;
	int r;

	va_start(args, format);
	r = vasprintf(&path, format, args);
	va_end(args);
	if (r < 0)
		abort();
	return path;
}

int file_cache_folder(const char *name, char **path, struct hl_error *err)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	cleanup_free char *folder = NULL;
	int r;

	if (cache && cache[0] == '/')
		folder = file_path("%s/hanglab/%s", cache, name);
	else if (home && home[0] == '/')
		folder = file_path("%s/.cache/hanglab/%s", home, name);
	else
		return hl_error_set(err, ENOENT,
				    "neither XDG_CACHE_HOME nor HOME names a folder for the cache");
	r = file_make_folders(folder, err);
	if (!r)
		*path = take_pointer(folder);
	return r;
}

char *file_shipped(const char *built, const char *installed)
{
	cleanup_free char *self = realpath("/proc/self/exe", NULL);
	const char *folder = self ? dirname(self) : ".";
	cleanup_free char *here = file_path("%s/%s", folder, built),
			  *there = file_path("%s/%s", folder, installed);

	return access(here, R_OK) && !access(there, R_OK) ? take_pointer(there) : take_pointer(here);
}
