// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"
#include "anchors.h"
#include "checkers.h"
#include "delivery.h"
#include "memory.h"
#include "parse.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The reader. Bytes become input lines (read_bytes), input lines become messages (take_input: prefixes
 * off, hard-wrapped lines joined again), messages go to the reports that are open (take_message), and
 * reports that are complete become events, in the order of their first lines (deliver).
 *
 * Several reports can be open at once, one for each printk caller id. Without caller ids a message can
 * only belong to the newest one.
 *
 * With a pre-filter, everything between the end of a report and the next anchor is skipped without being
 * looked at, except that its lines are counted.
 */

#define MAX_OPEN	8	     /* reports at once; more are not told apart */
#define MAX_HITS	16	     /* anchors in one line */
#define SILENCE		5.0	     /* seconds of kernel time after which a report is over */
#define READ_FULLY	(256 * 1024) /* the beginning is read line by line: pasted logs are short */
#define WRAP_WIDTH	40	     /* nobody wraps lines shorter than this */
#define OTHERS_PATIENCE 8	     /* lines of other callers count less */

struct hl_log {
	struct hl_log_options options;
	hl_on_event on_event;
	void *data;
	struct log_facts facts;
	char tail[LINE_SIZE]; /* the beginning of a line whose end has not come yet */
	size_t tail_size;
	bool tail_continues; /* what is in tail is a later part of an overlong line */
	uint64_t lines;
	uint64_t bytes;
	size_t widest;	   /* longest raw line so far: where a terminal may wrap */
	struct line *held; /* waits for its continuation */
	struct line *fresh;
	struct line *rest;
	bool holding;
	struct report *open[MAX_OPEN]; /* oldest first */
	size_t open_count;
	struct report *spare;
	struct delivery *delivery; /* makes events of complete reports; NULL: done at once */
	int status;
	struct log_piece piece; /* the one that hl_log_feed() is at */
};

int hl_log_open(struct hl_log **log, const struct hl_log_options *options, hl_on_event on_event, void *data,
		struct hl_error *err)
{
	struct hl_log *fresh = calloc(1, sizeof(*fresh));
	bool complete;

	if (!fresh)
		return hl_error_set(err, ENOMEM, "no memory to read a log");
	fresh->held = malloc(sizeof(*fresh->held));
	fresh->fresh = malloc(sizeof(*fresh->fresh));
	fresh->rest = malloc(sizeof(*fresh->rest));
	fresh->spare = calloc(1, sizeof(*fresh->spare));
	complete = fresh->held && fresh->fresh && fresh->rest && fresh->spare;
	for (size_t i = 0; i < MAX_OPEN; i++)
		complete &= (fresh->open[i] = calloc(1, sizeof(*fresh->open[i]))) != NULL;
	if (!complete) {
		hl_log_close(fresh);
		return hl_error_set(err, ENOMEM, "no memory to read a log");
	}
	if (options)
		fresh->options = *options;
	if (fresh->options.kernel)
		strncpy(fresh->facts.kernel, fresh->options.kernel, sizeof(fresh->facts.kernel) - 1);
	fresh->on_event = on_event;
	fresh->data = data;
	*log = fresh;
	return 0;
}

void hl_log_close(struct hl_log *log)
{
	if (!log)
		return;
	for (size_t i = 0; i < MAX_OPEN; i++)
		report_free(log->open[i]);
	report_free(log->spare);
	free(log->held);
	free(log->fresh);
	free(log->rest);
	free(log);
}

uint64_t hl_log_lines(const struct hl_log *log)
{
	return log->lines;
}

static void fail(struct hl_log *log, int status)
{
	if (!log->status)
		log->status = status;
}

static int feed_status(const struct hl_log *log, struct hl_error *err)
{
	return log->status ? hl_error_set(err, -log->status, "reading the log failed") : 0;
}

/* Return: an empty report instead. */
static struct report *give_away(struct hl_log *log, struct report *report)
{
	report_know_kernel(report);
	if (log->status)
		report_clear(report);
	else if (log->delivery)
		fail(log, delivery_exchange(log->delivery, &report));
	else
		fail(log, deliver_report(report, log->on_event, log->data));
	return report;
}

