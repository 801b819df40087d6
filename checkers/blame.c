// SPDX-License-Identifier: GPL-2.0-or-later
#include "blame.h"
#include "memory.h"

#include <string.h>

/* Never to blame, whatever happened. */
#define ALWAYS (BLAME_DETECTOR | BLAME_INSTRUMENT | BLAME_ENTRY | BLAME_INTERRUPT)

/* Not to blame for a fault or a failed check. */
/* Not to blame for a wait: whom they wait for is decided by their callers. */
#define WAITING                                                                                              \
	(ALWAYS | BLAME_SCHEDULER | BLAME_LOCK | BLAME_WAIT | BLAME_HELPER | BLAME_TICK | BLAME_DEVICE |     \
	 BLAME_USB)

#define CRASH (ALWAYS | BLAME_HELPER | BLAME_LOCK | BLAME_TICK | BLAME_DEVICE)

static const struct {
	enum blame_class class;
	const char *pattern;
} skipped[] = {
#define SKIP(class, pattern) {BLAME_##class, pattern},
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
struct named_function {
	const char *pattern;
	const char *name;
};

static const struct named_function named_waits[] = {
	{"*rtnl_lock*", NULL},
	{"*synchronize_rcu*", "synchronize_rcu"},
	{"*synchronize_srcu*", "synchronize_rcu"},
	{"*synchronize_sched*", "synchronize_rcu"},
	{"*synchronize_net*", "synchronize_rcu"},
};

/* The same for loops: a CPU that waits for other CPUs to answer is their victim. */
static const struct named_function named_loops[] = {
	{"smp_call_function*", NULL},
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

/* One bit for each class of blame.def, and these for DISPATCH and the two tables above. */
#define DISPATCHER (1u << 31)
#define NAMED_WAIT (1u << 30)
#define NAMED_LOOP (1u << 29)

#define FIND_NAMED(named, function, length)                                                                  \
	find_named(named, sizeof(named) / sizeof(*(named)), function, length)

static const struct named_function *find_named(const struct named_function *named, size_t count,
					       const char *function, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (matches(function, length, named[i].pattern))
			return &named[i];
	return NULL;
}

static unsigned int find_classes(const char *function)
{
	size_t length = base_length(function);
	unsigned int classes = 0;

	for (size_t i = 0; i < sizeof(skipped) / sizeof(*skipped); i++)
		if (!(classes & skipped[i].class) && matches(function, length, skipped[i].pattern))
			classes |= skipped[i].class;
	for (size_t i = 0; i < sizeof(dispatchers) / sizeof(*dispatchers) && !(classes & DISPATCHER); i++)
		if (matches(function, length, dispatchers[i]))
			classes |= DISPATCHER;
	if (FIND_NAMED(named_waits, function, length))
		classes |= NAMED_WAIT;
	if (FIND_NAMED(named_loops, function, length))
		classes |= NAMED_LOOP;
	return classes;
}

/* The same functions come again and again, so what the patterns say of them is kept. */
#define CACHED_NAMES  1024
#define CACHED_LENGTH 56
#define CACHE_PLACES  4 /* where one name may be */

static unsigned int hash_name(const char *name, size_t length)
{
	size_t part = length < sizeof(uint64_t) ? length : sizeof(uint64_t);
	uint64_t head = 0, tail = 0;

	memcpy(&head, name, part);
	memcpy(&tail, name + length - part, part);
	return (unsigned int)((head * 0x9e3779b97f4a7c15 + tail * 0xc2b2ae3d27d4eb4f) >> 40);
}

static unsigned int classes_of(const char *function)
{
	static _Thread_local struct {
		char name[CACHED_LENGTH];
		unsigned int classes;
	} cache[CACHED_NAMES];
	static _Thread_local unsigned int replaced;
	size_t length = strlen(function);
	unsigned int hash, place;

	if (!length || length >= CACHED_LENGTH)
		return find_classes(function);
	hash = hash_name(function, length);
	for (unsigned int i = 0; i < CACHE_PLACES; i++) {
		place = (hash + i) % CACHED_NAMES;
		if (memcmp(cache[place].name, function, length + 1) == 0)
			return cache[place].classes;
	}
	place = (hash + replaced++ % CACHE_PLACES) % CACHED_NAMES;
	memcpy(cache[place].name, function, length + 1);
	cache[place].classes = find_classes(function);
	return cache[place].classes;
}

static bool is_skipped(const char *function, unsigned int classes)
{
	return classes_of(function) & classes;
}

bool blame_matches(const char *function, const char *pattern)
{
	return matches(function, base_length(function), pattern);
}

bool blame_is_interrupt_code(const char *function)
{
	return is_skipped(function, BLAME_DETECTOR | BLAME_TICK | BLAME_INTERRUPT);
}

static bool is_dispatcher(const char *function)
{
	return is_skipped(function, DISPATCHER);
}

/*
 * Where the blamed code begins: when the detector itself is on the stack, behind the interrupt that it
 * ran in.
 */
static size_t first_frame(const struct report_stack *stack)
{
	const struct hl_frame *frames = stack->stack.frames;
	size_t count = stack->stack.count;
	size_t detector = count, behind_nmi = 0, start;

	/* A register dump on top is the interrupted place itself. */
	if (count && stack->marks[0] == FRAME_INSTRUCTION)
		return 0;
	for (size_t i = 0; i < count && detector == count; i++)
		if (frames[i].reliable && is_skipped(frames[i].function, BLAME_DETECTOR))
			detector = i;
	if (detector == count)
		return 0;
	for (start = detector; start < count; start++) {
		if (is_skipped(frames[start].function, BLAME_INTERRUPT) ||
		    stack->marks[start] == FRAME_INSTRUCTION)
			break;
		if (frames[start].reliable && blame_matches(frames[start].function, "*nmi"))
			behind_nmi = start + 1;
	}
	/* An NMI interrupts interrupt handlers too: what hangs then is the handler. */
	if (behind_nmi)
		return behind_nmi;
	if (start == count)
		return 0;
	while (start < count && stack->marks[start] != FRAME_INSTRUCTION &&
	       is_skipped(frames[start].function, BLAME_INTERRUPT))
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

static const char *first_blamed(const struct report_stack *stack, size_t start, unsigned int classes)
{
	const char *function = first_not_skipped(stack, start, classes, false);

	/* 2.6.32 marks every frame of some traces with "?". */
	return function ? function : first_not_skipped(stack, start, classes, true);
}

/* Calls the handler of a device's interrupt; what is behind it was only interrupted. */
static bool is_handler_call(const char *function)
{
	return blame_matches(function, "*handle_irq_event*");
}

/* The function that a dispatcher called: see DISPATCH in blame.def. */
static const char *called_by_dispatcher(const struct report_stack *stack)
{
	const char *previous = NULL;

	for (size_t i = first_frame(stack); i < stack->stack.count; i++) {
		const struct hl_frame *frame = &stack->stack.frames[i];

		if (!frame->reliable)
			continue;
		if (previous && (is_dispatcher(frame->function) || is_handler_call(frame->function)))
			return previous;
		if (!is_dispatcher(frame->function) && !is_skipped(frame->function, ALWAYS | BLAME_TICK))
			previous = frame->function;
	}
	return NULL;
}

/* The first function of a class. */
static const char *first_of(const struct report_stack *stack, unsigned int class)
{
	for (size_t i = 0; i < stack->stack.count; i++) {
		const struct hl_frame *frame = &stack->stack.frames[i];

		if (frame->reliable && classes_of(frame->function) & class)
			return frame->function;
	}
	return NULL;
}

static const char *blame_waiting(const struct report_stack *stack)
{
	const char *function = first_of(stack, NAMED_WAIT);
	const struct named_function *wait =
		function ? FIND_NAMED(named_waits, function, base_length(function)) : NULL;

	if (wait)
		return wait->name ? wait->name : function;
	return first_blamed(stack, 0, WAITING);
}

static const char *blame_looping(const struct report_stack *stack, unsigned int skip)
{
	const char *function = first_of(stack, NAMED_LOOP);

	if (!function)
		function = called_by_dispatcher(stack);
	return function ? function
			: first_blamed(stack, first_frame(stack), ALWAYS | BLAME_LOCK | BLAME_TICK | skip);
}

static const char *blame_stack(const struct report *report, const struct report_stack *stack)
{
	switch (report->event.kind) {
	case HL_EVENT_HUNG_TASK:
		return blame_waiting(stack);
	case HL_EVENT_SOFT_LOCKUP:
	case HL_EVENT_HARD_LOCKUP:
	case HL_EVENT_RCU_STALL:
	case HL_EVENT_CSD_STALL:
		return blame_looping(stack, report->skip);
	default:
		return first_blamed(stack, 0, CRASH | report->skip);
	}
}

/* Several stacks, one culprit: not the thread that noticed, nor the grace-period kthread. */
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

/* Who holds the lock that a hung task waits for keeps it waiting; newer kernels print that stack as well. */
static const char *blame_holder(const struct report *report)
{
	const json_t *pid = json_object_get(report->event.fields, "holder_pid");

	for (size_t i = 0; pid && i < report->stack_count; i++) {
		const struct report_stack *stack = &report->stacks[i];

		if (stack->stack.count && stack->stack.pid == json_integer_value(pid))
			return blame_waiting(stack);
	}
	return NULL;
}

size_t blame_find(struct report *report)
{
	size_t chosen = choose_stack(report);
	const char *function = report->culprit ? report->culprit : blame_holder(report);

	if (!function && report->suspect && !is_skipped(report->suspect, CRASH | report->skip))
		function = report->suspect;
	if (!function && chosen < report->stack_count)
		function = blame_stack(report, &report->stacks[chosen]);
	if (!function)
		function = report->suspect;
	if (function)
		report->event.function = memory_text(&report->event.memory, function, base_length(function));
	return chosen;
}
