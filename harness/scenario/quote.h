/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SCENARIO_QUOTE_H
#define HANGLAB_SCENARIO_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Quoting a file that may hold anything: what is printed is valid UTF-8 without control characters, so a
 * broken file cannot upset the terminal it is shown on.
 */

/**
 * quote_position() - move a position that lies behind the last line's text back to the end of that text
 * @text: the whole file, of @size bytes
 * @line, @column: counted from 1, in characters
 *
 * A parser that misses a closing bracket points behind the end of the file.
 */
void quote_position(const char *text, size_t size, int *line, int *column);

/**
 * quote_line() - a line of a file and a mark below one of its columns
 * @text: the whole file, of @length bytes
 * @line, @column: counted from 1, in characters
 * @quote: receives "\n  LINE\n  ^", at least 512 bytes; empty when there is no such line
 *
 * Of a long line only the part around the column is shown.
 */
void quote_line(const char *text, size_t length, int line, int column, char *quote, size_t size);

/**
 * quote_find_unprintable() - the first byte that YAML allows nowhere: a control character other than tab and
 * line ends, or one that is not UTF-8
 * @text: the whole file, of @size bytes
 * @line, @column: receive its position
 * @is_control: receives which of the two it is
 *
 * Return: the byte, or -1 when there is none.
 */
int quote_find_unprintable(const char *text, size_t size, int *line, int *column, bool *is_control);

/** quote_clean() - replace control characters in a text by '?', for messages */
void quote_clean(char *text);

#endif
