/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_STREAM_H
#define HANGLAB_RUN_STREAM_H

#include "base/error.h"

#include <stddef.h>

/**
 * typedef stream_on_line - a line came
 * @line: without its newline, NUL-terminated; may be changed
 *
 * Return: 0, or -errno, which stream_read() then returns.
 */
typedef int (*stream_on_line)(void *data, char *line, size_t size);

/**
 * struct stream - a file that QEMU writes and hanglab reads as it grows
 * @fd: the file
 * @line, @used, @room: an unfinished line
 * @total: bytes read so far
 */
struct stream {
	int fd;
	char *line;
	size_t used, room, total;
	stream_on_line on_line;
	void *data;
};

/** A line longer than this cannot come from our guest program: the channel is then broken. */
#define STREAM_LONGEST_LINE (1 << 20)

#define STREAM_NONE                                                                                          \
	{                                                                                                    \
		-1, NULL, 0, 0, 0, NULL, NULL                                                                \
	}

/**
 * stream_create() - create the file, which QEMU then truncates and writes
 * @on_line: receives whole lines, or NULL to only count bytes
 *
 * Return: 0 or -errno.
 */
int stream_create(struct stream *stream, const char *path, stream_on_line on_line, void *data,
		  struct hl_error *err);

/**
 * stream_read() - read to the present end
 *
 * Return: 0; -EBADMSG for a line that is too long; -errno of the read or of the callback.
 */
int stream_read(struct stream *stream, struct hl_error *err);

/** stream_close() - close and free */
void stream_close(struct stream *stream);

#endif
