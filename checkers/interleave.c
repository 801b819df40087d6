// SPDX-License-Identifier: GPL-2.0-or-later
#include "interleave.h"
#include "blame.h"
#include "memory.h"

#include <string.h>

/*
 * Old kernels let every CPU print when it likes, so several stacks can come line by line in turns, and
 * nothing in a frame says which CPU it is from. What helps: a stack begins with its header and "Call
 * Trace:", never holds the same return address twice, ends at the entry from user mode, and some functions
 * are only ever called by certain others. Each frame goes to the stack that it can continue; where several
 * can, to one that was continued that way before, else to the one that has waited longest.
 */

/* What must come behind a function; "!" stands for a register dump (RIP). */
static const struct {
	const char *callee;
	const char *caller;
} callers[] = {
	{"__do_page_fault", "do_page_fault"},
	{"do_page_fault", "*page_fault"},
	{"trace_do_page_fault", "*page_fault"},
	{"do_async_page_fault", "*page_fault"},
	{"exc_page_fault", "*page_fault"},
	{"async_page_fault", "!"},
	{"page_fault", "!"},
	{"asm_exc_page_fault", "!"},
	{"apic_timer_interrupt", "!"},
	{"asm_sysvec_*", "!"},
	{"smp_apic_timer_interrupt", "apic_timer_interrupt"},
	{"sysvec_*", "asm_sysvec_*"},
	{"do_syscall_64", "entry_*"},
	{"__se_sys_*", "do_syscall_*"},
	{"__x64_sys_*", "*do_syscall_*"},
	{"SyS_*", "*entry_*"},
};

struct thread {
	struct report_stack *stack;
	size_t touched; /* number of the item that it got last */
	bool interrupt, done;
};

struct demux {
	struct report *report;
	struct report_stack stacks[REPORT_STACKS];
	struct thread threads[REPORT_STACKS];
	size_t count;
};

static const struct hl_frame *last_frame(const struct thread *thread)
{
	const struct hl_stack *stack = &thread->stack->stack;

	for (size_t i = stack->count; i-- > 0;)
		if (stack->frames[i].reliable)
			return &stack->frames[i];
	return NULL;
}

/* The caller that the last frame asks for, or NULL for any. */
static const char *wanted_caller(const struct thread *thread)
{
	const struct hl_frame *last = last_frame(thread);

	for (size_t i = 0; last && i < sizeof(callers) / sizeof(*callers); i++)
		if (blame_matches(last->function, callers[i].callee))
			return callers[i].caller;
	return NULL;
}

static bool same_frame(const struct hl_frame *a, const struct hl_frame *b)
{
	return a->offset == b->offset && a->size == b->size && strcmp(a->function, b->function) == 0;
}

static bool holds(const struct thread *thread, const struct hl_frame *frame)
{
	for (size_t i = 0; i < thread->stack->stack.count; i++)
		if (same_frame(&thread->stack->stack.frames[i], frame))
			return true;
	return false;
}

/* Did any stack continue from @last with @frame before? */
static bool seen_before(const struct demux *demux, const struct hl_frame *last, const struct hl_frame *frame)
{
	for (size_t i = 0; i < demux->count; i++) {
		const struct hl_stack *stack = &demux->threads[i].stack->stack;

		for (size_t j = 1; j < stack->count; j++)
			if (same_frame(&stack->frames[j - 1], last) && same_frame(&stack->frames[j], frame))
				return true;
	}
	return false;
}

static struct thread *new_thread(struct demux *demux, size_t item)
{
	struct thread *thread;

	if (demux->count == REPORT_STACKS)
		return NULL;
	thread = &demux->threads[demux->count];
	*thread = (struct thread){.stack = &demux->stacks[demux->count], .touched = item};
	*thread->stack = (struct report_stack){.stack = {.cpu = -1, .pid = -1}, .label = "cpu"};
	demux->count++;
	return thread;
}

