/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_TOOL_H
#define HANGLAB_INJECT_TOOL_H

#include "base/error.h"

#include <stddef.h>

/*
 * Programs that were copied into the guest (struct needs, tools). They may block with the storage, so only
 * children of the guest program run them. Works on every kernel: base/process.h wants pidfd_open(2),
 * Linux 5.3.
 */

/**
 * tool_run() - run a program to its end
 * @arguments: NULL-terminated; the first is looked up in PATH
 * @status: receives its exit status, 127 when it could not be started, 128 + N when signal N ended it
 * @output: receives the end of what it printed, on one line
 * @size: of @output
 *
 * Return: 0 whatever its status is, or -errno.
 */
int tool_run(const char *const *arguments, int *status, char *output, size_t size, struct hl_error *err);

/**
 * tool_must() - the same, but a status other than 0 is an error that quotes the output
 * @output: as for tool_run(), or NULL
 *
 * Return: 0, -EIO or -errno.
 */
int tool_must(const char *const *arguments, char *output, size_t size, struct hl_error *err);

#endif
