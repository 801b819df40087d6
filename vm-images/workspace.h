/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_WORKSPACE_H
#define HANGLAB_VM_IMAGES_WORKSPACE_H

#include "base/error.h"

/**
 * struct workspace - a folder in which something is put together before it gets its name
 * @path: absolute path of the folder, "PARENT/new-XXXXXX"
 * @lock: holds its flock for as long as this process lives
 *
 * A folder whose owner was killed has a free flock: the next workspace_open() in the same parent
 * removes it.
 */
struct workspace {
	char *path;
	int lock;
};

#define WORKSPACE_NONE                                                                                       \
	{                                                                                                    \
		NULL, -1                                                                                     \
	}

/**
 * workspace_open() - make a workspace, and remove those that killed processes left
 * @workspace: receives it
 * @parent: existing folder, on the file system where the result is to live
 * @err: names the folder
 *
 * Return: 0 or -errno.
 */
int workspace_open(struct workspace *workspace, const char *parent, struct hl_error *err);

/**
 * workspace_publish() - the workspace is complete: give it its name
 * @workspace: WORKSPACE_NONE afterwards
 * @path: the name, in the same parent; when it exists already the workspace is removed instead, for
 *        another process was quicker with the same thing
 *
 * Return: 0 or -errno; the workspace is removed on failure too.
 */
int workspace_publish(struct workspace *workspace, const char *path, struct hl_error *err);

/** workspace_close() - remove a workspace that was not published; for cleanup_with() */
void workspace_close(struct workspace *workspace);

#endif
