// SPDX-License-Identifier: GPL-2.0-or-later
#include "blame.h"
#include "memory.h"

#include <string.h>

enum skip_class {
	SCHEDULER = 1 << 0,
	LOCK = 1 << 1,
	WAIT = 1 << 2,
	DETECTOR = 1 << 3,
	TICK = 1 << 4,
	INTERRUPT = 1 << 5,
	ENTRY = 1 << 6,
	INSTRUMENT = 1 << 7,
	HELPER = 1 << 8,
};

/* Never to blame, whatever happened. */
#define ALWAYS (DETECTOR | INSTRUMENT | ENTRY | INTERRUPT)

static const struct {
	enum skip_class class;
	const char *pattern;
} skipped[] = {
#define SKIP(class, pattern) {class, pattern},
#define DISPATCH(pattern)
#include "blame.def"
#undef SKIP
#undef DISPATCH
};

static const char *const dispatchers[] = {
#define SKIP(class, pattern)
#define DISPATCH(pattern) pattern,
#include "blame.def"
#undef SKIP
#undef DISPATCH
};

/*
 * Waits that name what is waited for, by pattern: everything that hangs there hangs for one reason,
 * whoever the victim is.
 */
static const struct {
	const char *pattern;
	const char *name;
} named_waits[] = {
	{"rtnl_lock*", NULL},
	{"synchronize_rcu*", "synchronize_rcu"},
	{"synchronize_srcu*", "synchronize_rcu"},
	{"synchronize_sched*", "synchronize_rcu"},
	{"synchronize_net*", "synchronize_rcu"},
};

/* Length of the name without what compilers append: ".isra.0", ".constprop.1", ".part.2", ".cold". */
static size_t base_length(const char *function)
{
	return *function == '<' || *function == '.' ? strlen(function) : strcspn(function, ".");
}

static bool matches(const char *function, size_t length, const char *pattern)
{
	size_t size = strlen(pattern);
	bool head = pattern[0] == '*', tail = pattern[size - 1] == '*';

	pattern += head;
	size -= (size_t)head + (size_t)tail;
	if (size > length)
		return false;
	if (head && tail)
		return memmem(function, length, pattern, size) != NULL;
	if (head)
		return memcmp(function + length - size, pattern, size) == 0;
	return memcmp(function, pattern, size) == 0 && (tail || size == length);
}

static bool is_skipped(const char *function, unsigned int classes)
{
	size_t length = base_length(function);

	for (size_t i = 0; i < sizeof(skipped) / sizeof(*skipped); i++)
		if ((skipped[i].class & classes) && matches(function, length, skipped[i].pattern))
			return true;
	return false;
}

static bool is_dispatcher(const char *function)
{
	size_t length = base_length(function);

	for (size_t i = 0; i < sizeof(dispatchers) / sizeof(*dispatchers); i++)
		if (matches(function, length, dispatchers[i]))
			return true;
	return false;
}

/*
 * Where the blamed code begins: when the detector itself is on the stack, behind the interrupt that it
 * ran in.
 */
static size_t first_frame(const struct report_stack *stack)
{
	const struct hl_frame *frames = stack->stack.frames;
	size_t count = stack->stack.count;
	size_t detector = count, start;

	/* A register dump on top is the interrupted place itself. */
	if (count && stack->marks[0] == FRAME_INSTRUCTION)
		return 0;
	for (size_t i = 0; i < count && detector == count; i++)
		if (frames[i].reliable && is_skipped(frames[i].function, DETECTOR))
			detector = i;
	if (detector == count)
		return 0;
	for (start = detector; start < count; start++)
		if (is_skipped(frames[start].function, INTERRUPT) || stack->marks[start] == FRAME_INSTRUCTION)
			break;
	if (start == count)
		return 0;
	while (start < count && stack->marks[start] != FRAME_INSTRUCTION &&
	       is_skipped(frames[start].function, INTERRUPT))
		start++;
	return start;
}

static const char *first_not_skipped(const struct report_stack *stack, size_t start, unsigned int classes,
				     bool unreliable)
{
	for (size_t i = start; i < stack->stack.count; i++) {
		const struct hl_frame *frame = &stack->stack.frames[i];

		if ((frame->reliable || unreliable) && !is_skipped(frame->function, classes))
			return frame->function;
	}
	return NULL;
}

static const char *first_blamed(const struct report_stack *stack, unsigned int classes)
{
	size_t start = first_frame(stack);
	const char *function = first_not_skipped(stack, start, classes, false);

	/* 2.6.32 marks every frame of some traces with "?". */
	return function ? function : first_not_skipped(stack, start, classes, true);
}

static const char *called_by_dispatcher(const struct report_stack *stack)
{
	const char *previous = NULL;

	for (size_t i = first_frame(stack); i < stack->stack.count; i++) {
		const struct hl_frame *frame = &stack->stack.frames[i];

		if (!frame->reliable)
			continue;
		if (is_dispatcher(frame->function) && previous)
			return previous;
		if (!is_skipped(frame->function, ALWAYS | TICK))
			previous = frame->function;
	}
	return NULL;
}

static const char *named_wait(const struct report_stack *stack)
{
	for (size_t i = 0; i < stack->stack.count; i++) {
		const struct hl_frame *frame = &stack->stack.frames[i];

		if (!frame->reliable)
			continue;
		for (size_t j = 0; j < sizeof(named_waits) / sizeof(*named_waits); j++)
			if (matches(frame->function, base_length(frame->function), named_waits[j].pattern))
				return named_waits[j].name ? named_waits[j].name : frame->function;
	}
	return NULL;
}

static const char *blame_stack(const struct report *report, const struct report_stack *stack)
{
	const char *function;

	switch (report->event.kind) {
	case HL_EVENT_HUNG_TASK:
		function = named_wait(stack);
		return function ? function
				: first_blamed(stack, ALWAYS | SCHEDULER | LOCK | WAIT | HELPER | TICK);
	case HL_EVENT_SOFT_LOCKUP:
	case HL_EVENT_HARD_LOCKUP:
	case HL_EVENT_RCU_STALL:
	case HL_EVENT_CSD_STALL:
		function = called_by_dispatcher(stack);
		return function ? function : first_blamed(stack, ALWAYS | LOCK | TICK);
	case HL_EVENT_OOPS:
		return first_blamed(stack, ALWAYS | HELPER);
	default:
		return first_blamed(stack, ALWAYS | HELPER | LOCK | TICK);
	}
}

/* The stack that was looping or waiting, not that of the thread that noticed. */
static size_t choose_stack(const struct report *report)
{
	for (size_t i = 0; i < report->stack_count; i++) {
		const struct report_stack *stack = &report->stacks[i];

		if (!stack->stack.count)
			continue;
		if (report->event.kind == HL_EVENT_RCU_STALL && stack->stack.comm &&
		    strncmp(stack->stack.comm, "rcu_", 4) == 0)
			continue;
		return i;
	}
	return report->stack_count;
}

size_t blame_find(struct report *report)
{
	size_t chosen = choose_stack(report);
	const char *function = report->culprit;

	if (!function && chosen < report->stack_count)
		function = blame_stack(report, &report->stacks[chosen]);
	if (function)
		report->event.function = memory_text(&report->event.memory, function, base_length(function));
	return chosen;
}
