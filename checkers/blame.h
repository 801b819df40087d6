/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_BLAME_H
#define HANGLAB_CHECKERS_BLAME_H

#include "report.h"

/**
 * enum blame_class - what a function of blame.def is for
 *
 * The first group is never to blame for a hang, the second never for anything, the third only matters
 * for some reports: a double free is not kfree's fault.
 */
enum blame_class {
	BLAME_SCHEDULER = 1 << 0,
	BLAME_LOCK = 1 << 1,
	BLAME_WAIT = 1 << 2,
	BLAME_TICK = 1 << 3,

	BLAME_DETECTOR = 1 << 4,
	BLAME_INTERRUPT = 1 << 5,
	BLAME_ENTRY = 1 << 6,
	BLAME_INSTRUMENT = 1 << 7,
	BLAME_HELPER = 1 << 8,
	BLAME_DEVICE = 1 << 9,

	BLAME_RCU = 1 << 10,
	BLAME_MEMORY = 1 << 11,
	BLAME_OVERFLOW = 1 << 12,
	BLAME_OBJECT = 1 << 13,
	BLAME_USERCOPY = 1 << 14,
	BLAME_PROC = 1 << 15,
	BLAME_USB = 1 << 16,
	BLAME_REFCOUNT = 1 << 17,
	BLAME_KOBJECT = 1 << 18,
	BLAME_PREEMPTION = 1 << 19,
	BLAME_STACK_CHECK = 1 << 20,
};

/** blame_matches() - is @function, without compiler suffixes, what @pattern ("f", "f*", "*f", "*f*") says? */
bool blame_matches(const char *function, const char *pattern);

/** blame_is_interrupt_code() - does @function belong to the tick, a detector or the entry of an interrupt? */
bool blame_is_interrupt_code(const char *function);

/**
 * blame_find() - choose the stack and the function to blame; sets @report->event.function
 *
 * Return: index of the blamed stack; stack_count when there is none.
 */
size_t blame_find(struct report *report);

#endif