int log_deliver_beside(struct hl_log *log, struct hl_error *err)
{
	/* Lines and events come in one order. */
	if (log->options.on_line)
		return 0;
	return delivery_start(&log->delivery, log->on_event, log->data, err);
}

int log_deliver_rest(struct hl_log *log, struct hl_error *err)
{
	if (log->delivery)
		fail(log, delivery_stop(log->delivery));
	log->delivery = NULL;
	return feed_status(log, err);
}

/* Report the oldest ones as long as they are complete. */
static void deliver(struct hl_log *log)
{
	while (log->open_count && log->open[0]->closed) {
		struct report *report = log->open[0];

		for (size_t i = 1; i < log->open_count; i++)
			if (log->open[i]->twin == report)
				log->open[i]->twin = NULL;
		log->open_count--;
		memmove(log->open, log->open + 1, log->open_count * sizeof(*log->open));
		log->open[log->open_count] = give_away(log, report);
	}
}

static void close_all(struct hl_log *log)
{
	for (size_t i = 0; i < log->open_count; i++)
		log->open[i]->closed = true;
	deliver(log);
}

/* The report that a message with this caller id belongs to, or NULL. */
static struct report *find_report(struct hl_log *log, const struct line *line)
{
	for (size_t i = log->open_count; i-- > 0;) {
		struct report *report = log->open[i];

		if (!report->closed && strcmp(report->caller, line->caller) == 0)
			return report;
	}
	/* CPUs that were asked for their stacks answer under their own ids. */
	for (size_t i = log->open_count; i-- > 0;) {
		struct report *report = log->open[i];

		if (!report->closed && report->all_cpus && line->caller[0] == 'C')
			return report;
	}
	return NULL;
}

/* Which reports end in a panic with this message; without an entry it is the one before. */
static const struct {
	const char *message;
	enum hl_event_kind kind;
} panic_causes[] = {
	{"softlockup: hung tasks", HL_EVENT_SOFT_LOCKUP},
	{"hung_task: blocked tasks", HL_EVENT_HUNG_TASK},
	{"hard LOCKUP", HL_EVENT_HARD_LOCKUP},
	{"RCU Stall", HL_EVENT_RCU_STALL},
	{"Fatal hardware error", HL_EVENT_HARDWARE_ERROR},
	{"Fatal machine check", HL_EVENT_HARDWARE_ERROR},
	{"Fatal local machine check", HL_EVENT_HARDWARE_ERROR},
	{"Out of memory", HL_EVENT_OOM},
};

static void find_panic_cause(struct hl_log *log, struct report *panic)
{
	const char *reason = json_string_value(report_field(panic, "reason"));
	int kind = -1;

	for (size_t i = 0; reason && i < sizeof(panic_causes) / sizeof(*panic_causes); i++)
		if (strstr(reason, panic_causes[i].message))
			kind = (int)panic_causes[i].kind;
	for (size_t i = log->open_count; i-- > 0;) {
		struct report *report = log->open[i];

		if (report->signature->parser->stack ? kind >= 0 && (int)report->event.kind != kind
						     : (int)report->event.kind != kind)
			continue;
		report->event.panics = report->event.fatal = true;
		if (report->signature->parser->stack && !report->closed && !report->stack_count)
			panic->twin = report;
		return;
	}
}

static void open_report(struct hl_log *log, struct report *before)
{
	struct report *report = log->spare;

	report->before = NULL;
	if (report->event.kind == HL_EVENT_PANIC)
		find_panic_cause(log, report);
	/* A message of one line does not end what it came in the middle of. */
	if (before && report->signature->parser->patience && before != report->twin)
		before->closed = true;
	if (log->open_count == MAX_OPEN) {
		log->open[0]->closed = true;
		deliver(log);
	}
	log->spare = log->open[log->open_count];
	log->open[log->open_count++] = report;
	if (!report->signature->parser->patience)
		report->closed = true;
}

