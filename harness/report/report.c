// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/report.h"

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
