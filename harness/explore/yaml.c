// SPDX-License-Identifier: GPL-2.0-or-later
#include "explore/yaml.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Texts that need no quotes anywhere. JSON's quoted form is YAML too. */
static bool is_plain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";

	return text[0] && text[0] != '-' && !text[strspn(text, letters)] && strcasecmp(text, "null") != 0;
}

static void write_text(const json_t *text, FILE *out)
{
	char *quoted;

	if (is_plain(json_string_value(text))) {
		fputs(json_string_value(text), out);
		return;
	}
	quoted = json_dumps(text, JSON_ENCODE_ANY);
	fputs(quoted ? quoted : "\"\"", out);
	free(quoted);
}

static void write_flow(const json_t *value, FILE *out);

static void write_members(const json_t *object, FILE *out)
{
	const char *separator = "", *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		if (key[0] == '@')
			continue;
		fprintf(out, "%s%s: ", separator, key);
		write_flow(value, out);
		separator = ", ";
	}
}

static void write_items(const json_t *array, FILE *out)
{
	const json_t *value;
	size_t i;

	json_array_foreach (array, i, value) {
		fputs(i ? ", " : "", out);
		write_flow(value, out);
	}
}

static void write_flow(const json_t *value, FILE *out)
{
	if (json_is_object(value)) {
		fputc('{', out);
		write_members(value, out);
		fputc('}', out);
	} else if (json_is_array(value)) {
		fputc('[', out);
		write_items(value, out);
		fputc(']', out);
	} else {
		write_text(value, out);
	}
}

static bool is_list_of_objects(const json_t *value)
{
	return json_is_object(json_array_get(value, 0));
}

void yaml_write_scenario(const json_t *plan, FILE *out)
{
	const json_t *item;
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach ((json_t *)plan, key, value) {
		if (key[0] == '@' ||
		    (!json_is_string(value) && !json_array_size(value) && !json_object_size(value)))
			continue;
		fprintf(out, "%s:", key);
		if (!is_list_of_objects(value)) {
			fputc(' ', out);
			write_flow(value, out);
			fputc('\n', out);
			continue;
		}
		fputc('\n', out);
		json_array_foreach (value, i, item) {
			fputs("  - ", out);
			write_flow(item, out);
			fputc('\n', out);
		}
	}
}
