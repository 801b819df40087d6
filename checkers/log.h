/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_LOG_H
#define HANGLAB_CHECKERS_LOG_H

#include "piece.h"

/** log_feed_piece() - hl_log_feed() of a piece that was scanned. Return: as hl_log_feed(). */
int log_feed_piece(struct hl_log *log, const struct log_piece *piece, struct hl_error *err);

/**
 * log_deliver_beside() - from now on events come from a thread of their own, unless lines are wanted too
 *
 * log_deliver_rest() must follow; until then the callback's errors may come later than otherwise.
 *
 * Return: 0 or -errno.
 */
int log_deliver_beside(struct hl_log *log, struct hl_error *err);

/** log_deliver_rest() - end log_deliver_beside(). Return: as hl_log_feed(). */
int log_deliver_rest(struct hl_log *log, struct hl_error *err);

/** log_prefilter() - the pre-filter given to hl_log_open(), or NULL */
const struct hl_prefilter *log_prefilter(const struct hl_log *log);

#endif
