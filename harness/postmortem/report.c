// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/report.h"

#include "base/cleanup.h"
#include "inject/wait_layer.h"
#include "postmortem/dmesg.h"
#include "postmortem/locks.h"
#include "postmortem/registers.h"
#include "postmortem/vmcoreinfo.h"

#include <string.h>

#define MOST_CPUS 512

/**
 * struct reader - all that one report is read with
 * @holders: tasks that hold a lock, and neither are blocked themselves nor run
 */
struct reader {
	const struct image *image;
	struct mapping mapping;
	struct symbols symbols;
	struct types *types;
	struct unwinder unwinder;
	struct task_list tasks;
	struct locks *locks;
	json_t *report, *holders;
};

static void close_reader(struct reader *reader)
{
	locks_close(reader->locks);
	free(reader->tasks.list);
	unwinder_close(&reader->unwinder);
	types_close(reader->types);
	symbols_close(&reader->symbols);
	mapping_close(&reader->mapping);
}

static json_t *address_json(uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
	return json_string(text);
}

static json_t *frame_json(const struct reader *reader, const struct frame *frame, bool innermost)
{
	struct symbol_place place;
	json_t *json = json_pack("{s:o}", "address", address_json(frame->address));

	/* A return address may be the first behind a function that does not return. */
	if (symbols_function_at(&reader->symbols, frame->address - !innermost, &place)) {
		json_object_set_new(json, "function", json_string(place.name));
		json_object_set_new(json, "offset", json_integer((json_int_t)place.offset + !innermost));
		json_object_set_new(json, "size", json_integer((json_int_t)place.size));
		if (*place.module)
			json_object_set_new(json, "module", json_string(place.module));
	}
	if (!frame->reliable)
		json_object_set_new(json, "reliable", json_false());
	return json;
}

static json_t *stack_json(const struct reader *reader, const struct frame *frames, size_t count)
{
	json_t *stack = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(stack, frame_json(reader, &frames[i], !i));
	return stack;
}

/* Where a task that does not run left off: struct inactive_task_frame (arch/x86/include/asm/switch_to.h). */
static size_t unwind_sleeper(const struct reader *reader, const struct task *task,
			     struct frame frames[UNWIND_MOST_FRAMES])
{
	struct field bp = types_field(reader->types, "inactive_task_frame", "bp");
	struct field ip = types_field(reader->types, "inactive_task_frame", "ret_addr");
	uint64_t size = types_size(reader->types, "inactive_task_frame");

	return unwind(&reader->unwinder,
		      (struct unwind_state){.ip = field_read(&reader->mapping, task->sp, ip),
					    .sp = task->sp + size,
					    .bp = field_read(&reader->mapping, task->sp, bp)},
		      frames);
}

static json_t *task_json(const struct task *task)
{
	return json_pack("{s:s, s:i, s:s, s:b}", "comm", task->comm, "pid", (int)task->pid, "state",
			 task_state(task), "running", (int)task->on_cpu);
}

static bool is_listed(const json_t *list, const struct task *task)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_integer_value(json_object_get(item, "pid")) == task->pid)
			return true;
	return false;
}

static void list_holder(const struct reader *reader, const struct task *holder)
{
	struct frame frames[UNWIND_MOST_FRAMES];
	json_t *json;

	/* What a running task does is with its CPU. */
	if (task_is_blocked(holder) || holder->on_cpu || is_listed(reader->holders, holder))
		return;
	json = task_json(holder);
	json_object_set_new(json, "stack",
			    stack_json(reader, frames, unwind_sleeper(reader, holder, frames)));
	json_array_append_new(reader->holders, json);
}

static json_t *wait_json(const struct reader *reader, const struct wait *wait)
{
	json_t *json = json_pack("{s:s, s:s}", "kind", wait->kind, "what", wait->what);

	if (wait->lock)
		json_object_set_new(json, "lock", address_json(wait->lock));
	if (wait->holder) {
		json_object_set_new(json, "holder", task_json(wait->holder));
		list_holder(reader, wait->holder);
	}
	if (wait->readers)
		json_object_set_new(json, "readers", json_true());
	return json;
}

/* Where no lock was found: the layer that the stack's functions belong to. */
static const char *layer_of(const json_t *stack, char *function, size_t size)
{
	cleanup_free char *text = NULL;
	const json_t *frame;
	size_t length, i;
	FILE *out = open_memstream(&text, &length);
	enum wait_layer layer;

	if (!out)
		return NULL;
	json_array_foreach (stack, i, frame)
		fprintf(out, "%s\n",
			json_is_string(json_object_get(frame, "function"))
				? json_string_value(json_object_get(frame, "function"))
				: "?");
	fclose(out);
	layer = wait_layer_of_stack(text, function, size);
	return layer == WAIT_UNKNOWN ? NULL : wait_layer_name(layer);
}

static json_t *blocked_json(const struct reader *reader, const struct task *task)
{
	struct frame frames[UNWIND_MOST_FRAMES];
	size_t count = unwind_sleeper(reader, task, frames);
	struct wait wait = locks_find(reader->locks, task, frames, count);
	json_t *json = task_json(task), *stack = stack_json(reader, frames, count);
	char function[128];
	const char *layer = wait.kind ? NULL : layer_of(stack, function, sizeof(function));

	json_object_set_new(json, "stack", stack);
	if (wait.kind)
		json_object_set_new(json, "waits_for", wait_json(reader, &wait));
	else if (layer)
		json_object_set_new(json, "waits_for",
				    json_pack("{s:s, s:s}", "kind", layer, "what", function));
	return json;
}

