/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_REPORT_H
#define HANGLAB_CHECKERS_REPORT_H

#include "checkers.h"
#include "line.h"

/*
 * A report is an event that is being read: a signature recognised its first line, further lines
 * may belong to it.
 */

#define REPORT_STACKS 48  /* more CPUs than this are not told apart */
#define REPORT_FRAMES 128 /* per stack; the kernel itself prints at most 64 stack entries a task */

#define REPORT_FIELDS 16  /* more are made JSON at once */
#define REPORT_ITEMS  512 /* what is remembered of the order in which stacks were printed */

/* Where in a stack a frame was printed. */
enum frame_mark {
	FRAME_PLAIN,
	FRAME_INTERRUPT,   /* between <IRQ> or <NMI> and its end */
	FRAME_INSTRUCTION, /* the instruction pointer of a register dump, not a return address */
};

/** What a line adds to a stack. */
enum stack_item_kind {
	STACK_HEADER,	     /* "CPU: 3 PID: 7 Comm: x" */
	STACK_TRACE,	     /* "Call Trace:" */
	STACK_INTERRUPT,     /* "<IRQ>" */
	STACK_INTERRUPT_END, /* "</IRQ>" */
	STACK_FRAME,
};

/**
 * struct stack_item - one of them; which members count depends on @kind
 * @kind: enum stack_item_kind
 * @mark: enum frame_mark
 * @frame: in the memory of the event
 */
struct stack_item {
	unsigned char kind, mark;
	int cpu;
	long pid;
	union {
		const char *comm;
		const struct hl_frame *frame;
	};
};

/**
 * struct report_stack - a stack that is being collected
 * @stack: the public part; frames in the memory of the event
 * @marks: one enum frame_mark for each frame
 * @room: allocated frames
 * @label: "task", "cpu", "trace", "allocated", "freed" ...: what the log said it is
 * @traced: its "Call Trace:" line was seen
 * @interrupt: now between <IRQ> or <NMI> and its end
 * @user: the register dump of user mode was seen: the stack is complete
 */
struct report_stack {
	struct hl_stack stack;
	unsigned char *marks;
	size_t room;
	const char *label;
	bool traced;
	bool interrupt;
	bool user;
};

/**
 * struct log_facts - what a log says outside of reports
 * @kernel: release from its "Linux version" line, or ""
 */
struct log_facts {
	char kernel[128];
};

/**
 * struct report_field - a member of fields{} to be
 * @text: value, or NULL for @integer
 */
struct report_field {
	const char *name, *text;
	size_t size;
	long long integer;
};

/**
 * struct report - an event that is being read
 * @event: what is known already
 * @signature: the row that recognised it
 * @facts: what the log said outside of reports
 * @fields: of the event, @field_count of them, as long as nobody needed them as JSON: the reader need not
 * make it
 * @before: the report that this line would end, or NULL; only while @begin runs
 * @caller: printk caller id of its lines, or ""
 * @last_time: kernel time of its last line, or NAN
 * @stacks: what was collected, @stack_count of them
 * @items: the same in the order of the lines, @item_count of them; see interleave.h
 * @unrelated: lines since the last one that belonged to it
 * @lines: lines that belonged to it
 * @closed: nothing more is expected; it waits for older ones to be reported first
 * @all_cpus: the kernel asked other CPUs for their stacks, which come with other caller ids
 * @oopsed: its "Oops:" line was seen, another one is another report
 * @what: first part of the title ("soft lockup"); the blamed function is put behind it
 * @culprit: function that the parser blames, or NULL to look for it in the stack
 * @suspect: function named in the header: blamed before those of the stack unless it is one to skip
 * @skip: enum blame_class bits of further functions not to blame
 * @twin: a report without a stack that ended in this panic: what is printed now is its stack too
 * @dropped: it turned out to be no event after all
 * @whole_title: @what is the whole title
 * @state: for the parser
 */
