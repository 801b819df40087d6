// SPDX-License-Identifier: GPL-2.0-or-later
#include "frame.h"
#include "memory.h"
#include "parse.h"
#include "report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/*
 * Collecting the stacks of a report. A stack begins with what names its CPU or task ("CPU: 3 PID: 7
 * Comm: x", "NMI backtrace for cpu 3", "task:x state:D"), with an instruction pointer or with
 * "Call Trace:", and each of these begins a new one when the current stack has its own already.
 */

static struct report_stack *current_stack(struct report *report)
{
	return report->stack_count ? &report->stacks[report->stack_count - 1] : NULL;
}

static struct report_stack *begin_stack(struct report *report, const char *label)
{
	struct report_stack *stack = current_stack(report);

	/* An empty one is reused; beyond the limit everything goes into the last one. */
	if (stack && (report->stack_count == REPORT_STACKS || (!stack->stack.count && !stack->traced &&
							       stack->stack.pid < 0 && stack->stack.cpu < 0)))
		return stack;
	stack = &report->stacks[report->stack_count++];
	*stack = (struct report_stack){.stack = {.cpu = -1, .pid = -1}, .label = label};
	return stack;
}

struct report_stack *report_add_stack(struct report *report, const char *label)
{
	struct report_stack *stack = begin_stack(report, label);

	stack->label = label;
	return stack;
}

static bool make_room(struct report *report, struct report_stack *stack)
{
	size_t room = stack->room ? stack->room * 2 : 16;
	struct hl_frame *frames;
	unsigned char *marks;

	if (stack->stack.count < stack->room)
		return true;
	if (stack->room >= REPORT_FRAMES)
		return false;
	frames = memory_get(&report->event.memory, room * sizeof(*frames));
	marks = memory_get(&report->event.memory, room);
	if (!frames || !marks)
		return false;
	if (stack->stack.count) {
		memcpy(frames, stack->stack.frames, stack->stack.count * sizeof(*frames));
		memcpy(marks, stack->marks, stack->stack.count);
	}
	stack->stack.frames = frames;
	stack->marks = marks;
	stack->room = room;
	return true;
}

/* The next entry of the record of lines; NULL when it is full. */
static struct stack_item *add_item(struct report *report, enum stack_item_kind kind)
{
	struct stack_item *item;

	if (report->item_count == REPORT_ITEMS)
		return NULL;
	item = &report->items[report->item_count++];
	*item = (struct stack_item){.kind = (unsigned char)kind};
	return item;
}

const struct hl_frame *report_add_frame(struct report *report, struct report_stack *stack,
					const struct hl_frame *frame, enum frame_mark mark)
{
	struct hl_frame *place;

	if (!make_room(report, stack))
		return NULL;
	place = &stack->stack.frames[stack->stack.count];
	*place = *frame;
	stack->marks[stack->stack.count++] = (unsigned char)mark;
	return place;
}

/* In a full stack there may be the frames of several, to be told apart later. */
static const struct hl_frame *keep_frame(struct report *report, const struct hl_frame *frame)
{
	struct hl_frame *copy = memory_get(&report->event.memory, sizeof(*copy));

	if (copy)
		*copy = *frame;
	return copy;
}

static void add_frame(struct report *report, struct report_stack *stack, const struct frame_text *text,
		      enum frame_mark mark)
{
	struct hl_frame frame = text->frame;
	const struct hl_frame *added;
	struct stack_item *item;

	/* However long a trace is, its memory is not. */
	if (report->item_count == REPORT_ITEMS && !make_room(report, stack))
		return;
	frame.function = report_text(report, text->function, text->function_length);
	if (text->module_length)
		frame.module = report_text(report, text->module, text->module_length);
	if (text->file_length)
		frame.file = report_text(report, text->file, text->file_length);
	added = report_add_frame(report, stack, &frame, mark);
	if (!added)
		added = keep_frame(report, &frame);
	item = added ? add_item(report, STACK_FRAME) : NULL;
	if (!item)
		return;
	item->frame = added;
	item->mark = (unsigned char)mark;
}

/* "<IRQ>", "</TASK>", "<<EOE>>", "<#DF>" in front of a frame or alone. */
static const char *take_markers(struct report *report, struct report_stack *stack, const char *text)
{
	for (;;) {
		const char *name, *end;

		while (*text == ' ')
			text++;
		if (*text != '<')
			return text;
		for (name = text; *name == '<'; name++)
			;
		for (end = name; isupper((unsigned char)*end) || isdigit((unsigned char)*end) ||
				 *end == '/' || *end == '#';
		     end++)
			;
		if (end == name || *end != '>')
			return text;
		if (stack) {
			bool interrupt =
				*name != '/' && strncmp(name, "EO", 2) != 0 && strncmp(name, "TASK", 4) != 0;

			if (interrupt || parse_starts(name, "/IRQ") || parse_starts(name, "/NMI"))
				add_item(report, interrupt ? STACK_INTERRUPT : STACK_INTERRUPT_END);
			stack->interrupt = interrupt;
		}
		for (text = end; *text == '>'; text++)
			;
	}
}

/* "4.19.91-19.1.al7.x86_64 #1": the first word that begins with a digit and holds a dot. */
static void take_release(struct report *report, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " ");

		if (isdigit((unsigned char)*text) && memchr(text, '.', length)) {
			report->event.kernel = report_text(report, text, length);
			return;
		}
		text += length;
		while (*text == ' ')
			text++;
	}
}

