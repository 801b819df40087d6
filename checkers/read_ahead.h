/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_READ_AHEAD_H
#define HANGLAB_CHECKERS_READ_AHEAD_H

#include "checkers.h"

#include <sys/types.h>

/**
 * read_ahead() - read and pre-filter a regular file on all CPUs, and feed it to a log in order
 * @log: with a pre-filter that can be cloned
 * @fd: the file
 * @offset: where to begin
 * @err: message
 *
 * Return: 0 or -errno; -ENOTSUP, with nothing fed, when there is nothing to gain (one CPU, no such
 * pre-filter).
 */
int read_ahead(struct hl_log *log, int fd, off_t offset, struct hl_error *err);

#endif
