// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/similar.h"
#include "checkers.h"
#include "memory.h"

#include <math.h>
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

/* Text from a log may hold anything; JSON strings must be UTF-8. */
static json_t *text_to_json(const char *text)
{
	json_t *value = json_string(text);
	char clean[256];
	size_t length = 0;

	if (value)
		return value;
	for (; *text && length < sizeof(clean) - 1; text++)
		clean[length++] = (unsigned char)*text < 0x80 ? *text : '?';
	return json_stringn(clean, length);
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, text_to_json(text));
}

static void set_number(json_t *object, const char *name, double number)
{
	if (!isnan(number))
		json_object_set_new(object, name, json_real(number));
}

static void set_integer(json_t *object, const char *name, long long number)
{
	json_object_set_new(object, name, json_integer(number));
}

static void set_flag(json_t *object, const char *name, bool value)
{
	json_object_set_new(object, name, json_boolean(value));
}

static json_t *frame_to_json(const struct hl_frame *frame)
{
	json_t *object = json_object();

	set_text(object, "function", frame->function);
	if (frame->offset || frame->size)
		set_integer(object, "offset", (long long)frame->offset);
	if (frame->size)
		set_integer(object, "size", (long long)frame->size);
	set_text(object, "module", frame->module);
	set_text(object, "file", frame->file);
	if (frame->file_line)
		set_integer(object, "line", frame->file_line);
	set_flag(object, "reliable", frame->reliable);
	if (frame->inlined)
		set_flag(object, "inlined", true);
	return object;
}

static void set_stack(json_t *object, const struct hl_stack *stack)
{
	json_t *frames;

	if (stack->cpu >= 0)
		set_integer(object, "cpu", stack->cpu);
	set_text(object, "comm", stack->comm);
	if (stack->pid >= 0)
		set_integer(object, "pid", stack->pid);
	if (!stack->count)
		return;
	frames = json_array();
	for (size_t i = 0; i < stack->count; i++)
		json_array_append_new(frames, frame_to_json(&stack->frames[i]));
	json_object_set_new(object, "frames", frames);
}

json_t *hl_event_to_json(const struct hl_event *event)
{
	json_t *object = json_object();

	if (!object)
		return NULL;
	set_text(object, "kind", hl_event_kind_name(event->kind));
	set_integer(object, "line", (long long)event->line);
	set_number(object, "time", event->time);
	set_number(object, "host_time", event->host_time);
	set_number(object, "seconds", event->seconds);
	set_text(object, "title", event->title);
	set_text(object, "function", event->function);
	set_stack(object, &event->stack);
	set_text(object, "kernel", event->kernel);
	set_text(object, "tainted", event->tainted);
	set_flag(object, "panics", event->panics);
	set_flag(object, "fatal", event->fatal);
	set_flag(object, "corrupted", event->corrupted);
	set_text(object, "signature", event->signature);
	if (event->other_count) {
		json_t *stacks = json_array();

		for (size_t i = 0; i < event->other_count; i++) {
			json_t *stack = json_object();

			set_stack(stack, &event->others[i]);
			json_array_append_new(stacks, stack);
		}
		json_object_set_new(object, "stacks", stacks);
	}
	if (event->fields && json_object_size(event->fields))
		json_object_set_new(object, "fields", json_deep_copy(event->fields));
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
