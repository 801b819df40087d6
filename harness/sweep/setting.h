/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SWEEP_SETTING_H
#define HANGLAB_SWEEP_SETTING_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/** Points of a sweep at the most. */
#define SWEEP_MOST_POINTS 1000

/**
 * struct sweep_setting - something that is tried with several values
 * @name: of the sysctl or boot parameter
 * @boot: it is a boot parameter
 * @values: NULL-terminated, @count of them
 */
struct sweep_setting {
	const char *name;
	bool boot;
	const char **values;
	size_t count;
};

/**
 * sweep_setting_parse() - "NAME=V1,V2,..."
 * @arena: holds the texts
 *
 * Return: 0 or -EINVAL.
 */
int sweep_setting_parse(const char *text, bool boot, struct sweep_setting *setting, struct arena *arena,
			struct hl_error *err);

/** sweep_point_count() - combinations of all values; more than SWEEP_MOST_POINTS when there are too many */
size_t sweep_point_count(const struct sweep_setting *settings, size_t count);

/** sweep_value() - the value of setting @which at combination @point; the last setting changes fastest */
const char *sweep_value(const struct sweep_setting *settings, size_t count, size_t which, size_t point);

#endif
