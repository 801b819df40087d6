/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_SYMBOLS_H
#define HANGLAB_CHECKERS_SYMBOLS_H

#include "checkers.h"

struct hl_symbols;

/**
 * hl_symbols_open() - debugging information of a kernel
 * @symbols: result, to be ended with hl_symbols_close()
 * @path: a vmlinux with DWARF, or a .deb or .rpm package that holds one
 * @err: message
 *
 * Return: 0 or -errno.
 */
int hl_symbols_open(struct hl_symbols **symbols, const char *path, struct hl_error *err);

/**
 * hl_symbols_resolve() - a copy of an event whose frames have file and line, with inlined functions added
 * @symbols: the kernel that printed the log
 * @event: what was read from the log
 * @resolved: the copy; hl_event_free() it
 *
 * Frames are found by name and size ("schedule+0x35/0x80"), as addresses differ from boot to boot. Those that
 * are not found, or have another size, stay as they are. The first frame in a module makes its file be looked
 * for, see debug_file_open().
 *
 * Return: 0 or -ENOMEM.
 */
int hl_symbols_resolve(struct hl_symbols *symbols, const struct hl_event *event, struct hl_event *resolved);

/** hl_symbols_close() - accepts NULL */
void hl_symbols_close(struct hl_symbols *symbols);

#endif
