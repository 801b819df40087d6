/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_FRAME_H
#define HANGLAB_CHECKERS_FRAME_H

#include "report.h"

/**
 * struct frame_text - a frame as it stands in a line; the pointers point into the line
 * @frame: with NULL for the names, which are not terminated in the line
 * @function: start of the name, @function_length bytes
 * @module: start of the module's name, @module_length bytes (0: none)
 * @file: start of the source file, @file_length bytes (0: none)
 */
struct frame_text {
	struct hl_frame frame;
	const char *function;
	size_t function_length;
	const char *module;
	size_t module_length;
	const char *file;
	size_t file_length;
};

/**
 * frame_parse() - a frame of any architecture, from its address or name on
 *
 * "[<ffffffff8183dda5>] ? schedule+0x35/0x80 [module]", "schedule+0x35/0x80",
 * "[<c010c9c4>] (show_stack+0x10/0x14)", "(a) from [<c010c9c4>] (b+0x10/0x14)", "a from b+0x10/0x14",
 * "schedule kernel/sched/core.c:123 [inline]".
 *
 * Return: false when @text holds no frame.
 */
bool frame_parse(const char *text, struct frame_text *result);

/** frame_is_instruction() - behind "RIP: 0010:" and its relatives of other architectures, or NULL */
const char *frame_is_instruction(const char *text);

#endif
