/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_PARSE_H
#define HANGLAB_CHECKERS_PARSE_H

#include "report.h"

#include <string.h>

/* Small helpers that the parsers share. */

/**
 * parse_task() - "comm:pid" where comm may hold colons, spaces and slashes
 * @report: receives comm and pid
 * @text: start of comm
 * @end: behind the last digit of pid
 *
 * Return: false when it does not end in ":digits".
 */
bool parse_task(struct report *report, const char *text, const char *end);

/** parse_number() - unsigned decimal or, with "0x", hexadecimal. Return: behind it, or NULL. */
const char *parse_number(const char *text, unsigned long long *value);

/** parse_hex() - hexadecimal digits, perhaps behind "0x". Return: behind them, or NULL. */
const char *parse_hex(const char *text, uint64_t *value);

/** parse_after() - behind the first @needle in @text, or NULL */
const char *parse_after(const char *text, const char *needle);

/** parse_starts() - behind @prefix, which is not empty, when @text starts with it, or NULL */
static inline const char *parse_starts(const char *text, const char *prefix)
{
	/* Most comparisons end at the first byte. */
	if (*text != *prefix || strncmp(text, prefix, strlen(prefix)) != 0)
		return NULL;
	return text + strlen(prefix);
}

/** parse_trimmed() - length of @text without white space at its end */
size_t parse_trimmed(const char *text);

/**
 * parse_at_start() - does the message start at @anchor?
 *
 * Subsystem names that printk formats put in front ("watchdog: ", "rcu: ", "NMI watchdog: ", "mce: ")
 * and decoration ("[ ", "=") do not count, prose does.
 */
bool parse_at_start(const struct line *line, const char *anchor);

/** parse_function() - a function name at @text ("name+0x1/0x2", "name", "name.isra.0"). Return: its length.
 */
size_t parse_function(const char *text);

#endif
