// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "checkers/cases.h"
#include "checkers/hyperv.h"
#include "checkers/input.h"
#include "cmd/command.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum exit_code {
	CASE_FOUND = 0,
	NO_CASE = 1,
	NOT_READ = 2,
};

#define MOST_MACHINES 256

struct diagnose {
	struct hl_cases *cases;
	struct hyperv_machine machines[MOST_MACHINES];
	size_t machine_count;
	size_t events;
};

static int on_event(const struct hl_event *event, void *data)
{
	struct diagnose *diagnose = data;

	diagnose->events++;
	hl_cases_event(diagnose->cases, event);
	return 0;
}

static void on_line(const char *text, uint64_t number, void *data)
{
	struct diagnose *diagnose = data;
	struct hyperv_machine machine = {.line = number};

	if (diagnose->machine_count < MOST_MACHINES && hyperv_parse_line(text, &machine))
		diagnose->machines[diagnose->machine_count++] = machine;
}

/* scenarios/NAME in the current folder, else beside the program or where it was installed. */
static char *find_scenarios(const char *name)
{
	cleanup_free char *here = file_path("scenarios/%s", name);
	cleanup_free char *installed = file_path("../share/hanglab/scenarios/%s", name);

	return access(here, R_OK) ? file_shipped(here, installed) : take_pointer(here);
}

/* The command that reproduces a case, newly allocated; NULL when there is no such scenario. */
static char *reproduce_command(const struct hl_diagnosis *diagnosis)
{
	cleanup_free char *name = NULL, *path = NULL;

	if (!diagnosis->scenario)
		return NULL;
	name = file_path("%s.yaml", diagnosis->scenario);
	path = find_scenarios(name);
	return access(path, R_OK) ? NULL : file_path("hanglab run %s", path);
}

static void print_wrapped(const char *text, const char *first, const char *indent)
{
	size_t column = strlen(first);
	const char *gap = "";

	fputs(first, stdout);
	for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
		size_t length = strcspn(text, " \n");

		if (column + strlen(gap) + length > 96) {
			printf("\n%s", indent);
			column = strlen(indent);
			gap = "";
		}
		printf("%s%.*s", gap, (int)length, text);
		column += strlen(gap) + length;
		text += length;
		gap = " ";
	}
	putchar('\n');
}

static void print_list(const char *heading, const json_t *list)
{
	const json_t *item;
	size_t i;

	if (!json_array_size(list))
		return;
	printf("  %s\n", heading);
	json_array_foreach (list, i, item)
		print_wrapped(json_string_value(item), "    - ", "      ");
}

static void print_kernel(const struct hl_diagnosis *diagnosis)
{
	if (!diagnosis->kernel || diagnosis->state == KERNEL_ANY)
		return;
	switch (diagnosis->state) {
	case KERNEL_AFFECTED:
		printf("  Kernel %s is affected", diagnosis->kernel);
		break;
	case KERNEL_FIXED:
		printf("  Kernel %s is fixed already: look for another cause", diagnosis->kernel);
		break;
	case KERNEL_OLDER:
		printf("  Kernel %s is older than the affected ones", diagnosis->kernel);
		break;
	default:
		printf("  Kernel %s: not known whether it is affected", diagnosis->kernel);
	}
	if (diagnosis->advice)
		printf(": %s", diagnosis->advice);
	putchar('\n');
}

static void print_diagnosis(const struct hl_diagnosis *diagnosis)
{
	cleanup_free char *command = reproduce_command(diagnosis);

	printf("%s: %s\n", diagnosis->name, diagnosis->title);
	printf("  %.0f %% of its symptoms, %zu event%s from line %llu on\n", 100 * diagnosis->score,
	       diagnosis->events, diagnosis->events == 1 ? "" : "s",
	       (unsigned long long)diagnosis->first_line);
	print_kernel(diagnosis);
	print_wrapped(diagnosis->cause, "  Cause: ", "    ");
	print_list("Remedies:", diagnosis->remedies);
	print_list("References:", diagnosis->references);
	if (command)
		printf("  Reproduce it here: %s\n", command);
	else if (diagnosis->scenario)
		printf("  Scenario %s does not exist yet\n", diagnosis->scenario);
	putchar('\n');
}

static const char *const source_names[] = {"command line", "qemu:arg in XML", "hyperv in XML"};

static void print_machine(const struct hyperv_machine *machine)
{
	bool any = false;

	printf("virtual machine %s (line %llu, %s): ", machine->name[0] ? machine->name : "without a name",
	       (unsigned long long)machine->line, source_names[machine->source]);
	for (size_t i = 0; i < HYPERV_FLAGS; i++) {
		if (machine->present[i])
			continue;
		printf("%s%s", any ? ", " : "missing Hyper-V flags: ", hyperv_flag_names[i]);
		any = true;
	}
	puts(any ? "" : "no Hyper-V flag is missing");
}

static void print_pretty(const struct diagnose *diagnose, const struct hl_diagnosis *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_diagnosis(&list[i]);
	for (size_t i = 0; i < diagnose->machine_count; i++)
		print_machine(&diagnose->machines[i]);
	if (!count)
		printf("no known case explains this (%zu event%s)\n", diagnose->events,
		       diagnose->events == 1 ? "" : "s");
}

