// SPDX-License-Identifier: GPL-2.0-or-later
#include "blame.h"
#include "parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* lockdep, the sanitizers and the other debugging aids of the kernel. */

/* The word in front of the message: "[ INFO: message ]" before 4.11, "WARNING: message" or "BUG: message"
 * today. */
static bool has_level_word(const struct line *line, const char *message)
{
	static const char *const words[] = {"INFO: ", "WARNING: ", "BUG: "};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(message - line->text) >= length &&
		    strncmp(message - length, words[i], length) == 0 &&
		    parse_at_start(line, message - length))
			return true;
	}
	return false;
}

/* The start of the message that @anchor is part of: behind the word and its colon. */
static const char *message_start(const struct line *line, const char *anchor)
{
	const char *start = anchor;

	while (start > line->text && !(start[-1] == ' ' && start - 1 > line->text && start[-2] == ':'))
		start--;
	return start;
}

static bool lockdep_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *message = message_start(line, anchor);
	size_t length = parse_trimmed(message);

	if (!has_level_word(line, message))
		return false;
	while (length && strchr("]!. ", message[length - 1]))
		length--;
	report->what = report_text(report, message, length);
	report->event.fatal = false;
	return true;
}

/*
 * The lock in question is named in a line of its own: " (rtnl_mutex){+.+.}, at: [<ffff...>]
 * rtnl_lock+0x17/0x20", or the function stands alone in the line behind "... at:".
 */
static bool lockdep_more(struct report *report, const struct line *line)
{
	const char *at = parse_after(line->text, "at: ");
	const char *name;
	size_t length;
	uint64_t address;

	if (report->state == 1) { /* the line before ended in "at:" */
		report->state = 0;
		at = line->text;
	}
	if (!at) {
		size_t end = parse_trimmed(line->text);

		if (end >= 3 && strncmp(line->text + end - 3, "at:", 3) == 0)
			report->state = 1;
		return strstr(line->text, " is trying to ") ||
		       strstr(line->text, "but task is already holding") ||
		       strstr(line->text, "which lock already depends") ||
		       strstr(line->text, "which already depends on") ||
		       strstr(line->text, "other info that might help") ||
		       strstr(line->text, "dependency chain") || strstr(line->text, "stack backtrace:") ||
		       strstr(line->text, "Possible unsafe locking") || strstr(line->text, "held by ") ||
		       parse_starts(line->text, "       ") || parse_starts(line->text, "-----") ||
		       parse_starts(line->text, "=====");
	}
	if (report->culprit)
		return line->text[0] == '#' || parse_starts(line->text, " #");
	while (*at == ' ')
		at++;
	while (*at == '[') {
		const char *hex = at + (at[1] == '<' ? 2 : 1);

		if (!parse_hex(hex, &address) || !strchr(at, ']'))
			break;
		for (at = strchr(at, ']') + 1; *at == ' '; at++)
			;
	}
	name = at;
	length = parse_function(name);
	if (!length)
		return false;
	report->culprit = report_text(report, name, length);
	return true;
}

const struct report_parser parser_lockdep = {
	.begin = lockdep_begin,
	.more = lockdep_more,
	.patience = 60,
	.stack = true,
};

/* The same, but the lock's line says nothing about the culprit: the stack does. */
static bool lockdep_stack_begin(struct report *report, const struct line *line, const char *anchor)
{
	report->skip = BLAME_RCU | BLAME_MEMORY;
	return lockdep_begin(report, line, anchor);
}

const struct report_parser parser_lockdep_stack = {
	.begin = lockdep_stack_begin,
	.patience = 60,
	.stack = true,
};

static bool lockdep_key_begin(struct report *report, const struct line *line, const char *anchor)
{
	report->skip = BLAME_LOCK | BLAME_STACK_CHECK;
	return lockdep_begin(report, line, anchor);
}

const struct report_parser parser_lockdep_key = {
	.begin = lockdep_key_begin,
	.patience = 60,
	.stack = true,
};

/* "BUG: KASAN: use-after-free in f+0x1/0x2", "BUG: KMSAN: uninit-value in f+0x1/0x2", "BUG: KFENCE: ..." */
static bool sanitizer_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *text = anchor + strlen("BUG: ");
	const char *in = strstr(text, " in ");
	const char *on = strstr(text, " on address");
	size_t length;

	if (!parse_at_start(line, anchor) || (anchor > line->text && isalpha((unsigned char)anchor[-1])))
		return false;
	if (in) {
		length = parse_function(in + 4);
		if (length)
			report->suspect = report_text(report, in + 4, length);
	}
	report_field_text(report, "tool", text, strcspn(text, ":"));
	if (!in)
		in = on ? on : text + parse_trimmed(text);
	if (memmem(text, (size_t)(in - text), "invalid-free", 12) ||
	    memmem(text, (size_t)(in - text), "double-free", 11)) {
		report->what = "KASAN: invalid-free";
		report->skip = BLAME_MEMORY;
	} else {
		report->what = report_stable(report, "", report_text(report, text, (size_t)(in - text)));
	}
	return true;
}

