/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_TYPES_H
#define HANGLAB_POSTMORTEM_TYPES_H

#include "postmortem/symbols.h"

/*
 * How the kernel lays out its structures, from its own description (BTF), which kernels with
 * CONFIG_DEBUG_INFO_BTF carry in memory. No debug package is needed.
 */

struct types;

/**
 * types_open() - read the BTF between the symbols __start_BTF and __stop_BTF
 *
 * Return: 0, -ENODATA when there is none.
 */
int types_open(struct types **types, const struct mapping *mapping, const struct symbols *symbols,
	       struct hl_error *err);

/** types_close() - accepts NULL */
void types_close(struct types *types);

/** struct field - where a member lies in a structure; @size 0 when this kernel has none of that name */
struct field {
	uint64_t offset, size;
};

/**
 * types_field() - find a member
 * @structure: "task_struct"
 * @path: "comm", "thread.sp"; members of unnamed structures within are found too
 */
struct field types_field(const struct types *types, const char *structure, const char *path);

/** types_size() - bytes of a structure, 0 when there is none of that name */
uint64_t types_size(const struct types *types, const char *structure);

/** field_read() - the unsigned integer in a member, 0 when it is not there */
uint64_t field_read(const struct mapping *mapping, uint64_t address, struct field field);

#endif
