// SPDX-License-Identifier: GPL-2.0-or-later
#include "anchors.h"
#include "report.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * A byte that occurs in no anchor has class 0, so a row of the table is little longer than the anchors'
 * alphabet. A state is the longest part of an anchor that the text read so far ends with.
 */
#define CLASSES 128    /* more than the bytes of all anchors; a power of two */
#define ENDS	0x8000 /* in next_state[]: an anchor ends in that state or in one of its shorter parts */

static unsigned char class_of[256];
static unsigned int class_count = 1;
static uint16_t *next_state;  /* [state * CLASSES + class] */
static uint16_t *fallback;    /* the state of the next shorter part */
static uint16_t *first_row;   /* row + 1 that ends in this state, 0: none */
static bool *ends;	      /* what becomes ENDS */
static uint16_t *same_anchor; /* row + 1 with the same anchor behind row, 0: none */
static int build_error;

static size_t find_alphabet(void)
{
	size_t bytes = 1;

	for (size_t row = 0; row < signature_count; row++) {
		for (const unsigned char *c = (const unsigned char *)signatures[row].anchor; *c; c++, bytes++)
			if (!class_of[*c])
				class_of[*c] = (unsigned char)class_count++;
	}
	return bytes;
}

static void add_anchors(void)
{
	unsigned int states = 1;

	for (size_t row = 0; row < signature_count; row++) {
		unsigned int state = 0;

		for (const unsigned char *c = (const unsigned char *)signatures[row].anchor; *c; c++) {
			uint16_t *next = &next_state[state * CLASSES + class_of[*c]];

			if (!*next)
				*next = (uint16_t)states++;
			state = *next;
		}
		same_anchor[row] = first_row[state];
		first_row[state] = (uint16_t)(row + 1);
		ends[state] = true;
	}
}

/* Breadth first, so that the shorter parts are complete before the longer ones refer to them. */
static int add_fallbacks(size_t states)
{
	uint16_t *queue = calloc(states, sizeof(*queue));
	size_t head = 0, tail = 0;

	if (!queue)
		return -ENOMEM;
	for (unsigned int class = 0; class < class_count; class ++)
		if (next_state[class])
			queue[tail++] = next_state[class];
	while (head < tail) {
		unsigned int state = queue[head++];

		for (unsigned int class = 0; class < class_count; class ++) {
			uint16_t *next = &next_state[state * CLASSES + class];
			uint16_t shorter = next_state[fallback[state] * CLASSES + class];

			if (*next) {
				fallback[*next] = shorter;
				ends[*next] |= ends[shorter];
				queue[tail++] = *next;
			} else {
				*next = shorter;
			}
		}
	}
	free(queue);
	return 0;
}

static void build(void)
{
	size_t states = find_alphabet();

	next_state = calloc(states * CLASSES, sizeof(*next_state));
	fallback = calloc(states, sizeof(*fallback));
	first_row = calloc(states, sizeof(*first_row));
	ends = calloc(states, sizeof(*ends));
	same_anchor = calloc(signature_count, sizeof(*same_anchor));
	build_error = -ENOMEM;
	if (!next_state || !fallback || !first_row || !ends || !same_anchor)
		return;
	if (class_count > CLASSES || states >= ENDS)
		return;
	add_anchors();
	build_error = add_fallbacks(states);
	for (size_t i = 0; i < states * CLASSES; i++)
		if (ends[next_state[i]])
			next_state[i] |= ENDS;
}

/* Keep hits sorted by row; the table of signatures is in order of precedence. */
static size_t add_hit(struct anchor_hit *hits, size_t count, size_t room, unsigned int row, size_t end)
{
	size_t place = count;

	for (size_t i = 0; i < count; i++)
		if (hits[i].row == row)
			return count;
	while (place && hits[place - 1].row > row)
		place--;
	if (place == room)
		return count;
	if (count == room)
		count--;
	memmove(hits + place + 1, hits + place, (count - place) * sizeof(*hits));
	hits[place] = (struct anchor_hit){.row = row, .end = end};
	return count + 1;
}

int anchors_find(const char *text, size_t size, struct anchor_hit *hits, size_t room)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned int state = 0;
	size_t count = 0;

	pthread_once(&once, build);
	if (build_error)
		return build_error;
	for (size_t i = 0; i < size; i++) {
		state = next_state[state * CLASSES + class_of[(unsigned char)text[i]]];
		if (!(state & ENDS))
			continue;
		state ^= ENDS;
		for (unsigned int part = state; part; part = fallback[part])
			for (unsigned int row = first_row[part]; row; row = same_anchor[row - 1])
				count = add_hit(hits, count, room, row - 1, i + 1);
	}
	return (int)count;
}
