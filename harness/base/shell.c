// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell.h"

#include <stdlib.h>
#include <string.h>

/* What no shell gives a meaning to, anywhere in a word. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:@_="

void shell_print_word(const char *word, FILE *out)
{
	if (*word && !word[strspn(word, PLAIN)]) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	fputc('\'', out);
}

char *shell_quote(const char *word)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	shell_print_word(word, out);
	fclose(out);
	return text;
}
