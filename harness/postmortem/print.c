// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/report.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_stack(const json_t *stack, FILE *out)
{
	const json_t *frame;
	size_t i;

	json_array_foreach (stack, i, frame) {
		const char *module = text_of(frame, "module");
		const char *doubt = json_is_false(json_object_get(frame, "reliable")) ? "? " : "";

		if (!text_of(frame, "function")[0])
			fprintf(out, "      %s%s\n", doubt, text_of(frame, "address"));
		else
			fprintf(out, "      %s%s+0x%llx/0x%llx%s%s%s\n", doubt, text_of(frame, "function"),
				number_of(frame, "offset"), number_of(frame, "size"), *module ? " [" : "",
				module, *module ? "]" : "");
	}
}

static void print_task(const json_t *task, FILE *out)
{
	fprintf(out, "%s:%lld", text_of(task, "comm"), number_of(task, "pid"));
}

static void print_wait(const json_t *wait, FILE *out)
{
	const json_t *holder = json_object_get(wait, "holder");

	if (!wait)
		return;
	fprintf(out, "    waits for: %s, %s", text_of(wait, "kind"), text_of(wait, "what"));
	if (holder) {
		fprintf(out, "\n    held by:   ");
		print_task(holder, out);
		fprintf(out, " (state %s%s)%s", text_of(holder, "state"),
			json_is_true(json_object_get(holder, "running")) ? ", runs: see the CPUs" : "",
			json_is_true(json_object_get(wait, "readers")) ? ", the last of its readers" : "");
	} else if (json_is_true(json_object_get(wait, "readers"))) {
		fprintf(out, "\n    held by:   readers");
	}
	fprintf(out, "\n");
}

static void print_tasks(const json_t *tasks, const char *title, FILE *out)
{
	const json_t *task;
	size_t i;

	if (!json_array_size(tasks))
		return;
	fprintf(out, "\n%s\n", title);
	json_array_foreach (tasks, i, task) {
		fprintf(out, "  ");
		print_task(task, out);
		fprintf(out, "  state %s\n", text_of(task, "state"));
		print_wait(json_object_get(task, "waits_for"), out);
		print_stack(json_object_get(task, "stack"), out);
	}
}

static void print_cpus(const json_t *cpus, FILE *out)
{
	const json_t *cpu;
	size_t i;

	if (json_array_size(cpus))
		fprintf(out, "\nCPUs\n");
	json_array_foreach (cpus, i, cpu) {
		fprintf(out, "  CPU %lld  ", number_of(cpu, "cpu"));
		print_task(json_object_get(cpu, "task"), out);
		if (json_object_get(cpu, "rip"))
			fprintf(out, "  %s mode, interrupts %s, RIP %s", text_of(cpu, "mode"),
				json_is_true(json_object_get(cpu, "interrupts")) ? "on" : "off",
				text_of(cpu, "rip"));
		fprintf(out, "\n");
		print_stack(json_object_get(cpu, "stack"), out);
	}
}

static void print_dmesg(const json_t *lines, size_t most, FILE *out)
{
	size_t count = json_array_size(lines), first = count > most ? count - most : 0;

	if (first < count)
		fprintf(out, "\nKernel log%s\n", first ? " (end)" : "");
	for (size_t i = first; i < count; i++)
		fprintf(out, "  %s\n", json_string_value(json_array_get(lines, i)));
}

static void print_remark(const json_t *report, const char *key, const char *title, FILE *out)
{
	if (json_object_get(report, key))
		fprintf(out, "%-10s%s\n", title, text_of(report, key));
}

void postmortem_print(const json_t *report, size_t dmesg_lines, FILE *out)
{
	print_remark(report, "core", "core", out);
	print_remark(report, "release", "kernel", out);
	print_remark(report, "why", "taken", out);
	if (json_object_get(report, "no_registers"))
		fprintf(out, "registers skipped: %s\n", text_of(report, "no_registers"));
	print_remark(report, "no_dmesg", "log", out);
	print_remark(report, "missing", "tasks", out);
	print_dmesg(json_object_get(report, "dmesg"), dmesg_lines, out);
	print_cpus(json_object_get(report, "cpus"), out);
	print_tasks(json_object_get(report, "blocked"), "Blocked tasks (state D)", out);
	print_tasks(json_object_get(report, "holders"), "Tasks that hold a lock and sleep otherwise", out);
}
