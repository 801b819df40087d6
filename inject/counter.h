/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_COUNTER_H
#define HANGLAB_INJECT_COUNTER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The kernel's own counters, evidence that a load is there: files of lines "NAME NUMBER ..." or
 * "NAME: NUMBER ... text", such as /proc/vmstat, /proc/stat, /proc/meminfo, /proc/interrupts, cpu.stat and
 * memory.events of a control group.
 */

/** Instead of a column: the sum of all numbers of the line. */
#define COUNTER_SUM SIZE_MAX

/**
 * struct counter - one counter
 * @path: file
 * @name: first word of its line, without a colon
 * @column: which number of the line, from 0; or COUNTER_SUM
 */
struct counter {
	const char *path, *name;
	size_t column;
};

/**
 * counter_parse() - find a counter in the text of its file
 *
 * Return: 0; -ENOENT when there is no such line or column.
 */
int counter_parse(const struct counter *counter, const char *text, int64_t *value, struct hl_error *err);

/**
 * counter_read() - its present value
 *
 * Return: 0; -ENOENT when this kernel has none; -errno.
 */
int counter_read(const struct counter *counter, int64_t *value, struct hl_error *err);

/**
 * counter_await() - wait until it is @least or more
 * @limit: nanoseconds
 * @value: receives the last value read
 *
 * Return: 0; -ETIMEDOUT with a message that says how far it came; -errno.
 */
int counter_await(const struct counter *counter, int64_t least, int64_t limit, int64_t *value,
		  struct hl_error *err);

#endif
