// SPDX-License-Identifier: GPL-2.0-or-later
#include "units.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *suffix;
	int64_t factor;
};

/* Largest first: formatting takes the first that divides evenly. */
static const struct unit duration_units[] = {
	{"h", 3600 * NANOSECONDS_PER_SECOND}, {"m", 60 * NANOSECONDS_PER_SECOND}, {"s", NANOSECONDS_PER_SECOND},
	{"ms", 1000000},                      {"us", 1000},                       {"ns", 1},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"G", 1LL << 30}, {"M", 1LL << 20}, {"K", 1LL << 10}, {"", 1}, {NULL, 0},
};

static const struct unit *find_unit(const struct unit *units, const char *suffix)
{
	for (; units->suffix; units++)
		if (!strcmp(units->suffix, suffix))
			return units;
	return NULL;
}

/* Reads "NUMBER[.FRACTION]SUFFIX"; a bare number is refused unless "" is one of the units or it is 0. */
static int parse_scaled(const char *text, const struct unit *units, const char *example, int64_t *result,
			struct hl_error *err)
{
	const struct unit *unit;
	double value;
	char *end;

	if (!isdigit((unsigned char)text[0]) || (text[0] == '0' && tolower((unsigned char)text[1]) == 'x'))
		return hl_error_set(err, EINVAL, "'%s' is not a number with a unit (write for example %s)", text,
				    example);
	value = strtod(text, &end);
	unit = find_unit(units, end);
	if (!unit && !*end && value == 0)
		unit = &units[0];
	if (!unit)
		return hl_error_set(err, EINVAL, "'%s' has %s unit (write for example %s)", text,
				    *end ? "an unknown" : "no", example);
	value *= (double)unit->factor;
	if (!(value < 9.2e18))
		return hl_error_set(err, ERANGE, "'%s' is too large", text);
	*result = llround(value);
	return 0;
}

int units_parse_duration(const char *text, int64_t *nanoseconds, struct hl_error *err)
{
	return parse_scaled(text, duration_units, "250ms, 2s or 3m", nanoseconds, err);
}

int units_parse_size(const char *text, uint64_t *bytes, struct hl_error *err)
{
	int64_t value = 0;
	int r;

	r = parse_scaled(text, size_units, "4096, 64K or 512M", &value, err);
	if (!r)
		*bytes = (uint64_t)value;
	return r;
}

int units_parse_integer(const char *text, int64_t *value, struct hl_error *err)
{
	long long parsed;
	char *end;

	errno = 0;
	parsed = strtoll(text, &end, 0);
	if (end == text || *end || isspace((unsigned char)text[0]))
		return hl_error_set(err, EINVAL, "'%s' is not a whole number", text);
	if (errno)
		return hl_error_set(err, ERANGE, "'%s' is too large", text);
	*value = parsed;
	return 0;
}

static char *format_scaled(int64_t value, const struct unit *units, char *text, size_t size)
{
	while (units->factor > 1 && value % units->factor)
		units++;
	snprintf(text, size, "%" PRId64 "%s", value / units->factor, units->suffix);
	return text;
}

char *units_format_duration(int64_t nanoseconds, char *text, size_t size)
{
	if (nanoseconds % NANOSECONDS_PER_SECOND && nanoseconds > NANOSECONDS_PER_SECOND) {
		snprintf(text, size, "%.9g", (double)nanoseconds / (double)NANOSECONDS_PER_SECOND);
		strncat(text, "s", size - strlen(text) - 1);
		return text;
	}
	return nanoseconds ? format_scaled(nanoseconds, duration_units + (nanoseconds < 3600 * NANOSECONDS_PER_SECOND ? 2 : 0), text, size)
			   : strcpy(text, "0s");
}

char *units_format_size(uint64_t bytes, char *text, size_t size)
{
	return bytes ? format_scaled((int64_t)bytes, size_units, text, size) : strcpy(text, "0");
}
