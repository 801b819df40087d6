/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_WORKLOAD_ENGINE_H
#define HANGLAB_INJECT_WORKLOAD_ENGINE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct engine - a way to write a record so that it is durable when write() returns, but for @unsynced
 * @name: what scenarios call it
 * @summary: one line
 * @unsynced: write() returns before the record is durable: one that is missing later was never promised
 * @open_flags: further flags for open(2)
 * @open: prepare; @size is the size the file will have. 0 or -errno.
 * @write: write one record and make it durable. 0 or -errno.
 * @close: undo open()
 *
 * One file each (inject/workload/engine_NAME.c), one line each in engines.def. The state pointer is
 * the engine's own.
 */
struct engine {
	const char *name, *summary;
	bool unsynced;
	int open_flags;
	int (*open)(int fd, off_t size, void **state, struct hl_error *err);
	int (*write)(int fd, void *state, const void *record, size_t size, off_t offset);
	void (*close)(void *state);
};

/** engine_pwrite() - pwrite(2) of a whole record. Return: 0 or -errno. */
int engine_pwrite(int fd, const void *record, size_t size, off_t offset);

/** engine_list() - all engines, NULL-terminated, sorted by name */
const struct engine *const *engine_list(void);

/** engine_names() - their names, NULL-terminated, in the same order */
extern const char *const engine_names[];

#endif
