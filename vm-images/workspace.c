// SPDX-License-Identifier: GPL-2.0-or-later
#include "workspace.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define PREFIX "new-"

/* An open folder under flock; the lock ends with the descriptor, at the latest with the process. */
static int open_locked(const char *path, int operation)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, operation))
		return -errno;
	return take_fd(&fd);
}

static int remove_if_abandoned(const char *path, struct hl_error *err)
{
	cleanup_fd int fd = open_locked(path, LOCK_EX | LOCK_NB);

	return fd < 0 ? 0 : file_remove_tree(path, err);
}

static int remove_abandoned(const char *parent, struct hl_error *err)
{
	DIR *folder = opendir(parent);
	struct dirent *entry;
	int r = 0;

	if (!folder)
		return hl_error_errno(err, errno, "open %s", parent);
	while (!r && (entry = readdir(folder))) {
		cleanup_free char *path = file_path("%s/%s", parent, entry->d_name);

		if (!strncmp(entry->d_name, PREFIX, strlen(PREFIX)))
			r = remove_if_abandoned(path, err);
	}
	closedir(folder);
	return r;
}

int workspace_open(struct workspace *workspace, const char *parent, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/" PREFIX "XXXXXX", parent);
	/* Between its mkdir and its flock a new folder looks abandoned: one at a time. */
	cleanup_fd int turn = open_locked(parent, LOCK_EX);
	int lock, r;

	if (turn < 0)
		return hl_error_errno(err, -turn, "lock %s", parent);
	r = remove_abandoned(parent, err);
	if (r)
		return r;
	if (!mkdtemp(path))
		return hl_error_errno(err, errno, "create a folder in %s", parent);
	lock = open_locked(path, LOCK_EX | LOCK_NB);
	if (lock < 0) {
		rmdir(path);
		return hl_error_errno(err, -lock, "lock %s", path);
	}
	workspace->path = take_pointer(path);
	workspace->lock = lock;
	return 0;
}

int workspace_publish(struct workspace *workspace, const char *path, struct hl_error *err)
{
	int r = 0;

	/* A name must not survive a power cut without its content. */
	if (syncfs(workspace->lock))
		r = hl_error_errno(err, errno, "write %s", path);
	else if (!rename(workspace->path, path))
		free(take_pointer(workspace->path));
	else if (errno != EEXIST && errno != ENOTEMPTY)
		r = hl_error_errno(err, errno, "rename %s to %s", workspace->path, path);
	workspace_close(workspace);
	return r;
}

void workspace_close(struct workspace *workspace)
{
	if (workspace->path)
		file_remove_tree(workspace->path, NULL);
	free(workspace->path);
	if (workspace->lock >= 0)
		close(workspace->lock);
	*workspace = (struct workspace)WORKSPACE_NONE;
}
