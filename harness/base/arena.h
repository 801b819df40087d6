/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_ARENA_H
#define HANGLAB_BASE_ARENA_H

#include <stddef.h>

/**
 * struct arena - memory that is freed all at once
 * @chunks: what was allocated, newest first; NULL for an empty arena
 *
 * For trees that are built once and then only read (scenarios, plans). Running out of memory ends
 * the process: such a tree is a few kilobytes.
 */
struct arena {
	struct arena_chunk *chunks;
};

/** arena_allocate() - zeroed memory that lives as long as the arena */
void *arena_allocate(struct arena *arena, size_t size);

/** arena_string() - a copy of @text that lives as long as the arena */
char *arena_string(struct arena *arena, const char *text);

/** arena_format() - printf into the arena */
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * arena_append() - make room for one more element of an array that lives in the arena
 * @array: address of the pointer to the array
 * @count: its element count, increased by one
 * @size: of an element
 *
 * Return: the new, zeroed element. Elements may move: keep no pointers to them while appending.
 */
void *arena_append(struct arena *arena, void *array, size_t *count, size_t size);

/** arena_free() - free everything; the arena is empty and usable afterwards */
void arena_free(struct arena *arena);

#endif
