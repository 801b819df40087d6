// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/text_table.h"

#include <stdarg.h>
#include <string.h>

void text_table_row(struct text_table *table)
{
	if (!table->rows)
		table->rows = json_array();
	json_array_append_new(table->rows, json_array());
}

void text_table_add(struct text_table *table, const char *format, ...)
{
	json_t *row = json_array_get(table->rows, json_array_size(table->rows) - 1);
	va_list args;

	va_start(args, format);
	json_array_append_new(row, json_vsprintf(format, args));
	va_end(args);
}

static int widest(const struct text_table *table, size_t column)
{
	size_t width = 0, i;
	const json_t *row;

	json_array_foreach (table->rows, i, row) {
		size_t length = json_string_length(json_array_get(row, column));

		width = length > width ? length : width;
	}
	return (int)width;
}

void text_table_print(struct text_table *table, FILE *out)
{
	const json_t *row, *cell;
	size_t i, k;

	json_array_foreach (table->rows, i, row) {
		json_array_foreach (row, k, cell)
			fprintf(out, "%s%-*s", k ? "  " : "",
				k + 1 < json_array_size(row) ? widest(table, k) : 0, json_string_value(cell));
		fputc('\n', out);
	}
	json_decref(table->rows);
	table->rows = NULL;
}