static int by_pid(const void *a, const void *b)
{
	const struct task *const *x = a, *const *y = b;

	return (*x)->pid < (*y)->pid ? -1 : (*x)->pid > (*y)->pid;
}

static void add_blocked(const struct reader *reader)
{
	cleanup_free const struct task **blocked = calloc(reader->tasks.count + 1, sizeof(*blocked));
	json_t *list = json_array();
	size_t count = 0;

	if (!blocked)
		abort();
	for (size_t i = 0; i < reader->tasks.count; i++)
		if (task_is_blocked(&reader->tasks.list[i]))
			blocked[count++] = &reader->tasks.list[i];
	qsort(blocked, count, sizeof(*blocked), by_pid);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, blocked_json(reader, blocked[i]));
	json_object_set_new(reader->report, "blocked", list);
}

static json_t *cpu_json(const struct reader *reader, unsigned int cpu)
{
	json_t *json = json_pack("{s:i}", "cpu", (int)cpu);
	struct frame frames[UNWIND_MOST_FRAMES];
	struct user_regs_struct regs;
	struct task task;

	if (task_of_cpu(&task, &reader->mapping, &reader->symbols, reader->types, cpu))
		json_object_set_new(json, "task", task_json(&task));
	if (cpu >= reader->image->cpu_count)
		return json;
	regs = registers_of(&reader->image->registers[cpu]);
	/* Zeros stand for registers that QEMU was too busy to tell (core.c). */
	if (!regs.rip)
		return json;
	json_object_set_new(json, "rip", address_json(regs.rip));
	json_object_set_new(json, "rsp", address_json(regs.rsp));
	/* Bit 9 of the flags. */
	json_object_set_new(json, "interrupts", json_boolean(regs.eflags & 0x200));
	json_object_set_new(json, "mode", json_string(regs.cs & 3 ? "user" : "kernel"));
	if (!(regs.cs & 3))
		json_object_set_new(
			json, "stack",
			stack_json(reader, frames,
				   unwind(&reader->unwinder,
					  (struct unwind_state){regs.rip, regs.rsp, regs.rbp}, frames)));
	return json;
}

static void add_cpus(const struct reader *reader)
{
	uint64_t count = mapping_number(&reader->mapping, symbols_address(&reader->symbols, "nr_cpu_ids"), 4);
	json_t *list = json_array();

	if (reader->image->cpu_count > 1 || !count)
		count = reader->image->cpu_count;
	for (unsigned int cpu = 0; cpu < count && cpu < MOST_CPUS; cpu++)
		json_array_append_new(list, cpu_json(reader, cpu));
	json_object_set_new(reader->report, "cpus", list);
}

static void add_dmesg(const struct reader *reader)
{
	cleanup_free char *text = NULL;
	json_t *lines = json_array();
	struct hl_error err = HL_ERROR_INIT;

	if (dmesg_read(&reader->mapping, &text, &err))
		json_object_set_new(reader->report, "no_dmesg", json_string(err.text));
	for (char *line = text; line && *line;) {
		size_t length = strcspn(line, "\n");

		json_array_append_new(lines, json_stringn(line, length));
		line += length + (line[length] == '\n');
	}
	json_object_set_new(reader->report, "dmesg", lines);
}

static int open_description(struct reader *reader, const char *vmlinux, struct hl_error *err)
{
	struct orc_table *tables = NULL;
	size_t table_count = 0;
	int r = vmlinux ? symbols_open_vmlinux(&reader->symbols, &reader->mapping, vmlinux, err)
			: symbols_open(&reader->symbols, &reader->mapping, err);

	if (!r)
		r = types_open(&reader->types, &reader->mapping, &reader->symbols, err);
	if (r)
		return r;
	modules_read(&reader->mapping, reader->types, &reader->symbols, &tables, &table_count);
	symbols_sort(&reader->symbols);
	unwinder_open(&reader->unwinder, &reader->mapping, &reader->symbols, reader->types, tables,
		      table_count);
	r = tasks_read(&reader->tasks, &reader->mapping, &reader->symbols, reader->types, err);
	if (!r)
		reader->locks = locks_open(&reader->mapping, &reader->symbols, reader->types, &reader->tasks);
	return r;
}

/* What needs the kernel's symbols and types; a kernel without them still has its log. */
static void add_tasks(struct reader *reader, const char *vmlinux)
{
	struct hl_error err = HL_ERROR_INIT;

	if (open_description(reader, vmlinux, &err)) {
		json_object_set_new(reader->report, "missing", json_string(err.text));
		return;
	}
	reader->holders = json_array();
	add_cpus(reader);
	add_blocked(reader);
	json_object_set_new(reader->report, "holders", reader->holders);
}

int postmortem_read_image(const struct image *image, const char *core, const char *vmlinux, json_t **report,
			  struct hl_error *err)
{
	struct reader reader cleanup_with(close_reader) = {.image = image};
	char release[128];
	int r = mapping_open(&reader.mapping, image, err);

	if (r)
		return r;
	vmcoreinfo_text(reader.mapping.info, "OSRELEASE", release, sizeof(release));
	reader.report =
		json_pack("{s:i, s:s, s:s?}", "schema", POSTMORTEM_SCHEMA, "core", core, "release", release);
	add_dmesg(&reader);
	add_tasks(&reader, vmlinux);
	*report = reader.report;
	return 0;
}

int postmortem_read(const char *core, const char *vmlinux, json_t **report, struct hl_error *err)
{
	struct image image cleanup_with(image_close) = {0};
	int r = image_open(&image, core, err);

	return r ? r : postmortem_read_image(&image, core, vmlinux, report, err);
}
