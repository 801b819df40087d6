// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/difference.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void difference_clear(struct difference *difference)
{
	free(difference->first);
	free(difference->second);
	*difference = (struct difference){0};
}

/* The line that begins at @start, fit to be printed; NULL at the end of the text. */
static char *printable_line(const char *start, const char *end)
{
	const char *newline = memchr(start, '\n', (size_t)(end - start));
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (start == end)
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		abort();
	for (; start < (newline ? newline : end); start++) {
		unsigned char byte = (unsigned char)*start;

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			fprintf(out, "\\x%02x", byte);
		else
			fputc(byte, out);
	}
	fclose(out);
	return text;
}

bool difference_of_texts(const char *first, size_t first_size, const char *second, size_t second_size,
			 struct difference *difference)
{
	size_t least = first_size < second_size ? first_size : second_size, line = 0, number = 1;

	for (size_t i = 0; i < least && first[i] == second[i]; i++)
		if (first[i] == '\n') {
			number++;
			line = i + 1;
		}
	if (first_size == second_size && !memcmp(first + line, second + line, first_size - line))
		return false;
	difference->number = number;
	difference->first = printable_line(first + line, first + first_size);
	difference->second = printable_line(second + line, second + second_size);
	return true;
}

/* Kind and title; NULL behind the last event. */
static char *name_of(const json_t *events, size_t index)
{
	const json_t *event = json_array_get(events, index);

	return event ? file_path("%s: %s", result_text(event, "kind"), result_text(event, "title")) : NULL;
}

bool difference_of_events(const json_t *first, const json_t *second, struct difference *difference)
{
	for (size_t i = 0; i < json_array_size(first) || i < json_array_size(second); i++) {
		cleanup_free char *left = name_of(first, i), *right = name_of(second, i);

		if (left && right && !strcmp(left, right))
			continue;
		*difference = (struct difference){i + 1, left, right};
		left = right = NULL;
		return true;
	}
	return false;
}
