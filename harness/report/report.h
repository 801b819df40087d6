/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_REPORT_REPORT_H
#define HANGLAB_REPORT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * struct report_format - a way to print results; lives in harness/report/NAME.c, one line in formats.def
 * @name: word for --format
 * @live: whether progress may be printed beside it on the same output
 * @print: print all results (an array of result objects, see README.md)
 */
struct report_format {
	const char *name;
	bool live;
	void (*print)(const json_t *results, FILE *out);
};

/** report_format_find() - the format called @name, or NULL */
const struct report_format *report_format_find(const char *name);

/** result_text() - a text member of a JSON object, or "" */
const char *result_text(const json_t *object, const char *key);

/** result_number() - a number member of a JSON object, or 0 */
double result_number(const json_t *object, const char *key);

/**
 * results_printable() - a copy in which control characters of all texts are spaces
 *
 * Much of it was said by a guest or a server, and must neither steer a terminal nor break lines.
 *
 * Return: a new reference, or NULL when out of memory.
 */
json_t *results_printable(const json_t *results);

#endif
