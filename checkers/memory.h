/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_MEMORY_H
#define HANGLAB_CHECKERS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory that is given out in small pieces and released at once: the strings and frames of one event.
 * All functions take the address of the owner's pointer, NULL in the beginning.
 */
struct hl_memory;

/** memory_get() - @size zeroed bytes, aligned for any type. Return: NULL when out of memory. */
void *memory_get(struct hl_memory **memory, size_t size);

/** memory_text() - a NUL-terminated copy of @size bytes. Return: "" when out of memory, never NULL. */
const char *memory_text(struct hl_memory **memory, const char *text, size_t size);

/** memory_string() - a copy of @text; NULL stays NULL */
const char *memory_string(struct hl_memory **memory, const char *text);

/** memory_format() - printf into new memory. Return: "" when out of memory, never NULL. */
const char *memory_format(struct hl_memory **memory, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** memory_reuse() - take back everything that was given out, but keep some to be given out again */
void memory_reuse(struct hl_memory **memory);

/** memory_release() - everything that was given out */
void memory_release(struct hl_memory **memory);

#endif