struct report {
	struct hl_event event;
	const struct signature *signature;
	struct log_facts *facts;
	struct report_field fields[REPORT_FIELDS];
	size_t field_count;
	struct report *before;
	char caller[16];
	double last_time;
	struct report_stack stacks[REPORT_STACKS];
	size_t stack_count;
	struct stack_item items[REPORT_ITEMS];
	size_t item_count;
	unsigned int unrelated;
	unsigned int lines;
	bool closed;
	bool all_cpus;
	bool oopsed;
	bool whole_title;
	const char *what;
	const char *culprit;
	const char *suspect;
	unsigned int skip;
	bool dropped;
	struct report *twin;
	int state;
};

/**
 * struct report_parser - how the lines of one sort of report are read
 * @begin: is this its first line? @anchor points at the anchor in the text. Fills @report.
 * @more: takes a further line; false when it does not belong (it may then be a stack line)
 * @finish: called once before the event is reported, may be NULL
 * @patience: how many lines of others are passed over before the report is taken as complete
 * @stack: stack lines belong to it
 */
struct report_parser {
	bool (*begin)(struct report *report, const struct line *line, const char *anchor);
	bool (*more)(struct report *report, const struct line *line);
	void (*finish)(struct report *report);
	unsigned int patience;
	bool stack;
};

/** struct signature - one wording of one report, a row of signatures.def */
struct signature {
	const char *id;
	enum hl_event_kind kind;
	const char *anchor;
	const struct report_parser *parser;
	const char *kernels;
	const char *sample;
	const char *near_miss;
};

extern const struct signature signatures[];
extern const size_t signature_count;

/** report_begin() - prepare an empty report for @signature */
void report_begin(struct report *report, const struct signature *signature, const struct line *line,
		  struct log_facts *facts, struct report *before);

/** report_clear() - empty a report that is not wanted any more; report_begin() can use it again */
void report_clear(struct report *report);

/** report_free() - end a report made with calloc() */
void report_free(struct report *report);

/** report_text() - @size bytes of a log line, in the memory of the event */
const char *report_text(struct report *report, const char *text, size_t size);

/** report_json_text() - a JSON string of text from a log, which may be no UTF-8 */
json_t *report_json_text(const char *text, size_t size);

/** report_field_text() - set a text member of fields{} unless it is there already */
void report_field_text(struct report *report, const char *name, const char *text, size_t size);

/** report_field_integer() - set a number member of fields{} unless it is there already */
void report_field_integer(struct report *report, const char *name, long long value);

/**
 * report_stable() - @text with "N" for every number and address, for titles
 * @prefix: put in front as it is
 */
const char *report_stable(struct report *report, const char *prefix, const char *text);

/** report_fields() - fields{}, created when missing; NULL when out of memory */
json_t *report_fields(struct report *report);

/** report_field() - member @name of fields{}, or NULL */
const json_t *report_field(struct report *report, const char *name);

/**
 * stack_parse_task() - the line that names the task of a stack
 *
 * "task:dd state:D stack:0 pid:107 ...", before 5.12 "rs:main Q:Reg   D ffff880818267dc8     0  9724      1
 * 0x00000000".
 *
 * Return: false when @text is something else.
 */
bool stack_parse_task(const char *text, const char **comm, size_t *length, long *pid);

/** report_stack_line() - take @line when it is part of a stack or register dump */
bool report_stack_line(struct report *report, const struct line *line);

/** report_add_stack() - begin a further stack, for parsers whose reports name them in their own way */
struct report_stack *report_add_stack(struct report *report, const char *label);

/**
 * report_add_frame() - put @frame, whose strings are in the memory of the event, on @stack
 *
 * Return: where it is, until the report is cleared; NULL when the stack is full.
 */
const struct hl_frame *report_add_frame(struct report *report, struct report_stack *stack,
					const struct hl_frame *frame, enum frame_mark mark);

/** report_know_kernel() - a complete report that does not name its kernel is of that of the log */
void report_know_kernel(struct report *report);

/** report_finish() - choose the stack, the function to blame and the title; looks at nothing but @report */
void report_finish(struct report *report);

#endif
