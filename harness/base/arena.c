// SPDX-License-Identifier: GPL-2.0-or-later
#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk *next;
	_Alignas(max_align_t) char memory[];
};

void *arena_allocate(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (!chunk)
		abort();
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk->memory;
}

char *arena_string(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(arena_allocate(arena, size), text, size);
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text, *copy;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	if (r < 0)
		abort();
	copy = arena_string(arena, text);
	free(text);
	return copy;
}

void *arena_append(struct arena *arena, void *array, size_t *count, size_t size)
{
	char **elements = array;

	/* Grow at powers of two: the count alone tells when the room is used up. */
	if (!(*count & (*count - 1))) {
		char *larger = arena_allocate(arena, (*count ? 2 * *count : 1) * size);

		if (*count)
			memcpy(larger, *elements, *count * size);
		*elements = larger;
	}
	return *elements + (*count)++ * size;
}

void arena_free(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
}
