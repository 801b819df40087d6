/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_QUEUE_H
#define HANGLAB_INJECT_PROXY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that the proxy keeps: those that its peer does not take yet, is to get later, or is not to get now.
 */

struct chunk;

/**
 * struct queue - bytes in order; all zero is empty
 * @bytes: how many
 * @memory: what they cost, with all overhead
 */
struct queue {
	struct chunk *first, *last;
	size_t bytes, memory;
};

/** queue_append() - copy @size bytes that arrived at @time behind the others. Return: false when out of
 * memory. */
bool queue_append(struct queue *queue, const uint8_t *bytes, size_t size, int64_t time);

/** queue_first() - the first bytes that arrived together, their number and when they did. Return: NULL when
 * empty. */
const uint8_t *queue_first(const struct queue *queue, size_t *size, int64_t *time);

/** queue_drop() - forget the first @size bytes, no more than queue_first() gave */
void queue_drop(struct queue *queue, size_t size);

/** queue_move() - append all of @from, which is empty afterwards */
void queue_move(struct queue *queue, struct queue *from);

/** queue_clear() - forget all */
void queue_clear(struct queue *queue);

#endif
