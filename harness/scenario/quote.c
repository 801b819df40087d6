// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario/quote.h"

#include <stdio.h>
#include <string.h>

/* Characters shown of a long line, and how many of them before the marked one. */
#define SHOWN  100
#define BEFORE 60

static bool is_shown(unsigned char c)
{
	return c >= ' ' && c != 0x7f;
}

static bool is_forbidden(unsigned char c)
{
	return !is_shown(c) && c != '\t' && c != '\r' && c != '\n';
}

/* Bytes of the character at @text (Unicode 15, table 3-7); 0 when it is not valid UTF-8. */
static size_t character_length(const char *text, size_t left)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t length = c[0] < 0x80   ? 1
			: c[0] < 0xc2 ? 0
			: c[0] < 0xe0 ? 2
			: c[0] < 0xf0 ? 3
			: c[0] < 0xf5 ? 4
				      : 0;

	if (length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
	    (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return length;
}

/* What cannot be shown counts as one character of one byte. */
static size_t step_over(const char *text, size_t left)
{
	size_t length = character_length(text, left);

	return length ? length : 1;
}

static const char *find_line(const char *text, size_t size, int line, size_t *length)
{
	const char *end = text + size, *newline;

	for (int i = 1; i < line; i++) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			return NULL;
		text = newline + 1;
	}
	newline = memchr(text, '\n', (size_t)(end - text));
	*length = (size_t)((newline ? newline : end) - text);
	if (*length && text[*length - 1] == '\r')
		--*length;
	return text;
}

static int count_characters(const char *text, size_t length)
{
	int count = 0;

	for (size_t at = 0; at < length; at += step_over(text + at, length - at))
		count++;
	return count;
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != ' ')
			return false;
	return true;
}

void quote_position(const char *text, size_t size, int *line, int *column)
{
	const char *start;
	size_t length = 0;

	while (*line > 1 && (!(start = find_line(text, size, *line, &length)) || is_blank(start, length))) {
		--*line;
		start = find_line(text, size, *line, &length);
		*column = start ? count_characters(start, length) + 1 : 1;
	}
}

/* One character of a quoted line, made harmless. */
static size_t put_character(const char *from, size_t length, char *quote)
{
	/* U+0080 to U+009F are control characters as well. */
	bool shown = character_length(from, length) && is_shown((unsigned char)from[0]) &&
		     !((unsigned char)from[0] == 0xc2 && (unsigned char)from[1] < 0xa0);

	if (from[0] == '\t' || shown) {
		memcpy(quote, from, length);
		return length;
	}
	quote[0] = '?';
	return 1;
}

void quote_line(const char *text, size_t size_of_text, int line, int column, char *quote, size_t size)
{
	size_t length, used, mark = 0;
	const char *start = find_line(text, size_of_text, line, &length);
	int number = 1, first = column > BEFORE ? column - BEFORE : 1;
	char marks[4 * SHOWN];

	quote[0] = '\0';
	if (!start || size < 512)
		return;
	used = (size_t)snprintf(quote, size, "\n  %s", first > 1 ? "..." : "");
	mark = (size_t)snprintf(marks, sizeof(marks), "\n  %s", first > 1 ? "   " : "");
	for (size_t at = 0; at < length && number < first + SHOWN; number++) {
		size_t next = step_over(start + at, length - at);

		if (number >= first) {
			used += put_character(start + at, next, quote + used);
			if (number < column)
				marks[mark++] = start[at] == '\t' ? '\t' : ' ';
		}
		at += next;
	}
	snprintf(quote + used, size - used, "%s%.*s^", number == first + SHOWN ? "..." : "", (int)mark,
		 marks);
}

int quote_find_unprintable(const char *text, size_t size, int *line, int *column, bool *is_control)
{
	*line = *column = 1;
	for (size_t at = 0; at < size; at += step_over(text + at, size - at)) {
		unsigned char c = (unsigned char)text[at];

		*is_control = is_forbidden(c);
		if (*is_control || !character_length(text + at, size - at))
			return c;
		*column = c == '\n' ? 1 : *column + 1;
		*line += c == '\n';
	}
	return -1;
}

void quote_clean(char *text)
{
	for (; *text; text++)
		if (!is_shown((unsigned char)*text))
			*text = '?';
}
