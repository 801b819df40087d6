/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_APT_H
#define HANGLAB_VM_IMAGES_APT_H

#include "base/error.h"

#include <stddef.h>

/**
 * struct apt - whose package lists apt works with
 * @configuration: file with a private state of apt for another suite; NULL for the machine's own
 */
struct apt {
	char *configuration;
};

/** typedef apt_progress - a download is at @percent */
typedef void (*apt_progress)(void *context, int percent);

/**
 * apt_open() - use the machine's package lists, or those of another suite
 * @suite: "bullseye", "trixie-backports", "sid" ...; NULL for the machine's own
 * @apt: receives it; apt_close()
 * @err: says what apt said
 *
 * Another suite is got from the archive that the machine's apt uses, with its security updates where it has
 * them. Lists and state live under ${XDG_CACHE_HOME:-~/.cache}/hanglab/apt/SUITE, and are brought up to date
 * when they are older than an hour: nothing of the machine's own apt changes.
 *
 * Return: 0; -ENOENT when apt is not installed or has no Debian archive; -EIO when the archive does not serve
 * the suite.
 */
int apt_open(struct apt *apt, const char *suite, struct hl_error *err);

/** apt_close() - for cleanup_with() */
void apt_close(struct apt *apt);

/**
 * apt_show() - what "apt-cache show" says about packages
 * @packages: "NAME" or "NAME=VERSION"
 * @count: how many
 * @paragraphs: newly allocated, separated by empty lines
 *
 * Return: 0, or -EIO when apt does not know one of them.
 */
int apt_show(const struct apt *apt, const char *const *packages, size_t count, char **paragraphs,
	     struct hl_error *err);

/** apt_package_names() - names that begin with @prefix, one a line, newly allocated. Return: 0 or -errno. */
int apt_package_names(const struct apt *apt, const char *prefix, char **names, struct hl_error *err);

/**
 * apt_download() - download package files, checked by apt against their hashes
 * @packages: as for apt_show()
 * @count: how many
 * @folder: receives the files
 * @progress: called while it works, or NULL
 *
 * Return: 0, -EIO or -ETIMEDOUT.
 */
int apt_download(const struct apt *apt, const char *const *packages, size_t count, const char *folder,
		 apt_progress progress, void *context, struct hl_error *err);

#endif
