// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/tasks.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TASKS 100000

/* include/linux/sched.h */
#define STATE_INTERRUPTIBLE   0x1
#define STATE_UNINTERRUPTIBLE 0x2
#define STATE_STOPPED	      0x4
#define STATE_TRACED	      0x8
#define STATE_DEAD	      0x10
#define STATE_NO_LOAD	      0x400

/** struct layout - where things are in a task_struct */
struct layout {
	struct field tasks, signal, thread_node, thread_head, comm, pid, state, sp, stack, on_cpu, mm;
};

static int find_layout(struct layout *layout, const struct types *types, struct hl_error *err)
{
	*layout = (struct layout){
		.tasks = types_field(types, "task_struct", "tasks"),
		.signal = types_field(types, "task_struct", "signal"),
		.thread_node = types_field(types, "task_struct", "thread_node"),
		.thread_head = types_field(types, "signal_struct", "thread_head"),
		.comm = types_field(types, "task_struct", "comm"),
		.pid = types_field(types, "task_struct", "pid"),
		.state = types_field(types, "task_struct", "__state"),
		.sp = types_field(types, "task_struct", "thread.sp"),
		.stack = types_field(types, "task_struct", "stack"),
		.on_cpu = types_field(types, "task_struct", "on_cpu"),
		.mm = types_field(types, "task_struct", "mm"),
	};
	/* Its name before 5.14. */
	if (!layout->state.size)
		layout->state = types_field(types, "task_struct", "state");
	if (layout->tasks.size && layout->comm.size && layout->pid.size && layout->state.size &&
	    layout->sp.size && layout->stack.size)
		return 0;
	return hl_error_set(err, ENODATA, "the kernel's types do not describe its tasks");
}

static struct task read_task(const struct mapping *mapping, const struct layout *layout, uint64_t address)
{
	struct task task = {
		.address = address,
		.state = field_read(mapping, address, layout->state),
		.sp = field_read(mapping, address, layout->sp),
		.stack = field_read(mapping, address, layout->stack),
		.mm = field_read(mapping, address, layout->mm),
		.pid = (pid_t)field_read(mapping, address, layout->pid),
		.on_cpu = field_read(mapping, address, layout->on_cpu) != 0,
	};

	mapping_string(mapping, address + layout->comm.offset, task.comm,
		       layout->comm.size < sizeof(task.comm) ? layout->comm.size : sizeof(task.comm));
	return task;
}

static void add(struct task_list *tasks, const struct mapping *mapping, const struct layout *layout,
		uint64_t address)
{
	struct task *larger = realloc(tasks->list, (tasks->count + 1) * sizeof(*larger));

	if (!larger)
		abort();
	tasks->list = larger;
	tasks->list[tasks->count++] = read_task(mapping, layout, address);
}

/* The threads of a process, its leader among them. */
static void add_threads(struct task_list *tasks, const struct mapping *mapping, const struct layout *layout,
			uint64_t leader)
{
	uint64_t signal = field_read(mapping, leader, layout->signal);
	uint64_t head = signal + layout->thread_head.offset, node = mapping_pointer(mapping, head);
	size_t before = tasks->count;

	while (signal && layout->thread_head.size && layout->thread_node.size && node && node != head &&
	       tasks->count < MOST_TASKS) {
		add(tasks, mapping, layout, node - layout->thread_node.offset);
		node = mapping_pointer(mapping, node);
	}
	if (tasks->count == before)
		add(tasks, mapping, layout, leader);
}

static int by_address(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

int tasks_read(struct task_list *tasks, const struct mapping *mapping, const struct symbols *symbols,
	       const struct types *types, struct hl_error *err)
{
	uint64_t first = symbols_address(symbols, "init_task"), task = first;
	struct layout layout;
	int r = find_layout(&layout, types, err);

	memset(tasks, 0, sizeof(*tasks));
	if (r)
		return r;
	if (!first)
		return hl_error_set(err, ENODATA, "the kernel has no symbol init_task");
	do {
		uint64_t next = mapping_pointer(mapping, task + layout.tasks.offset);

		add_threads(tasks, mapping, &layout, task);
		task = next - layout.tasks.offset;
		if (!next)
			break;
	} while (task != first && tasks->count < MOST_TASKS);
	qsort(tasks->list, tasks->count, sizeof(*tasks->list), by_address);
	return 0;
}

const struct task *tasks_find(const struct task_list *tasks, uint64_t address)
{
	struct task wanted = {.address = address};

	return tasks->count ? bsearch(&wanted, tasks->list, tasks->count, sizeof(wanted), by_address) : NULL;
}

bool task_is_blocked(const struct task *task)
{
	return task->state & STATE_UNINTERRUPTIBLE && !(task->state & STATE_NO_LOAD);
}

const char *task_state(const struct task *task)
{
	if (task->state & STATE_UNINTERRUPTIBLE)
		return task->state & STATE_NO_LOAD ? "I" : "D";
	if (task->state & STATE_INTERRUPTIBLE)
		return "S";
	if (task->state & STATE_STOPPED)
		return "T";
	if (task->state & STATE_TRACED)
		return "t";
	return task->state & STATE_DEAD ? "X" : "R";
}

bool task_of_cpu(struct task *task, const struct mapping *mapping, const struct symbols *symbols,
		 const struct types *types, unsigned int cpu)
{
	uint64_t offsets = symbols_address(symbols, "__per_cpu_offset");
	/* In 6.2 to 6.14 it is the first of the "hot" data of a CPU. */
	uint64_t current = symbols_address(symbols, "current_task"),
		 hot = symbols_address(symbols, "pcpu_hot");
	uint64_t address;
	struct layout layout;

	if (!current && hot)
		current = hot + types_field(types, "pcpu_hot", "current_task").offset;
	if (!offsets || !current || find_layout(&layout, types, NULL))
		return false;
	address = mapping_pointer(mapping,
				  mapping_pointer(mapping, offsets + cpu * sizeof(uint64_t)) + current);
	*task = read_task(mapping, &layout, address);
	return address != 0;
}
