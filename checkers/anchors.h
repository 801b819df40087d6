/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_ANCHORS_H
#define HANGLAB_CHECKERS_ANCHORS_H

#include <stddef.h>

/**
 * struct anchor_hit - an anchor that was found in a line
 * @row: index in signatures[]
 * @end: offset behind the anchor
 */
struct anchor_hit {
	unsigned int row;
	size_t end;
};

/**
 * anchors_find() - which anchors of signatures[] are in @text?
 * @text: a line
 * @size: its length
 * @hits: the first occurrence of each, sorted by row
 * @room: how many @hits can hold
 *
 * All anchors are looked for in one pass (Aho-Corasick), so the number of signatures costs nothing.
 *
 * Return: the number of hits, at most @room; -ENOMEM when the tables could not be built.
 */
int anchors_find(const char *text, size_t size, struct anchor_hit *hits, size_t room);

#endif
