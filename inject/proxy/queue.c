// SPDX-License-Identifier: GPL-2.0-or-later
#include "queue.h"

#include <stdlib.h>
#include <string.h>

/**
 * struct chunk - bytes that arrived together
 * @time: when
 * @start: those before it are gone
 */
struct chunk {
	struct chunk *next;
	int64_t time;
	size_t size, start;
	uint8_t bytes[];
};

/* With what malloc() adds. */
static size_t chunk_memory(const struct chunk *chunk)
{
	return sizeof(*chunk) + chunk->size + 16;
}

bool queue_append(struct queue *queue, const uint8_t *bytes, size_t size, int64_t time)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + size);

	if (!chunk)
		return false;
	*chunk = (struct chunk){.time = time, .size = size};
	memcpy(chunk->bytes, bytes, size);
	if (queue->last)
		queue->last->next = chunk;
	else
		queue->first = chunk;
	queue->last = chunk;
	queue->bytes += size;
	queue->memory += chunk_memory(chunk);
	return true;
}

const uint8_t *queue_first(const struct queue *queue, size_t *size, int64_t *time)
{
	const struct chunk *first = queue->first;

	if (!first)
		return NULL;
	*size = first->size - first->start;
	*time = first->time;
	return first->bytes + first->start;
}

void queue_drop(struct queue *queue, size_t size)
{
	struct chunk *first = queue->first;

	queue->bytes -= size;
	first->start += size;
	if (first->start < first->size)
		return;
	queue->memory -= chunk_memory(first);
	queue->first = first->next;
	if (!queue->first)
		queue->last = NULL;
	free(first);
}

void queue_move(struct queue *queue, struct queue *from)
{
	if (!from->first)
		return;
	if (queue->last)
		queue->last->next = from->first;
	else
		queue->first = from->first;
	queue->last = from->last;
	queue->bytes += from->bytes;
	queue->memory += from->memory;
	*from = (struct queue){0};
}

void queue_clear(struct queue *queue)
{
	while (queue->first)
		queue_drop(queue, queue->first->size - queue->first->start);
}