/* 0: impossible; else the better the higher. */
static int fitness(const struct demux *demux, const struct thread *thread, const struct stack_item *item)
{
	bool instruction = item->mark == FRAME_INSTRUCTION;
	bool in_interrupt = blame_is_interrupt_code(item->frame->function);
	const char *wanted = wanted_caller(thread);
	const struct hl_frame *last = last_frame(thread);

	if (thread->done || (!thread->stack->traced && !last) || holds(thread, item->frame))
		return 0;
	if (wanted && *wanted == '!')
		return instruction ? 4 : 0;
	if (thread->interrupt != in_interrupt || (instruction && thread->stack->traced && last))
		return 0;
	if (wanted)
		return blame_matches(item->frame->function, wanted) ? 4 : 0;
	if (last && seen_before(demux, last, item->frame))
		return 3;
	return last ? 2 : 1;
}

static struct thread *choose_thread(struct demux *demux, const struct stack_item *item)
{
	struct thread *best = NULL;
	int best_fitness = 0;

	for (size_t i = 0; i < demux->count; i++) {
		struct thread *thread = &demux->threads[i];
		int fits = fitness(demux, thread, item);

		if (fits > best_fitness ||
		    (fits && fits == best_fitness && thread->touched < best->touched)) {
			best = thread;
			best_fitness = fits;
		}
	}
	return best;
}

static void add_frame(struct demux *demux, struct thread *thread, const struct stack_item *item,
		      size_t number)
{
	thread->touched = number;
	report_add_frame(demux->report, thread->stack, item->frame, item->mark);
	if (blame_matches(item->frame->function, "entry_*"))
		thread->done = true;
}

/* A header waits for its "Call Trace:"; one without a header begins a stack of its own. */
static struct thread *find_untraced(struct demux *demux)
{
	for (size_t i = 0; i < demux->count; i++)
		if (!demux->threads[i].stack->traced && !demux->threads[i].stack->stack.count)
			return &demux->threads[i];
	return NULL;
}

/* "<IRQ>" stands directly behind "Call Trace:". */
static struct thread *find_fresh(struct demux *demux)
{
	for (size_t i = 0; i < demux->count; i++) {
		struct thread *thread = &demux->threads[i];

		if (thread->stack->traced && !thread->stack->stack.count && !thread->interrupt)
			return thread;
	}
	return NULL;
}

static struct thread *find_interrupted(struct demux *demux)
{
	for (size_t i = 0; i < demux->count; i++)
		if (demux->threads[i].interrupt)
			return &demux->threads[i];
	return NULL;
}

static void take_item(struct demux *demux, const struct stack_item *item, size_t number)
{
	struct thread *thread = NULL;

	switch (item->kind) {
	case STACK_HEADER:
		thread = new_thread(demux, number);
		if (thread) {
			thread->stack->stack.cpu = item->cpu;
			thread->stack->stack.pid = item->pid;
			thread->stack->stack.comm = item->comm;
		}
		break;
	case STACK_TRACE:
		thread = find_untraced(demux);
		if (!thread)
			thread = new_thread(demux, number);
		if (thread)
			thread->stack->traced = true;
		break;
	case STACK_INTERRUPT:
		thread = find_fresh(demux);
		if (thread)
			thread->interrupt = true;
		break;
	case STACK_INTERRUPT_END:
		thread = find_interrupted(demux);
		if (thread)
			thread->interrupt = false;
		break;
	case STACK_FRAME:
		/* What is left over on a stack can be anybody's. */
		if (!item->frame->reliable)
			return;
		thread = choose_thread(demux, item);
		if (!thread)
			thread = new_thread(demux, number);
		if (thread)
			add_frame(demux, thread, item, number);
		break;
	}
}

/* Two stacks began before the first of them got anywhere. */
static bool is_interleaved(const struct report *report)
{
	size_t frames = 0;
	bool begun = false;

	for (size_t i = 0; i < report->item_count; i++) {
		const struct stack_item *item = &report->items[i];

		if (item->kind == STACK_FRAME)
			frames++;
		if (item->kind != STACK_TRACE)
			continue;
		if (begun && frames <= 2)
			return true;
		begun = true;
		frames = 0;
	}
	return false;
}

void interleave_undo(struct report *report)
{
	struct demux *demux;

	if (!is_interleaved(report))
		return;
	report->event.corrupted = true;
	demux = memory_get(&report->event.memory, sizeof(*demux));
	if (!demux)
		return;
	demux->report = report;
	for (size_t i = 0; i < report->item_count; i++)
		take_item(demux, &report->items[i], i);
	memcpy(report->stacks, demux->stacks, sizeof(report->stacks));
	report->stack_count = demux->count;
}
