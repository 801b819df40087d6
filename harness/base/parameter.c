// SPDX-License-Identifier: GPL-2.0-or-later
#include "parameter.h"

#include "similar.h"
#include "units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct parameter *parameter_find(const struct parameter *table, const char *name)
{
	for (; table && table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static void format_number(const struct parameter *parameter, int64_t value, char *text, size_t size)
{
	if (parameter->type == PARAMETER_DURATION)
		units_format_duration(value, text, size);
	else if (parameter->type == PARAMETER_SIZE)
		units_format_size((uint64_t)value, text, size);
	else
		snprintf(text, size, "%" PRId64, value);
}

static int check_range(const struct parameter *parameter, const char *text, int64_t value,
		       struct hl_error *err)
{
	char least[32], most[32];

	if ((!parameter->least && !parameter->most) ||
	    (value >= parameter->least && value <= parameter->most))
		return 0;
	format_number(parameter, parameter->least, least, sizeof(least));
	format_number(parameter, parameter->most, most, sizeof(most));
	return hl_error_set(err, ERANGE, "'%s' is out of range (%s to %s)", text, least, most);
}

static int parse_boolean(const char *text, bool *value, struct hl_error *err)
{
	bool yes = !strcmp(text, "true"), no = !strcmp(text, "false");

	if (!yes && !no)
		return hl_error_set(err, EINVAL, "'%s' is neither true nor false", text);
	*value = yes;
	return 0;
}

/* Longer lists of choices only bury the suggestion. */
#define LONG_LIST 100

static int parse_choice(const char *const *choices, const char *text, int *value, struct hl_error *err)
{
	char list[512] = "";
	const char *near;
	size_t count;

	for (count = 0; choices[count]; count++) {
		if (!strcmp(choices[count], text)) {
			*value = (int)count;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", count ? ", " : "",
			 choices[count]);
	}
	near = similar_find(text, choices, count);
	if (near && strlen(list) > LONG_LIST)
		return hl_error_set(err, EINVAL, "'%s' is unknown; did you mean '%s'?", text, near);
	return hl_error_set(err, EINVAL, "'%s' is not one of %s%s%s%s", text, list,
			    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int parameter_set(const struct parameter *parameter, const char *text, void *values, struct hl_error *err)
{
	void *field = (char *)values + parameter->offset;
	int64_t number = 0;
	int r = 0;

	switch (parameter->type) {
	case PARAMETER_PATH:
		if (text[0] != '/')
			return hl_error_set(err, EINVAL, "'%s' is not an absolute path", text);
		/* fall through */
	case PARAMETER_STRING:
		*(const char **)field = text;
		return 0;
	case PARAMETER_BOOLEAN:
		return parse_boolean(text, field, err);
	case PARAMETER_CHOICE:
		return parse_choice(parameter->choices, text, field, err);
	case PARAMETER_CPUS:
		return units_parse_cpus(text, field, err);
	case PARAMETER_DURATION:
		r = units_parse_duration(text, &number, err);
		break;
	case PARAMETER_SIZE:
		r = units_parse_size(text, (uint64_t *)&number, err);
		break;
	case PARAMETER_INTEGER:
		r = units_parse_integer(text, &number, err);
		break;
	}
	if (!r)
		r = check_range(parameter, text, number, err);
	if (!r)
		*(int64_t *)field = number;
	return r;
}

void parameters_set_defaults(const struct parameter *table, void *values)
{
	for (; table && table->name; table++)
		if (table->fallback)
			parameter_set(table, table->fallback, values, NULL);
}

static int set_named(const struct parameter *table, const char *name, const json_t *value, void *values,
		     struct hl_error *err)
{
	const struct parameter *parameter = parameter_find(table, name);
	int r;

	if (!parameter)
		return hl_error_set(err, EINVAL, "unknown parameter '%s'", name);
	if (!json_is_string(value))
		return hl_error_set(err, EINVAL, "parameter '%s' is not a text", name);
	r = parameter_set(parameter, json_string_value(value), values, err);
	if (r)
		hl_error_prefix(err, "parameter '%s'", name);
	return r;
}

int parameters_load(const struct parameter *table, const json_t *with, void *values, struct hl_error *err)
{
	const char *name;
	json_t *value;

	parameters_set_defaults(table, values);
	json_object_foreach ((json_t *)with, name, value) {
		/* "@KEY" is the position of KEY in the scenario file (schema.h). */
		int r = name[0] == '@' ? 0 : set_named(table, name, value, values, err);

		if (r)
			return r;
	}
	for (; table && table->name; table++)
		if (table->required && !json_object_get(with, table->name))
			return hl_error_set(err, EINVAL, "parameter '%s' is missing", table->name);
	return 0;
}

const char *parameter_type_name(enum parameter_type type)
{
	static const char *const names[] = {
		[PARAMETER_STRING] = "text",	   [PARAMETER_PATH] = "absolute path",
		[PARAMETER_DURATION] = "duration", [PARAMETER_SIZE] = "size",
		[PARAMETER_INTEGER] = "number",	   [PARAMETER_BOOLEAN] = "true|false",
		[PARAMETER_CHOICE] = "choice",	   [PARAMETER_CPUS] = "CPUs (0-1,3 or all)",
	};

	return names[type];
}

static void describe_type(const struct parameter *parameter, char *text, size_t size)
{
	if (parameter->type != PARAMETER_CHOICE) {
		snprintf(text, size, "%s", parameter_type_name(parameter->type));
		return;
	}
	for (const char *const *choice = parameter->choices; *choice; choice++)
		snprintf(text + strlen(text), size - strlen(text), "%s%s",
			 choice == parameter->choices ? "" : "|", *choice);
}

char *parameter_describe(const struct parameter *parameter, char *text, size_t size)
{
	char least[32], most[32];

	text[0] = '\0';
	describe_type(parameter, text, size);
	if (parameter->least || parameter->most) {
		format_number(parameter, parameter->least, least, sizeof(least));
		format_number(parameter, parameter->most, most, sizeof(most));
		snprintf(text + strlen(text), size - strlen(text), " from %s to %s", least, most);
	}
	if (parameter->required)
		snprintf(text + strlen(text), size - strlen(text), ", required");
	else if (parameter->fallback && parameter->fallback[0])
		snprintf(text + strlen(text), size - strlen(text), ", default %s", parameter->fallback);
	return text;
}
