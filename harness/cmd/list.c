// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/similar.h"
#include "checkers/checkers.h"
#include "cmd/command.h"
#include "inject/workload/engine.h"
#include "run/exactness.h"
#include "run/run.h"
#include "scenario/loader.h"
#include "vm-images/kernel.h"

#include <dirent.h>
#include <stdint.h>
#include <string.h>

#define FAILED 2

/* ---- parameter tables ---- */

/* Help of several lines goes on below itself. */
static void print_help(const char *help, int column)
{
	for (;;) {
		size_t length = strcspn(help, "\n");

		printf("%.*s\n", (int)length, help);
		if (!help[length] || !help[length + 1])
			return;
		help += length + 1;
		printf("%*s", column, "");
	}
}

static void print_row(int indent, const char *name, const char *type, const char *help)
{
	printf("%*s%-*s %s\n%*s", indent, "", 14, name, type, indent + 15, "");
	print_help(help, indent + 15);
}

/* The event kinds are too many for a line and have a list of their own. */
static char *describe(const struct parameter *parameter, char *text, size_t size)
{
	static const char *const event_kinds[] = {"event kind (hanglab list events)", NULL};
	struct parameter described = *parameter;

	if (described.choices == event_kind_names)
		described.choices = event_kinds;
	return parameter_describe(&described, text, size);
}

static void print_parameters(const struct parameter *table, int indent)
{
	char type[256];

	for (; table && table->name; table++)
		print_row(indent, table->name, describe(table, type, sizeof(type)), table->help);
}

/* ---- what descriptors describe ---- */

/**
 * struct entry - what all descriptors have in common
 * @help: a paragraph, or NULL
 * @where: where it runs, or NULL
 */
struct entry {
	const char *name, *summary, *help, *where;
	const struct parameter *parameters;
	const struct needs *needs;
};

struct entries {
	struct arena arena;
	struct entry *list;
	size_t count;
};

static void add_entry(struct entries *entries, const struct entry *entry)
{
	*(struct entry *)arena_append(&entries->arena, &entries->list, &entries->count, sizeof(*entry)) =
		*entry;
}

static void collect_injectors(struct entries *entries)
{
	for (const struct injector *const *injector = injector_list(); *injector; injector++)
		add_entry(entries,
			  &(struct entry){.name = (*injector)->name,
					  .summary = (*injector)->summary,
					  .help = (*injector)->help,
					  .where = (*injector)->side == INJECTOR_GUEST ? "in the guest"
										       : "on the host",
					  .parameters = (*injector)->parameters,
					  .needs = &(*injector)->needs});
}

static void collect_workloads(struct entries *entries)
{
	for (const struct workload *const *workload = workload_list(); *workload; workload++)
		add_entry(entries, &(struct entry){.name = (*workload)->name,
						   .summary = (*workload)->summary,
						   .help = (*workload)->help,
						   .parameters = (*workload)->parameters,
						   .needs = &(*workload)->needs});
}

static void collect_engines(struct entries *entries)
{
	for (const struct engine *const *engine = engine_list(); *engine; engine++)
		add_entry(entries, &(struct entry){.name = (*engine)->name, .summary = (*engine)->summary});
}

static void collect_events(struct entries *entries)
{
	for (int kind = 0; kind < HL_EVENT_KIND_COUNT; kind++)
		add_entry(entries, &(struct entry){.name = hl_event_kind_name((enum hl_event_kind)kind),
						   .summary = hl_event_kind_help((enum hl_event_kind)kind)});
}

static void print_needs(const char *what, const char *const *names)
{
	if (!names || !*names)
		return;
	printf("\nNeeds %s:", what);
	for (; *names; names++)
		printf(" %s", *names);
	printf("\n");
}

