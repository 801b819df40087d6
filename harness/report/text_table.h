/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_REPORT_TEXT_TABLE_H
#define HANGLAB_REPORT_TEXT_TABLE_H

#include <jansson.h>
#include <stdio.h>

/**
 * struct text_table - cells that are printed in columns as wide as they need; zeroed at first
 * @rows: array of arrays of texts
 */
struct text_table {
	json_t *rows;
};

/** text_table_row() - what is added next begins a new row */
void text_table_row(struct text_table *table);

/** text_table_add() - a cell more in the last row */
void text_table_add(struct text_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** text_table_print() - print, two blanks between columns and none at the ends, and release it */
void text_table_print(struct text_table *table, FILE *out);

#endif
