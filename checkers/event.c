// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/similar.h"
#include "checkers.h"
#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *help;
} kinds[HL_EVENT_KIND_COUNT] = {
#define KIND_ENTRY(symbol, kind_name, kind_help) [HL_EVENT_##symbol] = {kind_name, kind_help},
	HL_EVENT_KINDS(KIND_ENTRY)
#undef KIND_ENTRY
};

const char *hl_event_kind_name(enum hl_event_kind kind)
{
	return (unsigned int)kind < HL_EVENT_KIND_COUNT ? kinds[kind].name : "unknown";
}

const char *hl_event_kind_help(enum hl_event_kind kind)
{
	return (unsigned int)kind < HL_EVENT_KIND_COUNT ? kinds[kind].help : "";
}

int hl_event_kind_parse(const char *name, enum hl_event_kind *kind, struct hl_error *err)
{
	const char *known[HL_EVENT_KIND_COUNT];
	const char *meant;

	for (int i = 0; i < HL_EVENT_KIND_COUNT; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*kind = (enum hl_event_kind)i;
			return 0;
		}
		known[i] = kinds[i].name;
	}
	meant = similar_find(name, known, HL_EVENT_KIND_COUNT);
	if (meant)
		return hl_error_set(err, EINVAL, "unknown event kind \"%s\", did you mean \"%s\"?", name,
				    meant);
	return hl_error_set(err, EINVAL, "unknown event kind \"%s\"", name);
}

static const struct hl_stack no_stack = {.cpu = -1, .pid = -1};

void hl_event_init(struct hl_event *event, enum hl_event_kind kind)
{
	*event = (struct hl_event){
		.kind = kind,
		.time = NAN,
		.host_time = NAN,
		.seconds = NAN,
		.stack = no_stack,
	};
}

static bool copy_stack(struct hl_memory **memory, struct hl_stack *to, const struct hl_stack *from)
{
	*to = *from;
	to->comm = memory_string(memory, from->comm);
	if (!from->count)
		return true;
	to->frames = memory_get(memory, from->count * sizeof(*from->frames));
	if (!to->frames)
		return false;
	for (size_t i = 0; i < from->count; i++) {
		to->frames[i] = from->frames[i];
		to->frames[i].function = memory_string(memory, from->frames[i].function);
		to->frames[i].module = memory_string(memory, from->frames[i].module);
		to->frames[i].file = memory_string(memory, from->frames[i].file);
	}
	return true;
}

static bool copy_content(struct hl_event *to, const struct hl_event *from)
{
	*to = *from;
	to->memory = NULL;
	to->others = NULL;
	to->fields = from->fields ? json_deep_copy(from->fields) : NULL;
	if (from->fields && !to->fields)
		return false;
	to->title = memory_string(&to->memory, from->title);
	to->function = memory_string(&to->memory, from->function);
	to->kernel = memory_string(&to->memory, from->kernel);
	to->tainted = memory_string(&to->memory, from->tainted);
	if (!copy_stack(&to->memory, &to->stack, &from->stack))
		return false;
	if (!from->other_count)
		return true;
	to->others = memory_get(&to->memory, from->other_count * sizeof(*to->others));
	if (!to->others)
		return false;
	for (size_t i = 0; i < from->other_count; i++)
		if (!copy_stack(&to->memory, &to->others[i], &from->others[i]))
			return false;
	return true;
}

int hl_event_copy(struct hl_event *to, const struct hl_event *from)
{
	if (copy_content(to, from))
		return 0;
	hl_event_free(to);
	return -ENOMEM;
}

void hl_event_free(struct hl_event *event)
{
	json_decref(event->fields);
	memory_release(&event->memory);
	hl_event_init(event, event->kind);
}

/*
 * JSON is written as text, because a log of nothing but reports would spend most of its time on building
 * trees otherwise; hl_event_to_json() reads that text back.
 */

static bool reserve(struct hl_text *text, size_t more)
{
	size_t room = text->room ? text->room : 4096;
	char *bytes;

	if (text->failed)
		return false;
	while (room < text->size + more)
		room *= 2;
	if (room == text->room)
		return true;
	bytes = realloc(text->bytes, room);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->room = room;
	return true;
}

