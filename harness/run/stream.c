// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/stream.h"

#include <fcntl.h>
#include <fiu-local.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int stream_create(struct stream *stream, const char *path, stream_on_line on_line, void *data,
		  struct hl_error *err)
{
	*stream = (struct stream)STREAM_NONE;
	stream->fd = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0644);
	if (stream->fd < 0)
		return hl_error_errno(err, errno, "create %s", path);
	stream->on_line = on_line;
	stream->data = data;
	return 0;
}

static int make_room(struct stream *stream, size_t size)
{
	size_t room = stream->room ? stream->room : 4096;
	char *larger;

	while (room < stream->used + size + 1)
		room *= 2;
	if (room == stream->room)
		return 0;
	larger = realloc(stream->line, room);
	if (!larger)
		return -ENOMEM;
	stream->line = larger;
	stream->room = room;
	return 0;
}

static int check_length(size_t length, struct hl_error *err)
{
	if (length <= STREAM_LONGEST_LINE)
		return 0;
	return hl_error_set(err, EBADMSG, "the guest sent a line of more than %d bytes", STREAM_LONGEST_LINE);
}

static int take_lines(struct stream *stream, struct hl_error *err)
{
	char *start = stream->line, *end;
	size_t left = stream->used;
	int r = 0;

	while (!r && (end = memchr(start, '\n', left))) {
		size_t length = (size_t)(end - start);

		*end = '\0';
		r = check_length(length, err);
		if (!r)
			r = stream->on_line(stream->data, start, length);
		left -= length + 1;
		start = end + 1;
	}
	memmove(stream->line, start, left);
	stream->used = left;
	return r ? r : check_length(left, err);
}

static int take(struct stream *stream, const char *block, size_t size, struct hl_error *err)
{
	int r;

	stream->total += size;
	if (!stream->on_line)
		return 0;
	r = make_room(stream, size);
	if (r)
		return hl_error_errno(err, -r, "read from the guest");
	memcpy(stream->line + stream->used, block, size);
	stream->used += size;
	return take_lines(stream, err);
}

int stream_read(struct stream *stream, struct hl_error *err)
{
	char block[65536];
	ssize_t got;
	int r = 0;

	fiu_do_on("channel/read", return hl_error_errno(err, EIO, "read from the guest"));
	while (!r && (got = read(stream->fd, block, sizeof(block))) != 0) {
		if (got < 0)
			return hl_error_errno(err, errno, "read from the guest");
		r = take(stream, block, (size_t)got, err);
	}
	return r;
}

void stream_close(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	free(stream->line);
	*stream = (struct stream)STREAM_NONE;
}
