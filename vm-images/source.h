/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_SOURCE_H
#define HANGLAB_VM_IMAGES_SOURCE_H

#include "base/error.h"
#include "progress.h"

#include <stddef.h>

/*
 * Kernel sources: ${XDG_CACHE_HOME:-~/.cache}/hanglab/sources/PACKAGE holds one tree per source package, in
 * which one kernel after the other is built.
 *
 *	source.json     package, version and sha256 of the tree
 *	tree/           the sources, patched, with what was built of them
 *	original/       files of the tree as they were before they were patched
 *	created/        empty files, named like those of the tree that patches made
 */

/**
 * struct source - a tree of kernel sources, which this process has for itself
 * @package: Debian's package: "linux-source-6.1"
 * @version: its version: "6.1.192-2"
 * @sha256: of the package
 * @folder: the folder in the cache
 * @tree: the tree in it
 * @lock: holds the folder's flock
 */
struct source {
	char *package, *version, *sha256;
	char *folder, *tree;
	int lock;
};

#define SOURCE_NONE                                                                                          \
	{                                                                                                    \
		.lock = -1                                                                                   \
	}

/**
 * source_open() - get the sources of a kernel, unless the cache has them
 * @name: "debian:6.1" for Debian's linux-source-6.1, "debian:SUITE/6.12" for that of another suite;
 *	"=VERSION" behind it pins the package's version
 * @progress: told what happens; may have no callback
 * @source: receives the tree; source_close()
 * @err: says what apt said
 *
 * The machine's own apt is asked, or a private one for another suite (apt_open()). When it does not answer,
 * a tree that is there will do. Another process that builds from the same tree is waited for.
 *
 * Return: 0; -EINVAL for a bad name; -ENOENT when apt does not know the package; -EIO when the download or
 * the unpacking failed; or -errno.
 */
int source_open(const char *name, const struct progress *progress, struct source *source,
		struct hl_error *err);

/**
 * source_patch() - bring the tree into the state that these patches make of the package's sources
 * @source: the tree; what was patched before is undone first
 * @patches: patch files, as for patch -p1, applied one after the other
 * @count: how many
 * @err: names the patch and the hunk that does not apply
 *
 * Return: 0; -EINVAL for a patch that does not apply, with no file patched; -ENOENT without the patch
 * program; or -errno.
 */
int source_patch(const struct source *source, const char *const *patches, size_t count, struct hl_error *err);

/** source_close() - let others have it; for cleanup_with() */
void source_close(struct source *source);

#endif
