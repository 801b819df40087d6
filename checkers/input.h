/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_INPUT_H
#define HANGLAB_CHECKERS_INPUT_H

#include "checkers.h"

/**
 * hl_input_read() - feed a file to a log reader and flush it
 * @log: the reader
 * @path: plain, compressed with gzip, xz, zstd, bzip2, lz4, or a journal export (journalctl -o export);
 *	"-" is standard input
 * @err: "read PATH: reason"; a cut archive is an error, but what could be read has been fed
 *
 * Return: 0 or -errno.
 */
int hl_input_read(struct hl_log *log, const char *path, struct hl_error *err);

/**
 * hl_input_follow() - feed a file, then what is appended to it, for ever
 * @log: the reader
 * @path: a plain file or "-"; a file that is replaced or truncated (log rotation) is read anew
 * @idle_seconds: flush the reader when nothing came for so long
 * @err: "follow PATH: reason"
 *
 * Return: never for a file but with an error or what the reader's callback returned; for "-" 0 at its end.
 */
int hl_input_follow(struct hl_log *log, const char *path, double idle_seconds, struct hl_error *err);

#endif
