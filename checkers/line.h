/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_LINE_H
#define HANGLAB_CHECKERS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer lines are cut here: no kernel message is longer (printk's own limit is about 1 KiB). */
#define LINE_SIZE 16384

/* What stood in front of the message. */
enum line_prefix {
	LINE_BARE,    /* nothing that was recognised */
	LINE_LEVEL,   /* <4> only */
	LINE_STAMPED, /* [   12.345678] */
	LINE_DATED,   /* syslog, ISO or journal date, perhaps with a stamp behind */
};

/**
 * struct line - one message of a log, without what loggers put in front
 * @text: the message, NUL-terminated, points into @buffer
 * @size: length of @text
 * @number: 1-based number of the (first) input line
 * @time: kernel time in seconds or NAN
 * @host_time: seconds since 1970 or NAN
 * @prefix: what was stripped
 * @caller: "T123" or "C0" of CONFIG_PRINTK_CALLER, or ""
 * @host: host name of a syslog prefix, or ""
 * @program: "kernel", "iscsid" ... of a syslog prefix, or ""
 * @width: length of the last raw input line in it, before cleaning
 * @rest: where in @buffer another message of the same input line begins, or NULL; see line_read_rest()
 * @mixed: it shared its input line with another message: one of them may have been cut
 * @anchors: an anchor may be in it that cleaning or joining put together; callers set it for others
 * @buffer: cleaned input; wrapped lines are appended
 */
struct line {
	char *text;
	size_t size;
	uint64_t number;
	double time;
	double host_time;
	enum line_prefix prefix;
	char caller[16];
	char host[64];
	char program[64];
	size_t width;
	const char *rest;
	bool mixed;
	bool anchors;
	char buffer[LINE_SIZE];
};

/**
 * line_read() - clean a raw input line and strip its prefixes
 * @line: result
 * @raw: input without its newline; may hold NUL bytes, escape codes, carriage returns
 * @size: its length, at most LINE_SIZE - 1
 *
 * A CPU may begin to print while the line of another one is not complete, and copies may have lost their
 * line ends: then only the first message is taken, and @line->rest says where the next one begins.
 */
void line_read(struct line *line, const char *raw, size_t size);

/** line_read_rest() - the next message of an input line. @line: result; @previous: the message before it */
void line_read_rest(struct line *line, const struct line *previous);

/** line_end() - terminate the text of @line where its rest begins; call it when the rest has been read */
void line_end(struct line *line);

/** line_append() - join a hard-wrapped continuation to @line */
void line_append(struct line *line, const struct line *continuation);

#endif
