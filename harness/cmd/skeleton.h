/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CMD_SKELETON_H
#define HANGLAB_CMD_SKELETON_H

#include "base/error.h"

#include <stdbool.h>

/*
 * Files to start from (harness/skeletons). @NAME@ in them stands for a name as scenarios write it
 * ("cpu-hog"),
 * @SYMBOL@ for the same as C writes it ("cpu_hog").
 */

/** skeleton_symbol() - @name with underscores; newly allocated */
char *skeleton_symbol(const char *name);

/**
 * skeleton_check_name() - can @name be one: lower case letters, digits and hyphens, a letter first?
 *
 * Return: 0, -EINVAL.
 */
int skeleton_check_name(const char *name, struct hl_error *err);

/**
 * skeleton_write() - write the skeleton @skeleton, filled in for @name, as the new file @path
 *
 * Return: 0, -EEXIST when @path is there already, another -errno.
 */
int skeleton_write(const char *skeleton, const char *name, const char *path, struct hl_error *err);

/**
 * skeleton_add_line() - put a line into a list of one line for each thing
 * @path: of the list
 * @line: without its end
 * @sorted: before the first line that begins with the same word and is greater; else at the end
 *
 * Return: 0, -EEXIST when the list has the line already, another -errno.
 */
int skeleton_add_line(const char *path, const char *line, bool sorted, struct hl_error *err);

#endif