/* Both sides of a race are in the header; nothing in the stacks is a better name. */
static bool kcsan_begin(struct report *report, const struct line *line, const char *anchor)
{
	if (!sanitizer_begin(report, line, anchor))
		return false;
	report->culprit = report->suspect;
	return true;
}

/* "Read of size 8 at addr ffff8801beca5788 by task syz/12922", with tags "Read at addr ..." */
static bool sanitizer_more(struct report *report, const struct line *line)
{
	const char *text = line->text;
	const char *access = parse_starts(text, "Read ")    ? "Read"
			     : parse_starts(text, "Write ") ? "Write"
							    : NULL;
	const char *task = parse_after(text, " by task ");
	const char *slash = task ? strrchr(task, '/') : NULL;

	if (!access || (!strstr(text, " of size ") && !strstr(text, " at addr ")))
		return strstr(text, "page dumped because") || parse_starts(text, "=====") ||
		       parse_starts(text, "The buggy address") || parse_starts(text, "Memory state around");
	report_field_text(report, "access", access, strlen(access));
	if (slash && isdigit((unsigned char)slash[1])) {
		report->event.stack.comm = report_text(report, task, (size_t)(slash - task));
		report->event.stack.pid = atol(slash + 1);
	}
	if (!strchr(report->what, 'R') && report->state == 0) {
		char what[120];
		size_t length = strlen(report->what);

		report->state = 1;
		if (length + 8 < sizeof(what)) {
			memcpy(what, report->what, length);
			what[length++] = ' ';
			memcpy(what + length, access, strlen(access));
			report->what = report_text(report, what, length + strlen(access));
		}
	}
	return true;
}

const struct report_parser parser_sanitizer = {
	.begin = sanitizer_begin,
	.more = sanitizer_more,
	.patience = 60,
	.stack = true,
};

const struct report_parser parser_kcsan = {
	.begin = kcsan_begin,
	.patience = 60,
	.stack = true,
};

/* "UBSAN: array-index-out-of-bounds in fs/f.c:12:3", before 5.6 "UBSAN: Undefined behaviour in fs/f.c:12:3"
 */
static bool ubsan_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *text = anchor + strlen("UBSAN: ");
	const char *in = strstr(text, " in ");
	size_t length;

	if (!parse_at_start(line, anchor) || !in || !strchr(in, ':'))
		return false;
	length = strcspn(in + 4, " ");
	report_field_text(report, "tool", "UBSAN", 5);
	report_field_text(report, "place", in + 4, length);
	report->skip = BLAME_OVERFLOW;
	report->what = report_text(report, anchor, (size_t)(in - anchor));
	return true;
}

const struct report_parser parser_ubsan = {
	.begin = ubsan_begin,
	.patience = 60,
	.stack = true,
};

/* "BUG: memory leak" with "backtrace:" and kmemleak's own "unreferenced object 0xffff... (size 64):" */
static bool kmemleak_begin(struct report *report, const struct line *line, const char *anchor)
{
	uint64_t address;

	if (!parse_at_start(line, anchor))
		return false;
	if (report->before && report->before->event.kind == HL_EVENT_SANITIZER && report->before->lines < 3)
		return false;
	if (parse_starts(anchor, "unreferenced") &&
	    !parse_hex(anchor + strlen("unreferenced object 0x"), &address))
		return false;
	report_field_text(report, "tool", "kmemleak", 8);
	report->skip = BLAME_MEMORY;
	report->what = "memory leak";
	return true;
}

static bool kmemleak_more(struct report *report, const struct line *line)
{
	const char *comm = parse_after(line->text, "comm \"");
	const char *end = comm ? strstr(comm, "\", pid ") : NULL;

	if (end) {
		report->event.stack.comm = report_text(report, comm, (size_t)(end - comm));
		report->event.stack.pid = atol(end + 7);
		return true;
	}
	return parse_starts(line->text, "unreferenced object") || strstr(line->text, "backtrace") ||
	       strstr(line->text, "hex dump (first");
}

const struct report_parser parser_kmemleak = {
	.begin = kmemleak_begin,
	.more = kmemleak_more,
	.patience = 40,
	.stack = true,
};

/* "BUG kmalloc-64 (Tainted: G    B  ): Poison overwritten" of mm/slub.c */
static bool slub_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *message = strstr(line->text, "): ");

	if (!parse_starts(line->text, "BUG ") || !message || message > anchor)
		return false;
	report_field_text(report, "cache", line->text + 4, strcspn(line->text + 4, " "));
	report->skip = BLAME_MEMORY;
	report->what = report_stable(report, "slab: ", message + 3);
	return true;
}

static bool slub_more(struct report *report, const struct line *line)
{
	(void)report;
	return parse_starts(line->text, "INFO: ") || parse_starts(line->text, "-----");
}

const struct report_parser parser_slub = {
	.begin = slub_begin,
	.more = slub_more,
	.patience = 60,
	.stack = true,
};
