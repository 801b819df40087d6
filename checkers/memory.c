// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 16000 /* most reports need one block, which is used again */

struct hl_memory {
	struct hl_memory *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

static void *take(struct hl_memory **memory, size_t size, size_t alignment)
{
	struct hl_memory *block = *memory;
	size_t start = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;

	if (!block || start + size > block->size) {
		size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		block = malloc(sizeof(*block) + capacity);
		if (!block)
			return NULL;
		*block = (struct hl_memory){.next = *memory, .size = capacity};
		*memory = block;
		start = 0;
	}
	block->used = start + size;
	return block->bytes + start;
}

void *memory_get(struct hl_memory **memory, size_t size)
{
	void *bytes = take(memory, size, _Alignof(max_align_t));

	return bytes ? memset(bytes, 0, size) : NULL;
}

const char *memory_text(struct hl_memory **memory, const char *text, size_t size)
{
	char *copy = take(memory, size + 1, 1);

	if (!copy)
		return "";
	memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

const char *memory_string(struct hl_memory **memory, const char *text)
{
	return text ? memory_text(memory, text, strlen(text)) : NULL;
}

const char *memory_format(struct hl_memory **memory, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length < 0)
		return "";
	return memory_text(memory, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

void memory_reuse(struct hl_memory **memory)
{
	struct hl_memory *block = *memory;

	if (!block)
		return;
	memory_release(&block->next);
	block->used = 0;
}

void memory_release(struct hl_memory **memory)
{
	while (*memory) {
		struct hl_memory *block = *memory;

		*memory = block->next;
		free(block);
	}
}