static void print_entry(const struct entry *entry)
{
	printf("%s: %s\n", entry->name, entry->summary);
	if (entry->help)
		printf("\n%s", entry->help);
	if (entry->where)
		printf("\nRuns %s.\n", entry->where);
	if (entry->parameters && entry->parameters->name) {
		printf("\nParameters:\n");
		print_parameters(entry->parameters, 2);
	}
	if (!entry->needs)
		return;
	print_needs("the kernel options", entry->needs->config);
	print_needs("the modules", entry->needs->modules);
	print_needs("the programs of this machine", entry->needs->tools);
	if (entry->needs->real_clock)
		printf("\nNeeds real time: vm: {clock: real}\n");
}

static int unknown_name(const struct command_line *line, const struct entries *entries, const char *name)
{
	struct arena arena cleanup_with(arena_free) = {NULL};
	const char **names = arena_allocate(&arena, (entries->count + 1) * sizeof(*names)), *near;

	for (size_t i = 0; i < entries->count; i++)
		names[i] = entries->list[i].name;
	near = similar_find(name, names, entries->count);
	if (near)
		return command_usage_error(line, "%s has no '%s'; did you mean '%s'?", line->operands[0],
					   name, near);
	return command_usage_error(line, "%s has no '%s'", line->operands[0], name);
}

static int show_entries(const struct command_line *line, const struct entries *entries)
{
	const char *name = line->operand_count > 1 ? line->operands[1] : NULL;

	for (size_t i = 0; i < entries->count; i++) {
		if (!name)
			printf("%-20s %s\n", entries->list[i].name, entries->list[i].summary);
		else if (!strcmp(entries->list[i].name, name))
			return print_entry(&entries->list[i]), 0;
	}
	return name ? unknown_name(line, entries, name) : 0;
}

/* ---- the scenario format ---- */

static const char *key_type(enum schema_kind kind)
{
	static const char *const names[] = {
		[SCHEMA_OBJECT] = "object",
		[SCHEMA_LIST] = "list of objects",
		[SCHEMA_TEXTS] = "list of texts",
		[SCHEMA_MAP] = "texts by name",
	};

	return names[kind];
}

static void print_schema(const struct schema *schema, int indent)
{
	print_parameters(schema->values, indent);
	for (const struct schema_key *key = schema->keys; key && key->name; key++) {
		print_row(indent, key->name, key_type(key->kind), key->help);
		if (key->item)
			print_schema(key->item, indent + 2);
	}
}

/* Everything called @name at any depth, with the way to it. Return: how many there are. */
static size_t print_keys_named(const struct schema *schema, const char *name, const char *path)
{
	const struct parameter *value = parameter_find(schema->values, name);
	size_t found = 0;
	char type[256];

	if (value && ++found) {
		printf("%s%s: %s\n  ", path, name, describe(value, type, sizeof(type)));
		print_help(value->help, 2);
	}
	for (const struct schema_key *key = schema->keys; key && key->name; key++) {
		cleanup_free char *below =
			file_path("%s%s%s", path, key->name, key->kind == SCHEMA_LIST ? "[]." : ".");

		if (!strcmp(key->name, name) && ++found) {
			printf("%s%s: %s\n  ", path, name, key_type(key->kind));
			print_help(key->help, 2);
			if (key->item)
				print_schema(key->item, 2);
		}
		if (key->item)
			found += print_keys_named(key->item, name, below);
	}
	return found;
}

static int list_keys(const struct command_line *line)
{
	if (line->operand_count < 2)
		return print_schema(&plan_schema, 0), 0;
	if (!print_keys_named(&plan_schema, line->operands[1], ""))
		return command_usage_error(line, "no key of a scenario is called '%s'", line->operands[1]);
	return 0;
}

/* ---- scenarios ---- */

/* Could it run on this machine? */
static void print_here(const struct plan *plan)
{
	struct run_preparation preparation cleanup_with(run_preparation_clear) = {0};
	struct hl_error err = HL_ERROR_INIT;

	if (run_check_requirements(plan, &preparation, &err))
		printf("  cannot run here: %s\n", err.text);
	else if (preparation.skip[0])
		printf("  would be SKIPped: %s\n", preparation.skip);
	else
		printf("  can run here, on %s\n",
		       preparation.kernel ? preparation.kernel->name : plan_guest_names[plan->vm->guest]);
}

