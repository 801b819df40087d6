/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_UNWIND_H
#define HANGLAB_POSTMORTEM_UNWIND_H

#include "postmortem/modules.h"

/**
 * struct unwinder - unwinds kernel stacks with the kernel's own ORC tables; unwinder_close() it
 * @call_type: type of an entry for code that was called
 * @renumbered: registers have the numbers of newer kernels
 */
struct unwinder {
	const struct mapping *mapping;
	const struct symbols *symbols;
	struct orc_table *tables;
	size_t table_count;
	int call_type;
	bool renumbered;
};

/** struct frame - one frame; @reliable false: a return address that lies on the stack, no more is known */
struct frame {
	uint64_t address;
	bool reliable;
};

#define UNWIND_MOST_FRAMES 64

/** struct unwind_state - where to begin: the registers RIP, RSP, RBP */
struct unwind_state {
	uint64_t ip, sp, bp;
};

/**
 * unwinder_open() - find the tables of the kernel; @tables of modules are taken over
 *
 * A kernel without them is unwound by the return addresses that lie on its stacks.
 */
void unwinder_open(struct unwinder *unwinder, const struct mapping *mapping, const struct symbols *symbols,
		   const struct types *types, struct orc_table *tables, size_t table_count);

/** unwinder_close() - accepts a zeroed one */
void unwinder_close(struct unwinder *unwinder);

/** unwind() - the frames, innermost first. Return: how many, UNWIND_MOST_FRAMES at most. */
size_t unwind(const struct unwinder *unwinder, struct unwind_state state,
	      struct frame frames[UNWIND_MOST_FRAMES]);

#endif
