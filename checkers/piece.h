/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_PIECE_H
#define HANGLAB_CHECKERS_PIECE_H

#include "checkers.h"

/* What the pre-filter gets at once: stays in the CPU's cache. */
#define PIECE_SIZE (256 * 1024)

/* Enough for a piece in which every line holds an anchor, if they are no shorter than those of kernels. */
#define PIECE_HITS 4096

/**
 * struct log_piece - part of a log that a pre-filter has looked at
 * @bytes: the part, cut anywhere
 * @size: of @bytes
 * @scanned: the members below are filled in
 * @dense: there were more hits than room: behind the last one any line may hold an anchor
 * @lines: line ends in @bytes
 * @hit_count: number of @hits
 * @seen: end of the last anchor
 * @hits: where an anchor ends, ascending, one for each line that holds any
 */
struct log_piece {
	const char *bytes;
	size_t size;
	bool scanned;
	bool dense;
	uint64_t lines;
	size_t hit_count;
	size_t seen;
	uint32_t hits[PIECE_HITS];
};

/**
 * piece_scan() - look for anchors and count lines
 * @piece: with bytes and size, less than 4 GiB
 * @prefilter: what to scan with
 *
 * Return: 0 or -errno.
 */
int piece_scan(struct log_piece *piece, const struct hl_prefilter *prefilter);

/**
 * piece_next() - where does the first line that may hold an anchor begin?
 * @piece: was scanned
 * @hit: number of the hit to begin with, 0 at the start of the piece; moved on
 * @from: start of a line
 * @end: where to stop
 *
 * Return: the start of a line at or behind @from, or @end.
 */
size_t piece_next(const struct log_piece *piece, size_t *hit, size_t from, size_t end);

/** piece_lines() - number of line ends from @from up to @to; quick when that is most of @piece */
uint64_t piece_lines(const struct log_piece *piece, size_t from, size_t to);

#endif
