/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CMD_BISECT_BUILD_H
#define HANGLAB_CMD_BISECT_BUILD_H

#include "cmd/command.h"

/**
 * bisect_build() - "hanglab bisect --build": make the kernel tree that is to be tested
 * @line: its options say with which configuration
 * @kernels: must be one, "tree:FOLDER"
 * @count: of them
 *
 * Return: 0, or an exit code after a message: GIT_ANSWER_SKIP when it cannot be built.
 */
int bisect_build(const struct command_line *line, const char *const *kernels, size_t count);

#endif