static void put(struct hl_text *text, const char *bytes, size_t size)
{
	if (text->room - text->size < size && !reserve(text, size))
		return;
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

#define PUT(text, literal) put(text, literal, sizeof(literal) - 1)

/* Length of the UTF-8 character at @c, 0 when it is none; @c ends in a NUL. */
static size_t utf8_length(const unsigned char *c)
{
	size_t length = *c >= 0xf0 ? 4 : *c >= 0xe0 ? 3 : 2;

	if (*c < 0xc2 || *c > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* Neither longer than needed, nor a surrogate, nor behind the last plane. */
	if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) || (*c == 0xf0 && c[1] < 0x90) ||
	    (*c == 0xf4 && c[1] > 0x8f))
		return 0;
	return length;
}

/* Which bytes stand for themselves in a JSON string: ASCII but for control characters and these two. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The same for eight bytes at once. */
static bool are_plain(const unsigned char *bytes)
{
	const uint64_t each = 0x0101010101010101;
	uint64_t word, is_quote, is_backslash;

	memcpy(&word, bytes, sizeof(word));
	is_quote = word ^ each * '"';
	is_backslash = word ^ each * '\\';
	return !((word | (word - each * 0x20) | (is_quote - each) | (is_backslash - each)) & each * 0x80);
}

