/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_MODULES_H
#define HANGLAB_POSTMORTEM_MODULES_H

#include "postmortem/types.h"

/** struct orc_table - unwind tables of the kernel or of a module: addresses, and how to unwind at each */
struct orc_table {
	uint64_t begin, end;
	uint64_t addresses, entries, count;
};

/**
 * modules_read() - add the symbols of the loaded modules, and collect their unwind tables
 * @tables: appended to
 *
 * symbols_sort() afterwards.
 */
void modules_read(const struct mapping *mapping, const struct types *types, struct symbols *symbols,
		  struct orc_table **tables, size_t *count);

#endif
