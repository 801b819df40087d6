/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_LOG_H
#define HANGLAB_CHECKERS_LOG_H

#include "piece.h"

/** log_feed_piece() - hl_log_feed() of a piece that was scanned. Return: as hl_log_feed(). */
int log_feed_piece(struct hl_log *log, const struct log_piece *piece, struct hl_error *err);

/** log_prefilter() - the pre-filter given to hl_log_open(), or NULL */
const struct hl_prefilter *log_prefilter(const struct hl_log *log);

#endif
