// SPDX-License-Identifier: GPL-2.0-or-later
#include "units.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *suffix;
	int64_t factor;
};

/* Largest first: formatting takes the first that divides evenly. */
static const struct unit duration_units[] = {
	{"h", 3600 * NANOSECONDS_PER_SECOND},
	{"m", 60 * NANOSECONDS_PER_SECOND},
	{"s", NANOSECONDS_PER_SECOND},
	{"ms", 1000000},
	{"us", 1000},
	{"ns", 1},
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
		return hl_error_set(err, EINVAL, "'%s' is not a number with a unit (write for example %s)",
				    text, example);
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
	/* Not base 0, which takes a leading zero for octal. */
	parsed = strtoll(text, &end, !strncasecmp(text, "0x", 2) ? 16 : 10);
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

/* Seconds with as many decimals as it takes. */
static char *format_fraction(int64_t nanoseconds, char *text, size_t size)
{
	size_t length;

	snprintf(text, size, "%" PRId64 ".%09" PRId64, nanoseconds / NANOSECONDS_PER_SECOND,
		 nanoseconds % NANOSECONDS_PER_SECOND);
	length = strlen(text);
	while (text[length - 1] == '0')
		length--;
	snprintf(text + length, size - length, "s");
	return text;
}

/* "N" or "N-M". Return: what follows, or NULL. */
static const char *parse_range(const char *text, unsigned long *first, unsigned long *last)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	*first = *last = strtoul(text, &end, 10);
	if (*end != '-')
		return end;
	if (!isdigit((unsigned char)end[1]))
		return NULL;
	*last = strtoul(end + 1, &end, 10);
	return *last >= *first ? end : NULL;
}

int units_parse_cpus(const char *text, uint64_t *mask, struct hl_error *err)
{
	const char *position = text;
	uint64_t found = 0;

	if (!strcmp(text, "all")) {
		*mask = UINT64_MAX;
		return 0;
	}
	do {
		unsigned long first, last;

		position = parse_range(position + (found && *position == ','), &first, &last);
		if (!position || (*position && *position != ','))
			return hl_error_set(err, EINVAL,
					    "'%s' is not a list of CPUs (write for example 0-1,3 or all)",
					    text);
		if (last > 63)
			return hl_error_set(err, ERANGE, "'%s': there is no CPU %lu", text, last);
		for (; first <= last; first++)
			found |= UINT64_C(1) << first;
	} while (*position);
	*mask = found;
	return 0;
}

char *units_format_duration(int64_t nanoseconds, char *text, size_t size)
{
	bool below_hours = nanoseconds < 3600 * NANOSECONDS_PER_SECOND;

	if (!nanoseconds)
		return strcpy(text, "0s");
	if (nanoseconds % NANOSECONDS_PER_SECOND && nanoseconds > NANOSECONDS_PER_SECOND)
		return format_fraction(nanoseconds, text, size);
	/* Limits are mostly given in seconds: "120s" and not "2m". */
	return format_scaled(nanoseconds, duration_units + (below_hours ? 2 : 0), text, size);
}

char *units_format_size(uint64_t bytes, char *text, size_t size)
{
	return bytes ? format_scaled((int64_t)bytes, size_units, text, size) : strcpy(text, "0");
}
