// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"
#include "blame.h"
#include "interleave.h"
#include "memory.h"
#include "parse.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void report_begin(struct report *report, const struct signature *signature, const struct line *line,
		  struct log_facts *facts, struct report *before)
{
	struct hl_memory *memory = report->event.memory;

	hl_event_init(&report->event, signature->kind);
	report->event.memory = memory;
	report->event.signature = signature->id;
	report->event.line = line->number;
	report->event.time = line->time;
	report->event.host_time = line->host_time;
	report->event.corrupted = line->mixed;
	report->signature = signature;
	report->facts = facts;
	report->before = before;
	strcpy(report->caller, line->caller);
	report->last_time = line->time;
	report->stack_count = report->item_count = report->field_count = 0;
	report->unrelated = 0;
	report->lines = 1;
	report->closed = report->all_cpus = report->oopsed = report->whole_title = report->dropped = false;
	report->what = report->culprit = report->suspect = NULL;
	report->twin = NULL;
	report->skip = 0;
	report->state = 0;
}

void report_clear(struct report *report)
{
	json_decref(report->event.fields);
	report->event.fields = NULL;
	memory_reuse(&report->event.memory);
}

void report_free(struct report *report)
{
	if (report)
		hl_event_free(&report->event);
	free(report);
}

const char *report_text(struct report *report, const char *text, size_t size)
{
	return memory_text(&report->event.memory, text, size);
}

/* A run of digits, or of hexadecimal digits that holds a decimal one and is long or begins with 0x. */
static size_t number_length(const char *text)
{
	size_t decimal = strspn(text, "0123456789");
	bool prefixed = text[0] == '0' && text[1] == 'x' && isxdigit((unsigned char)text[2]);
	size_t hex = prefixed ? 2 + strspn(text + 2, "0123456789abcdefABCDEF")
			      : strspn(text, "0123456789abcdefABCDEF");

	if (prefixed || (hex >= 8 && strcspn(text, "0123456789") < hex))
		return hex;
	return decimal;
}

const char *report_stable(struct report *report, const char *prefix, const char *text)
{
	char title[200];
	size_t used = strlen(prefix), end = parse_trimmed(text);
	const char *stop = text + end;

	memcpy(title, prefix, used);
	while (text < stop && used < sizeof(title) - 1) {
		bool in_word = used && (isalnum((unsigned char)title[used - 1]) || title[used - 1] == '_');
		size_t number = in_word ? 0 : number_length(text);

		title[used++] = number ? 'N' : *text;
		text += number ? number : 1;
	}
	return report_text(report, title, used);
}

json_t *report_json_text(const char *text, size_t size)
{
	json_t *value = json_stringn(text, size);
	char clean[256];

	if (value)
		return value;
	if (size > sizeof(clean))
		size = sizeof(clean);
	for (size_t i = 0; i < size; i++)
		clean[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	return json_stringn(clean, size);
}

static void set_field(json_t *fields, const struct report_field *field)
{
	json_object_set_new(fields, field->name,
			    field->text ? report_json_text(field->text, field->size)
					: json_integer(field->integer));
}

json_t *report_fields(struct report *report)
{
	if (!report->event.fields)
		report->event.fields = json_object();
	if (report->event.fields)
		for (size_t i = 0; i < report->field_count; i++)
			set_field(report->event.fields, &report->fields[i]);
	report->field_count = 0;
	return report->event.fields;
}

/* An event without fields has no object for them. */
static void make_fields(struct report *report)
{
	if (report->field_count)
		report_fields(report);
}

const json_t *report_field(struct report *report, const char *name)
{
	make_fields(report);
	return json_object_get(report->event.fields, name);
}

static bool has_field(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->field_count; i++)
		if (!strcmp(report->fields[i].name, name))
			return true;
	return json_object_get(report->event.fields, name) != NULL;
}

static void add_field(struct report *report, struct report_field field)
{
	if (report->field_count == REPORT_FIELDS)
		report_fields(report);
	field.name = memory_string(&report->event.memory, field.name);
	report->fields[report->field_count++] = field;
}

void report_field_text(struct report *report, const char *name, const char *text, size_t size)
{
	if (!has_field(report, name))
		add_field(report, (struct report_field){.name = name,
							.text = report_text(report, text, size),
							.size = size});
}

void report_field_integer(struct report *report, const char *name, long long value)
{
	if (!has_field(report, name))
		add_field(report, (struct report_field){.name = name, .integer = value});
}

/* The blamed stack first; the others keep their order. */
static void publish_stacks(struct report *report, size_t blamed)
{
	struct hl_event *event = &report->event;
	size_t count = 0;

	if (blamed < report->stack_count) {
		const struct hl_stack *stack = &report->stacks[blamed].stack;

		event->stack.frames = stack->frames;
		event->stack.count = stack->count;
		/* What the header said is about the event; a register dump only fills the gaps. */
		if (event->stack.cpu < 0)
			event->stack.cpu = stack->cpu;
		if (event->stack.pid < 0) {
			event->stack.pid = stack->pid;
			event->stack.comm = stack->comm;
		}
	}
	if (report->stack_count < 2)
		return;
	event->others = memory_get(&event->memory, (report->stack_count - 1) * sizeof(*event->others));
	for (size_t i = 0; event->others && i < report->stack_count; i++)
		if (i != blamed && report->stacks[i].stack.count)
			event->others[count++] = report->stacks[i].stack;
	event->other_count = count;
}

void report_know_kernel(struct report *report)
{
	struct hl_event *event = &report->event;

	if (!event->kernel && report->facts->kernel[0])
		event->kernel = memory_string(&event->memory, report->facts->kernel);
}

void report_finish(struct report *report)
{
	struct hl_event *event = &report->event;
	size_t blamed;

	if (report->signature->parser->finish)
		report->signature->parser->finish(report);
	make_fields(report);
	interleave_undo(report);
	blamed = blame_find(report);
	publish_stacks(report, blamed);
	if (report->whole_title || !event->function)
		event->title = report->what;
	else
		event->title = memory_format(&event->memory, "%s in %s", report->what, event->function);
}
