/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_TOOL_H
#define HANGLAB_INJECT_GUEST_TOOL_H

#include "base/error.h"

#include <stddef.h>

/**
 * tool_run() - run a program of the initramfs and wait for it; in a child of the guest program only
 * @arguments: NULL-terminated; the first is found through PATH
 * @status: receives its exit status, 128 + N for signal N
 *
 * Return: 0 or -errno when it could not be run.
 */
int tool_run(const char *const *arguments, int *status, struct hl_error *err);

/** tool_output() - the end of what the last tool of this process printed, on one line */
void tool_output(char *output, size_t size);

/**
 * tool_succeed() - tool_run(), and a status other than 0 is an error that quotes the output
 *
 * Return: 0 or -errno.
 */
int tool_succeed(const char *const *arguments, struct hl_error *err);

#endif