/* "Not tainted 6.1.0 #1", "Tainted: G             L ------------   3.10.0-514.el7.x86_64 #1". */
static bool take_taint(struct report *report, const char *text)
{
	const char *clean = parse_starts(text, "Not tainted");
	const char *letters = parse_starts(text, "Tainted: ");
	char taint[40];
	size_t length = 0;

	if (!clean && !letters)
		return false;
	if (letters) {
		for (; *letters && !isdigit((unsigned char)*letters); letters++)
			if (isupper((unsigned char)*letters) && length < sizeof(taint))
				taint[length++] = *letters;
	}
	if (!report->event.tainted)
		report->event.tainted = report_text(report, taint, length);
	if (!report->event.kernel)
		take_release(report, letters ? letters : clean);
	return true;
}

static const char *find_taint(const char *text)
{
	const char *not = strstr(text, " Not tainted");
	const char *is = strstr(text, " Tainted: ");

	return not ? not +1 : is ? is + 1 : NULL;
}

static void take_comm(struct report *report, struct report_stack *stack, const char *text)
{
	const char *end = find_taint(text);
	const char *kdump = strstr(text, " Kdump: ");

	if (kdump && (!end || kdump < end))
		stack->stack.comm = report_text(report, text, (size_t)(kdump - text));
	else
		stack->stack.comm =
			report_text(report, text, end ? (size_t)(end - 1 - text) : parse_trimmed(text));
	if (end)
		take_taint(report, end);
}

/* "IP: [<...>] f" of old kernels comes before the line that names CPU and task. */
static bool is_bare_instruction(const struct report_stack *stack)
{
	return stack->stack.count == 1 && stack->marks[0] == FRAME_INSTRUCTION && !stack->traced &&
	       !stack->user;
}

/* "CPU: 3 PID: 28336 Comm: x Not tainted ...", "CPU: 0 UID: 0 PID: 12 Comm: x", "Pid: 0, comm: x ...". */
static bool take_cpu_line(struct report *report, const char *text)
{
	struct report_stack *stack = current_stack(report);
	const char *pid = parse_starts(text, "CPU: ") ? parse_after(text, " PID: ") : NULL;
	const char *comm = pid ? parse_after(pid, " Comm: ") : NULL;
	struct stack_item *item;
	int cpu = -1;

	if (comm) {
		cpu = atoi(text + 5);
	} else {
		pid = parse_starts(text, "Pid: ");
		comm = pid ? parse_after(pid, ", comm: ") : NULL;
		if (!comm)
			return false;
	}
	if (!stack || (stack->stack.count && !is_bare_instruction(stack)) || stack->traced ||
	    stack->stack.comm || (stack->stack.cpu >= 0 && cpu >= 0 && stack->stack.cpu != cpu))
		stack = begin_stack(report, "cpu");
	if (cpu >= 0)
		stack->stack.cpu = cpu;
	stack->stack.pid = atol(pid);
	take_comm(report, stack, comm);
	item = add_item(report, STACK_HEADER);
	if (item) {
		item->cpu = stack->stack.cpu;
		item->pid = stack->stack.pid;
		item->comm = stack->stack.comm;
	}
	return true;
}

