/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_UNITS_H
#define HANGLAB_BASE_UNITS_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

#define NANOSECONDS_PER_SECOND INT64_C(1000000000)

/**
 * units_parse_duration() - "250ms", "2s", "1.5s", "3m", "1h" to nanoseconds
 * @text: the text; a unit is required ("us", "ms", "s", "m", "h"), only "0" may stand alone
 * @nanoseconds: the result, untouched on failure
 * @err: says what is wrong and what would be right
 *
 * Return: 0 or -EINVAL, -ERANGE.
 */
int units_parse_duration(const char *text, int64_t *nanoseconds, struct hl_error *err);

/**
 * units_parse_size() - "4096", "64K", "512M", "2G" (powers of 1024) to bytes
 *
 * Return: 0 or -EINVAL, -ERANGE.
 */
int units_parse_size(const char *text, uint64_t *bytes, struct hl_error *err);

/**
 * units_parse_integer() - a whole decimal or 0x number, nothing behind it
 *
 * Return: 0 or -EINVAL, -ERANGE.
 */
int units_parse_integer(const char *text, int64_t *value, struct hl_error *err);

/**
 * units_parse_cpus() - a list of CPUs as the kernel writes it, "0-1,3", or "all"
 * @mask: bit N stands for CPU N; all bits for "all"
 *
 * Return: 0 or -EINVAL, -ERANGE for a CPU above 63.
 */
int units_parse_cpus(const char *text, uint64_t *mask, struct hl_error *err);

/**
 * units_format_duration() - the shortest text that units_parse_duration() reads back
 * @nanoseconds: the duration
 * @text: buffer of at least 32 bytes
 * @size: its size
 *
 * Return: @text.
 */
char *units_format_duration(int64_t nanoseconds, char *text, size_t size);

/** units_format_size() - bytes as "64M", "1536K"; @text holds at least 32 bytes. Return: @text. */
char *units_format_size(uint64_t bytes, char *text, size_t size);

#endif
