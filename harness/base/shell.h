/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_SHELL_H
#define HANGLAB_BASE_SHELL_H

#include <stdio.h>

/** shell_print_word() - write a word so that a shell reads it as it is, quoted where it must be */
void shell_print_word(const char *word, FILE *out);

/** shell_quote() - the same as a newly allocated text */
char *shell_quote(const char *word);

#endif