static bool is_state(char c)
{
	return c && strchr("RSDTtXZPIKWNx", c);
}

/* printk("%-15.15s %c", comm, state), then address or free stack, pid, parent, flags. */
static bool parse_old_task_line(const char *text, size_t *length, long *pid)
{
	const char *end, *start;

	if (strnlen(text, 40) < 40 || text[0] == ' ' || text[15] != ' ' || !is_state(text[16]) ||
	    (text[17] != ' ' && !isdigit((unsigned char)text[17])))
		return false;
	/* From the end: flags, parent, pid. */
	end = strrchr(text, ' ');
	if (!parse_starts(end, " 0x"))
		return false;
	for (int i = 0; i < 2; i++) {
		while (end > text && end[-1] == ' ')
			end--;
		for (start = end; start > text && isdigit((unsigned char)start[-1]); start--)
			;
		if (start == end || start < text + 17)
			return false;
		end = start;
	}
	*pid = atol(end);
	for (*length = 15; *length && text[*length - 1] == ' '; --*length)
		;
	return true;
}

bool stack_parse_task(const char *text, const char **comm, size_t *length, long *pid)
{
	const char *name = parse_starts(text, "task:");
	const char *state = name ? strstr(name, " state:") : NULL;
	const char *number;

	*comm = state ? name : text;
	if (!state)
		return parse_old_task_line(text, length, pid);
	for (*length = (size_t)(state - name); *length && name[*length - 1] == ' '; --*length)
		;
	number = parse_after(state, " pid:");
	*pid = number ? atol(number) : -1;
	return true;
}

static bool take_task_line(struct report *report, const char *text)
{
	const char *comm;
	size_t length;
	long pid;
	struct report_stack *stack;

	if (!stack_parse_task(text, &comm, &length, &pid))
		return false;
	stack = begin_stack(report, "task");
	stack->stack.comm = report_text(report, comm, length);
	stack->stack.pid = pid;
	return true;
}

static bool take_instruction(struct report *report, const char *text)
{
	const char *where = frame_is_instruction(text);
	struct report_stack *stack = current_stack(report);
	struct frame_text frame;

	if (!where)
		return false;
	if (!frame_parse(where, &frame)) {
		/* User mode (or a wild jump): the kernel part of this stack is complete. */
		if (stack && stack->stack.count)
			stack->user = true;
		return true;
	}
	if (parse_starts(text, "RIP  [<") ||
	    parse_starts(text, "RIP [<")) /* repeated at the end of an oops */
		return true;
	if (!stack || (stack->stack.count && !stack->traced) || stack->user) {
		/* Some print it twice in a row: "IP: [<...>] f" and "RIP: 0010:[<...>] f". */
		if (stack && is_bare_instruction(stack))
			return true;
		stack = begin_stack(report, "cpu");
	}
	add_frame(report, stack, &frame, FRAME_INSTRUCTION);
	stack->interrupt = false;
	return true;
}

static bool take_trace_start(struct report *report, const char *text)
{
	struct report_stack *stack = current_stack(report);
	const char *rest = parse_starts(text, "Call Trace:");
	struct frame_text frame;

	if (!rest)
		rest = parse_starts(text, "Call trace:");
	if (!rest)
		rest = parse_starts(text, "Backtrace:");
	if (!rest)
		return false;
	if (!stack || stack->traced || stack->user)
		stack = begin_stack(report, "trace");
	add_item(report, STACK_TRACE);
	stack->traced = true;
	stack->interrupt = false;
	rest = take_markers(report, stack, rest);
	if (frame_parse(rest, &frame))
		add_frame(report, stack, &frame, stack->interrupt ? FRAME_INTERRUPT : FRAME_PLAIN);
	return true;
}

static bool take_frame(struct report *report, const char *text)
{
	struct report_stack *stack = current_stack(report);
	struct frame_text frame;
	const char *rest = take_markers(report, stack, text);

	if (!*rest)
		return rest != text && *text;
	if (rest[0] == '#' || !frame_parse(rest, &frame))
		return false;
	if (!stack)
		stack = begin_stack(report, "trace");
	if (stack->user) {
		/* Another stack without a header of its own. */
		stack = begin_stack(report, "trace");
		stack->traced = true;
	}
	add_frame(report, stack, &frame, stack->interrupt ? FRAME_INTERRUPT : FRAME_PLAIN);
	return true;
}