static bool try_begin(struct hl_log *log, const struct line *line, struct report *current)
{
	struct anchor_hit hits[MAX_HITS];
	int count = line->anchors ? anchors_find(line->text, line->size, hits, MAX_HITS) : 0;

	if (count < 0)
		fail(log, count);
	for (int i = 0; i < count; i++) {
		const struct signature *signature = &signatures[hits[i].row];
		const char *anchor = line->text + hits[i].end - strlen(signature->anchor);

		report_begin(log->spare, signature, line, &log->facts, current);
		if (signature->parser->begin(log->spare, line, anchor)) {
			open_report(log, current);
			return true;
		}
		report_clear(log->spare);
	}
	return false;
}

static void belongs(struct report *report, const struct line *line)
{
	report->unrelated = 0;
	report->lines++;
	if (!isnan(line->time))
		report->last_time = line->time;
	report->event.corrupted |= line->mixed;
}

static void grow_older(struct hl_log *log, const struct line *line, const struct report *taken)
{
	for (size_t i = 0; i < log->open_count; i++) {
		struct report *report = log->open[i];
		unsigned int patience = report->signature->parser->patience;

		if (report == taken || report->closed || (taken && report == taken->twin))
			continue;
		if (strcmp(report->caller, line->caller) != 0)
			patience *= OTHERS_PATIENCE;
		if (++report->unrelated > patience || line->time > report->last_time + SILENCE)
			report->closed = true;
		if (report->closed && report->twin)
			report->twin->closed = true;
	}
}

static void take_message(struct hl_log *log, const struct line *line)
{
	struct report *report = find_report(log, line);
	const struct report_parser *parser = report ? report->signature->parser : NULL;
	struct report *taken = NULL;

	if (try_begin(log, line, report)) {
		taken = log->open[log->open_count - 1];
	} else if (report && ((parser->more && parser->more(report, line)) ||
			      (parser->stack && report_stack_line(report, line)))) {
		belongs(report, line);
		if (report->twin && report_stack_line(report->twin, line))
			belongs(report->twin, line);
		taken = report;
	}
	if (report && parse_starts(line->text, "---[ end trace "))
		report->unrelated += parser->patience / 2;
	if (log->open_count) {
		grow_older(log, line, taken);
		deliver(log);
	}
}

/* The held line is complete. */
static void release_held(struct hl_log *log)
{
	if (!log->holding)
		return;
	log->holding = false;
	if (!log->held->size)
		return;
	if (log->options.on_line)
		log->options.on_line(log->held->text, log->held->number, log->data);
	take_message(log, log->held);
}

/*
 * Is @line the rest of the held one? Loggers put a prefix in front of every line, so a line without one
 * was cut off from the line before by whoever copied it. On serial consoles user space prints lines
 * without prefixes too, so there the line before must have been as wide as the widest.
 */
static bool continues_held(const struct hl_log *log, const struct line *line)
{
	const struct line *held = log->held;

	if (!log->holding || line->prefix != LINE_BARE || held->prefix < LINE_STAMPED)
		return false;
	if (!line->size || (unsigned char)line->text[0] >= 0x80 || line->text[0] == '`' ||
	    held->width < WRAP_WIDTH)
		return false;
	return held->prefix == LINE_DATED || held->width == log->widest;
}

/* log->fresh holds a message. */
static void take_line(struct hl_log *log)
{
	struct line *line = log->fresh;

	if (continues_held(log, line)) {
		line_append(log->held, line);
		return;
	}
	release_held(log);
	log->fresh = log->held;
	log->held = line;
	log->holding = true;
}

/* @anchors: it may hold some. */
static void take_input(struct hl_log *log, const char *bytes, size_t size, bool anchors)
{
	while (size && bytes[size - 1] == '\r')
		size--;
	line_read(log->fresh, bytes, size);
	log->fresh->number = log->lines;
	log->fresh->anchors |= anchors;
	while (log->fresh->rest) {
		struct line *rest = log->rest;

		line_read_rest(rest, log->fresh);
		rest->number = log->lines;
		line_end(log->fresh);
		take_line(log);
		log->rest = log->fresh;
		log->fresh = rest;
	}
	take_line(log);
	if (size > log->widest)
		log->widest = size;
}