static int print_scenario(const char *path, bool here)
{
	struct plan plan cleanup_with(plan_free) = {0};
	struct hl_error err = HL_ERROR_INIT;

	if (scenario_load(path, &plan, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return FAILED;
	}
	printf("%s\n  %s\n  %s\n  exact: %s\n", plan.scenario, plan.summary, path, exactness_of_plan(&plan));
	if (here)
		print_here(&plan);
	return 0;
}

static int is_scenario(const struct dirent *entry)
{
	const char *suffix = strrchr(entry->d_name, '.');

	return suffix && !strcmp(suffix, ".yaml");
}

static int list_scenarios(const struct command_line *line)
{
	cleanup_free char *folder = line->operand_count > 1
					    ? file_path("%s", line->operands[1])
					    : file_shipped("scenarios", "../share/hanglab/scenarios");
	cleanup_free struct dirent **entries = NULL;
	struct hl_error err = HL_ERROR_INIT;
	int count = scandir(folder, &entries, is_scenario, alphasort), code = 0;

	if (count < 0) {
		hl_error_errno(&err, errno, "read the folder %s", folder);
		return command_error(line, FAILED, &err);
	}
	for (int i = 0; i < count; i++) {
		cleanup_free char *path = file_path("%s/%s", folder, entries[i]->d_name);

		code |= print_scenario(path, command_option(line, "here"));
		free(entries[i]);
	}
	return code;
}

/* ---- the command ---- */

/* Either @collect, or @list that does it all. */
static const struct {
	const char *name;
	void (*collect)(struct entries *entries);
	int (*list)(const struct command_line *line);
} kinds[] = {
	{"injectors", collect_injectors, NULL}, {"workloads", collect_workloads, NULL},
	{"engines", collect_engines, NULL},	{"events", collect_events, NULL},
	{"scenarios", NULL, list_scenarios},	{"keys", NULL, list_keys},
};

static int list(const struct command_line *line)
{
	struct entries entries = {0};
	const char *names[sizeof(kinds) / sizeof(kinds[0])], *near;
	size_t count = 0;
	int code;

	for (; count < sizeof(kinds) / sizeof(kinds[0]); count++) {
		names[count] = kinds[count].name;
		if (strcmp(line->operands[0], names[count]) != 0)
			continue;
		if (kinds[count].list)
			return kinds[count].list(line);
		kinds[count].collect(&entries);
		code = show_entries(line, &entries);
		arena_free(&entries.arena);
		return code;
	}
	near = similar_find(line->operands[0], names, count);
	return command_usage_error(line, "unknown list '%s'%s%s%s", line->operands[0],
				   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static const struct command_option options[] = {
	{"here", 0, NULL, "scenarios: say of each whether it can run on this machine, or why not"},
	{NULL, 0, NULL, NULL},
};

const struct command command_list = {
	.name = "list",
	.summary = "list injectors, workloads, engines, events, scenarios and the keys of a scenario file",
	.operands = "injectors|workloads|engines|events|scenarios|keys [NAME]",
	.help = "Without NAME: every name with one line about it. With NAME: its help, its parameters with "
		"type,\n"
		"range and default, and what it needs. Of scenarios NAME is a folder, by default that of the "
		"shipped\n"
		"ones; of keys a key of the scenario file at any depth.\n\n"
		"Exit code: 0 done, 2 a scenario file is wrong.\n",
	.example = "hanglab list injectors\n"
		   "hanglab list workloads writer\n"
		   "hanglab list scenarios --here\n"
		   "hanglab list keys until\n",
	.options = options,
	.fewest = 1,
	.most = 2,
	.run = list,
};
