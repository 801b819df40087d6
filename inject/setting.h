/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_SETTING_H
#define HANGLAB_INJECT_SETTING_H

#include "base/error.h"

/**
 * struct setting - a file of /proc/sys or /sys that an injector changes for a while
 * @path: NULL as long as it was not changed
 * @before: what it held; of a choice such as "always [madvise] never" what is in force
 */
struct setting {
	const char *path;
	char before[64];
};

/**
 * setting_change() - remember what a file holds, write another value
 * @path: must stay valid
 *
 * Return: 0 or -errno.
 */
int setting_change(struct setting *setting, const char *path, const char *value, struct hl_error *err);

/** setting_restore() - write back what it held; one that was not changed is no error. Return: 0 or -errno. */
int setting_restore(struct setting *setting, struct hl_error *err);

#endif