static void put_string(struct hl_text *text, const char *string)
{
	const unsigned char *c = (const unsigned char *)string, *end = c + strlen(string);

	PUT(text, "\"");
	while (c < end) {
		const unsigned char *start = c;
		size_t length;

		while (c + 8 <= end && are_plain(c))
			c += 8;
		while (is_plain(*c))
			c++;
		put(text, (const char *)start, (size_t)(c - start));
		if (c == end)
			break;
		length = *c >= 0x80 ? utf8_length(c) : 0;
		if (length) {
			put(text, (const char *)c, length);
			c += length;
			continue;
		}
		if (*c >= 0x80) {
			PUT(text, "\\ufffd");
		} else {
			char escape[8];

			put(text, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", *c));
		}
		c++;
	}
	PUT(text, "\"");
}

/* Every member but the first begins with a comma; the first is always there. */
static void put_name(struct hl_text *text, const char *name)
{
	PUT(text, ",\"");
	put(text, name, strlen(name));
	PUT(text, "\":");
}

static void put_text(struct hl_text *text, const char *name, const char *value)
{
	if (!value)
		return;
	put_name(text, name);
	put_string(text, value);
}

/* Digits of @value in front of @end. Return: their start. */
static char *digits_before(char *end, unsigned long long value)
{
	do
		*--end = (char)('0' + value % 10);
	while (value /= 10);
	return end;
}

/* Seconds with microseconds, as far as the latter are not zero: "12.5", "120.0". */
static void put_number(struct hl_text *text, const char *name, double value)
{
	char number[48], *end = number + sizeof(number), *start;
	unsigned long long micro;

	if (!(value >= 0 && value < 1e12)) /* unknown, or a time that no log has */
		return;
	micro = (unsigned long long)(value * 1e6 + 0.5);
	start = digits_before(end, 1000000 + micro % 1000000);
	*start = '.';
	while (end > start + 2 && end[-1] == '0')
		end--;
	start = digits_before(start, micro / 1000000);
	put_name(text, name);
	put(text, start, (size_t)(end - start));
}

static void put_digits(struct hl_text *text, unsigned long long value)
{
	char digits[24], *start = digits_before(digits + sizeof(digits), value);

	put(text, start, (size_t)(digits + sizeof(digits) - start));
}

static void put_integer(struct hl_text *text, const char *name, unsigned long long value)
{
	put_name(text, name);
	put_digits(text, value);
}

static void put_flag(struct hl_text *text, const char *name, bool value)
{
	put_name(text, name);
	if (value)
		PUT(text, "true");
	else
		PUT(text, "false");
}

static void put_frame(struct hl_text *text, const struct hl_frame *frame)
{
	PUT(text, "{\"function\":");
	put_string(text, frame->function);
	if (frame->offset || frame->size)
		put_integer(text, "offset", frame->offset);
	if (frame->size)
		put_integer(text, "size", frame->size);
	put_text(text, "module", frame->module);
	put_text(text, "file", frame->file);
	if (frame->file_line)
		put_integer(text, "line", frame->file_line);
	put_flag(text, "reliable", frame->reliable);
	if (frame->inlined)
		put_flag(text, "inlined", true);
	PUT(text, "}");
}

static void put_stack(struct hl_text *text, const struct hl_stack *stack)
{
	if (stack->cpu >= 0)
		put_integer(text, "cpu", (unsigned long long)stack->cpu);
	put_text(text, "comm", stack->comm);
	if (stack->pid >= 0)
		put_integer(text, "pid", (unsigned long long)stack->pid);
	if (!stack->count)
		return;
	put_name(text, "frames");
	for (size_t i = 0; i < stack->count; i++) {
		put(text, i ? "," : "[", 1);
		put_frame(text, &stack->frames[i]);
	}
	PUT(text, "]");
}

/* A stack of its own is an object; the comma in front of its first member has to go. */
static void put_other(struct hl_text *text, const struct hl_stack *stack)
{
	size_t start = text->size;

	put_stack(text, stack);
	if (text->failed)
		return;
	if (text->size == start)
		PUT(text, "{");
	else
		text->bytes[start] = '{';
	PUT(text, "}");
}

static void put_others(struct hl_text *text, const struct hl_event *event)
{
	if (!event->other_count)
		return;
	put_name(text, "stacks");
	for (size_t i = 0; i < event->other_count; i++) {
		put(text, i ? "," : "[", 1);
		put_other(text, &event->others[i]);
	}
	PUT(text, "]");
}

/* Whatever it is. */
static void put_value(struct hl_text *text, const json_t *value)
{
	size_t size;

	if (!reserve(text, 1024))
		return;
	size = json_dumpb(value, text->bytes + text->size, text->room - text->size,
			  JSON_COMPACT | JSON_ENCODE_ANY);
	if (size > text->room - text->size && reserve(text, size))
		size = json_dumpb(value, text->bytes + text->size, text->room - text->size,
				  JSON_COMPACT | JSON_ENCODE_ANY);
	if (!size)
		text->failed = true;
	if (!text->failed)
		text->size += size;
}

static void put_fields(struct hl_text *text, const json_t *fields)
{
	bool first = true;
	const char *name;
	json_t *value;

	if (!fields || !json_object_size(fields))
		return;
	put_name(text, "fields");
	json_object_foreach ((json_t *)fields, name, value) {
		put(text, first ? "{" : ",", 1);
		first = false;
		put_string(text, name);
		PUT(text, ":");
		if (json_is_string(value))
			put_string(text, json_string_value(value));
		else if (json_is_integer(value) && json_integer_value(value) >= 0)
			put_digits(text, (unsigned long long)json_integer_value(value));
		else
			put_value(text, value);
	}
	PUT(text, "}");
}

int hl_event_write_json(const struct hl_event *event, struct hl_text *text)
{
	PUT(text, "{\"kind\":");
	put_string(text, hl_event_kind_name(event->kind));
	put_integer(text, "line", event->line);
	put_number(text, "time", event->time);
	put_number(text, "host_time", event->host_time);
	put_number(text, "seconds", event->seconds);
	put_text(text, "title", event->title);
	put_text(text, "function", event->function);
	put_stack(text, &event->stack);
	put_text(text, "kernel", event->kernel);
	put_text(text, "tainted", event->tainted);
	put_flag(text, "panics", event->panics);
	put_flag(text, "fatal", event->fatal);
	put_flag(text, "corrupted", event->corrupted);
	put_text(text, "signature", event->signature);
	put_others(text, event);
	put_fields(text, event->fields);
	PUT(text, "}");
	return text->failed ? -ENOMEM : 0;
}

json_t *hl_event_to_json(const struct hl_event *event)
{
	struct hl_text text = {0};
	json_t *object = NULL;

	if (!hl_event_write_json(event, &text))
		object = json_loadb(text.bytes, text.size, 0, NULL);
	free(text.bytes);
	return object;
}

static bool same_function(const char *frame, const char *name)
{
	size_t length = strlen(name);

	return strncmp(frame, name, length) == 0 && (frame[length] == '\0' || frame[length] == '.');
}

static bool stack_has(const struct hl_stack *stack, const char *function)
{
	for (size_t i = 0; i < stack->count; i++)
		if (same_function(stack->frames[i].function, function))
			return true;
	return false;
}

bool hl_event_has_function(const struct hl_event *event, const char *function)
{
	if (event->function && same_function(event->function, function))
		return true;
	if (stack_has(&event->stack, function))
		return true;
	for (size_t i = 0; i < event->other_count; i++)
		if (stack_has(&event->others[i], function))
			return true;
	return false;
}