static json_t *diagnosis_json(const struct hl_diagnosis *diagnosis)
{
	cleanup_free char *command = reproduce_command(diagnosis);
	json_t *object = json_pack("{s:s, s:s, s:f, s:I, s:I, s:s, s:O*, s:O*, s:s*, s:b}", "case",
				   diagnosis->name, "title", diagnosis->title, "score", diagnosis->score,
				   "events", (json_int_t)diagnosis->events, "line",
				   (json_int_t)diagnosis->first_line, "cause", diagnosis->cause, "remedies",
				   diagnosis->remedies, "references", diagnosis->references, "scenario",
				   diagnosis->scenario, "scenario_exists", command != NULL);

	if (object && command)
		json_object_set_new(object, "command", json_string(command));
	if (object && diagnosis->kernel)
		json_object_set_new(object, "kernel",
				    json_pack("{s:s, s:s, s:s*}", "release", diagnosis->kernel, "state",
					      kernel_state_name(diagnosis->state), "advice",
					      diagnosis->advice));
	return object;
}

static json_t *machine_json(const struct hyperv_machine *machine)
{
	json_t *present = json_array(), *missing = json_array();

	for (size_t i = 0; i < HYPERV_FLAGS; i++)
		json_array_append_new(machine->present[i] ? present : missing,
				      json_string(hyperv_flag_names[i]));
	return json_pack("{s:s, s:I, s:s, s:o, s:o}", "name", machine->name, "line",
			 (json_int_t)machine->line, "source", source_names[machine->source], "present",
			 present, "missing", missing);
}

static void print_json(const struct diagnose *diagnose, const struct hl_diagnosis *list, size_t count)
{
	json_t *cases = json_array(), *machines = json_array(), *all;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(cases, diagnosis_json(&list[i]));
	for (size_t i = 0; i < diagnose->machine_count; i++)
		json_array_append_new(machines, machine_json(&diagnose->machines[i]));
	all = json_pack("{s:I, s:o, s:o}", "events", (json_int_t)diagnose->events, "cases", cases, "machines",
			machines);
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(all);
}

static int read_file(struct diagnose *diagnose, const char *path, struct hl_error *err)
{
	/* No pre-filter: command lines of QEMU stand in lines without events. */
	struct hl_log_options options = {.on_line = on_line};
	struct hl_log *log;
	int status = hl_log_open(&log, &options, on_event, diagnose, err);

	if (status)
		return status;
	status = hl_input_read(log, path, err);
	hl_log_close(log);
	return status;
}

static void free_diagnose(struct diagnose **diagnose)
{
	if (*diagnose)
		hl_cases_close((*diagnose)->cases);
	free(*diagnose);
}

static int run(const struct command_line *line)
{
	struct diagnose *diagnose cleanup_with(free_diagnose) = calloc(1, sizeof(*diagnose));
	const char *format = command_option(line, "format"), *folder = command_option(line, "cases");
	cleanup_free char *default_folder = find_scenarios("cases");
	const struct hl_diagnosis *list;
	struct hl_error err = HL_ERROR_INIT;
	int code = CASE_FOUND;
	size_t count;

	if (format && strcmp(format, "pretty") != 0 && strcmp(format, "json") != 0)
		return command_usage_error(line, "unknown format \"%s\": pretty or json", format);
	if (!diagnose || hl_cases_open(&diagnose->cases, folder ? folder : default_folder, &err))
		return command_error(line, NOT_READ, &err);
	for (size_t i = 0; i < line->operand_count; i++)
		if (read_file(diagnose, line->operands[i], &err))
			code = command_error(line, NOT_READ, &err);
	count = hl_cases_diagnose(diagnose->cases, &list);
	if (format && strcmp(format, "json") == 0)
		print_json(diagnose, list, count);
	else
		print_pretty(diagnose, list, count);
	return code == CASE_FOUND && !count ? NO_CASE : code;
}

static const struct command_option options[] = {
	{"format", 'f', "FORMAT", "pretty (default) or json"},
	{"cases", 0, "DIR", "folder with the known cases (default: scenarios/cases)"},
	{0},
};

const struct command command_diagnose = {
	.name = "diagnose",
	.summary = "say what is behind a log: known cases, their cause and remedies",
	.operands = "FILE...",
	.help = "Compares the events of the logs with the known cases and prints those that explain them, "
		"best\n"
		"first: cause, whether the kernel in the log is affected or fixed, remedies, and the command "
		"that\n"
		"reproduces the case here. Several files count as one log: give the guest's and the host's "
		"together.\n"
		"QEMU command lines and libvirt domain XML in the files are checked for missing Hyper-V "
		"flags.\n\n"
		"Exit code: 0 a case matched, 1 none did, 2 a file could not be read.\n",
	.example = "hanglab diagnose /var/log/messages\n"
		   "hanglab diagnose guest.log host.log\n",
	.options = options,
	.fewest = 1,
	.most = SIZE_MAX,
	.run = run,
};
