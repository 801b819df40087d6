/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_SIMILAR_H
#define HANGLAB_BASE_SIMILAR_H

#include <stddef.h>

/**
 * similar_distance() - edits (insert, delete, replace, swap neighbours) that turn @a into @b
 *
 * Return: the count; a large number when either is longer than 63 characters.
 */
unsigned int similar_distance(const char *a, const char *b);

/**
 * similar_find() - the known word that a mistyped one most likely meant
 * @word: what was typed
 * @known: the candidates
 * @count: how many
 *
 * Return: one of @known, or NULL when none is near.
 */
const char *similar_find(const char *word, const char *const *known, size_t count);

#endif