/* A whole line without its newline; an overlong one comes in parts. */
static void read_line(struct hl_log *log, const char *bytes, size_t size, bool anchors)
{
	log->lines++;
	while (size >= LINE_SIZE) {
		take_input(log, bytes, LINE_SIZE - 1, anchors);
		bytes += LINE_SIZE - 1;
		size -= LINE_SIZE - 1;
	}
	take_input(log, bytes, size, anchors);
}

static bool quiet(const struct hl_log *log)
{
	return log->options.prefilter && !log->open_count && log->bytes > READ_FULLY;
}

const struct hl_prefilter *log_prefilter(const struct hl_log *log)
{
	return log->options.prefilter;
}

/* Whole lines from @at to @end. */
static void read_lines(struct hl_log *log, const struct log_piece *piece, size_t at, size_t end)
{
	size_t hit = 0;

	while (at < end && !log->status) {
		size_t candidate = piece->scanned ? piece_next(piece, &hit, at, end) : at;
		const char *newline;

		if (quiet(log)) {
			/* The line before may begin a report, whose lines must not be skipped. */
			release_held(log);
			if (!quiet(log))
				continue;
			log->lines += piece_lines(piece, at, candidate);
			log->bytes += candidate - at;
			at = candidate;
			if (at == end)
				break;
		}
		newline = memchr(piece->bytes + at, '\n', end - at);
		read_line(log, piece->bytes + at, (size_t)(newline - (piece->bytes + at)), at == candidate);
		log->bytes += (size_t)(newline + 1 - (piece->bytes + at));
		at = (size_t)(newline + 1 - piece->bytes);
	}
}

/* A line that began in an earlier call. Return: how many bytes were used. */
static size_t complete_tail(struct hl_log *log, const char *bytes, size_t size)
{
	const char *newline = memchr(bytes, '\n', size);
	size_t part = newline ? (size_t)(newline - bytes) : size;
	size_t room = LINE_SIZE - 1 - log->tail_size;

	if (part > room) {
		newline = NULL;
		part = room;
	}
	memcpy(log->tail + log->tail_size, bytes, part);
	log->tail_size += part;
	if (!newline && log->tail_size < LINE_SIZE - 1)
		return part;
	if (!log->tail_continues)
		log->lines++;
	take_input(log, log->tail, log->tail_size, true);
	log->bytes += log->tail_size;
	log->tail_size = 0;
	log->tail_continues = !newline;
	return newline ? part + 1 : part;
}

static void feed_piece(struct hl_log *log, const struct log_piece *piece)
{
	size_t at = 0, end;
	const char *newline;

	while (at < piece->size && (log->tail_size || log->tail_continues))
		at += complete_tail(log, piece->bytes + at, piece->size - at);
	newline = memrchr(piece->bytes + at, '\n', piece->size - at);
	end = newline ? (size_t)(newline - piece->bytes) + 1 : at;
	read_lines(log, piece, at, end);
	while (end < piece->size)
		end += complete_tail(log, piece->bytes + end, piece->size - end);
}

int log_feed_piece(struct hl_log *log, const struct log_piece *piece, struct hl_error *err)
{
	if (!log->status)
		feed_piece(log, piece);
	if (log->delivery)
		delivery_hurry(log->delivery);
	return feed_status(log, err);
}

int hl_log_feed(struct hl_log *log, const char *bytes, size_t size, struct hl_error *err)
{
	const struct hl_prefilter *prefilter = log->options.prefilter;
	struct log_piece *piece = &log->piece;

	while (size && !log->status) {
		piece->bytes = bytes;
		piece->size = size < PIECE_SIZE ? size : PIECE_SIZE;
		if (prefilter)
			fail(log, piece_scan(piece, prefilter));
		feed_piece(log, piece);
		bytes += piece->size;
		size -= piece->size;
	}
	return feed_status(log, err);
}

int hl_log_flush(struct hl_log *log, struct hl_error *err)
{
	if (log->tail_size && !log->status) {
		log->lines += !log->tail_continues;
		take_input(log, log->tail, log->tail_size, true);
		log->bytes += log->tail_size;
		log->tail_size = 0;
		log->tail_continues = true;
	}
	release_held(log);
	close_all(log);
	return feed_status(log, err);
}
