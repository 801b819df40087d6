/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_LOG_H
#define HANGLAB_CHECKERS_LOG_H

#include "checkers.h"

#define PIECE_HITS 1024

/**
 * struct log_piece - part of a log that a pre-filter has looked at already
 * @bytes: the part, cut anywhere
 * @size: of @bytes
 * @lines: line ends in @bytes
 * @hits: where anchors end, ascending
 * @hit_count: how many
 * @dense: there were more hits than room: behind the last one every line must be read
 */
struct log_piece {
	const char *bytes;
	size_t size;
	uint64_t lines;
	size_t hits[PIECE_HITS];
	size_t hit_count;
	bool dense;
};

/**
 * log_piece_scan() - fill in @piece->hits and @piece->lines
 * @piece: with bytes and size
 * @prefilter: what to scan with
 *
 * Return: 0 or -errno.
 */
int log_piece_scan(struct log_piece *piece, const struct hl_prefilter *prefilter);

/** log_feed_piece() - hl_log_feed() of a piece that was scanned. Return: as hl_log_feed(). */
int log_feed_piece(struct hl_log *log, const struct log_piece *piece, struct hl_error *err);

/** log_prefilter() - the pre-filter given to hl_log_open(), or NULL */
const struct hl_prefilter *log_prefilter(const struct hl_log *log);

#endif
