// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT(name) extern const struct report_format report_##name;
#include "report/formats.def"
#undef FORMAT

static const struct report_format *const formats[] = {
#define FORMAT(name) &report_##name,
#include "report/formats.def"
#undef FORMAT
	NULL,
};

const struct report_format *report_format_find(const char *name)
{
	for (size_t i = 0; formats[i]; i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

const char *result_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

double result_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* ASCII ones, and U+0080 to U+009F in UTF-8, which terminals obey as well. */
static size_t control_length(const unsigned char *c)
{
	if (*c < 0x20 || *c == 0x7f)
		return 1;
	return *c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
}

static json_t *printable_text(const json_t *value)
{
	char *text = strdup(json_string_value(value));
	json_t *clean;

	if (!text)
		return NULL;
	for (char *c = text; *c; c++) {
		size_t length = control_length((unsigned char *)c);

		memset(c, ' ', length);
		c += length ? length - 1 : 0;
	}
	clean = json_string(text);
	free(text);
	return clean;
}

json_t *results_printable(const json_t *results)
{
	json_t *copy, *item;
	const char *key;
	size_t i;

	if (json_is_string(results))
		return printable_text(results);
	if (json_is_array(results)) {
		copy = json_array();
		json_array_foreach (results, i, item)
			json_array_append_new(copy, results_printable(item));
		return copy;
	}
	if (json_is_object(results)) {
		copy = json_object();
		json_object_foreach ((json_t *)results, key, item)
			json_object_set_new(copy, key, results_printable(item));
		return copy;
	}
	return json_incref((json_t *)results);
}