static bool take_backtrace_request(struct report *report, const char *text)
{
	const char *cpu = parse_starts(text, "NMI backtrace for cpu ");
	struct report_stack *stack;

	if (strstr(text, "ending NMI ") && strstr(text, "CPU")) {
		report->all_cpus = true;
		return true;
	}
	if (!cpu)
		return false;
	stack = begin_stack(report, "cpu");
	if (stack->stack.cpu < 0 && isdigit((unsigned char)*cpu))
		stack->stack.cpu = atoi(cpu);
	report->all_cpus = true;
	return true;
}

/* Lines of dumps that carry nothing for us, but belong to the report. Kept sorted by topic. */
static bool is_dump_line(const char *text)
{
	static const char *const starts[] = {
		"Code: ",
		"RSP: ",
		"RAX: ",
		"RDX: ",
		"RBP: ",
		"RSI: ",
		"RDI: ",
		"R10: ",
		"R13: ",
		"FS: ",
		"CS: ",
		"CR2: ",
		"DR0: ",
		"DR3: ",
		"PKRU: ",
		"EFLAGS: ",
		"EAX: ",
		"ESI: ",
		"DS: ",
		"ORIG_RAX: ",
		"ORIG_EAX: ",
		"RSP <",
		"CR2",
		"pstate: ",
		"sp : ",
		"lr : ",
		"LR is at",
		"x0 :",
		"PGD ",
		"P4D",
		"*pde",
		"*pdpt",
		"Internal error",
		"Process ",
		"Stack:",
		"Stack ",
		"task: ",
		"Modules linked in",
		"Unloaded tainted",
		"Hardware name: ",
		"last sysfs file",
		"irq event stamp",
		"hardirqs last",
		"softirqs last",
		"Preemption disabled",
		"Kernel Offset",
		"Dumping ftrace",
		"Showing all locks",
		"INFO: lockdep is turned",
		"Tainted: [",
		"note: ",
		"fbcon",
		"Shutting down cpus",
		"Thread overran",
		"Exception ",
		"Disabling lock",
		"Showing busy workqueues",
		"pool ",
		"workqueue ",
		"in-flight:",
		"pending:",
		"Mem abort info",
		"Data abort info",
		"ESR = ",
		"EC = ",
		"SET = ",
		"EA = ",
		"FSC = ",
		"CM = ",
		"user pgtable",
		"swapper pgtable",
		"[0000",
	};

	while (*text == ' ' || *text == '\t')
		text++;
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (*text == *starts[i] && parse_starts(text, starts[i]))
			return true;
	if ((text[0] == 'x' || text[0] == 'R' || text[0] == 'r') && isdigit((unsigned char)text[1]) &&
	    strchr(text, ':'))
		return true;
	if (text[0] == '#' && isdigit((unsigned char)text[1]) && strchr(text, ':'))
		return true;
	if (isdigit((unsigned char)text[0]) && strstr(text, " held by "))
		return true;
	return isxdigit((unsigned char)text[0]) && strspn(text, "0123456789abcdef ") == strlen(text);
}

static void take_facts(struct report *report, const char *text)
{
	const char *value = parse_starts(text, "Hardware name: ");

	if (value)
		report_field_text(report, "hardware", value, parse_trimmed(value));
	value = parse_starts(text, "Workqueue: ");
	if (value)
		report_field_text(report, "workqueue", value, parse_trimmed(value));
}

bool report_stack_line(struct report *report, const struct line *line)
{
	const char *text = line->text;
	const char *start = text;

	while (*start == ' ' || *start == '\t')
		start++;
	if (!*start)
		return false;
	if (take_frame(report, text))
		return true;
	if (take_trace_start(report, start) || take_cpu_line(report, start) ||
	    take_instruction(report, start) || take_backtrace_request(report, start) ||
	    take_task_line(report, text) || take_taint(report, start))
		return true;
	take_facts(report, start);
	return parse_starts(start, "Workqueue: ") || is_dump_line(start);
}
