// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "cmd/command.h"
#include "postmortem/report.h"
#include "run/verdict.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define DMESG_LINES 25

static int parse_lines(const struct command_line *line, size_t *lines)
{
	const char *text = command_option(line, "dmesg");
	struct hl_error err = HL_ERROR_INIT;
	int64_t value = DMESG_LINES;

	if (text && !strcmp(text, "all"))
		value = INT64_MAX;
	else if (text && (units_parse_integer(text, &value, &err) || value < 0))
		return command_usage_error(line, "--dmesg: '%s' is neither a number of lines nor 'all'",
					   text);
	*lines = (size_t)value;
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* What the run knows about its own post-mortem: "hung_task at 243.974 s". */
static void add_run(json_t *report, const char *folder)
{
	cleanup_free char *path = file_path("%s/result.json", folder), *why = NULL;
	json_t *result = json_load_file(path, 0, NULL), *taken = json_object_get(result, "postmortem");

	if (taken) {
		why = file_path("%s, at %.3f s", json_string_value(json_object_get(taken, "why")),
				json_number_value(json_object_get(taken, "at")));
		json_object_set_new(report, "why", json_string(why));
		if (json_object_get(taken, "no_registers"))
			json_object_set(report, "no_registers", json_object_get(taken, "no_registers"));
	}
	json_decref(result);
}

static int print_report(const struct command_line *line, const char *format, size_t lines)
{
	const char *operand = line->operands[0];
	bool folder = is_folder(operand);
	cleanup_free char *core = file_path(folder ? "%s/core" : "%s", operand);
	struct hl_error err = HL_ERROR_INIT;
	json_t *report = NULL;

	if (folder && access(core, F_OK)) {
		hl_error_set(&err, ENOENT,
			     "%s has no core: the run took no post-mortem (run it with --postmortem hang)",
			     operand);
		return command_error(line, verdict_exit_code(VERDICT_BROKEN), &err);
	}
	if (postmortem_read(core, command_option(line, "vmlinux"), &report, &err))
		return command_error(line, verdict_exit_code(VERDICT_BROKEN), &err);
	if (folder)
		add_run(report, operand);
	if (!strcmp(format, "json")) {
		json_dumpf(report, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		postmortem_print(report, lines, stdout);
	}
	json_decref(report);
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	hl_error_errno(&err, errno, "print the report");
	return command_error(line, verdict_exit_code(VERDICT_BROKEN), &err);
}

static int run(const struct command_line *line)
{
	const char *format = command_option(line, "format");
	size_t lines;
	int code;

	if (!format)
		format = "pretty";
	if (strcmp(format, "pretty") != 0 && strcmp(format, "json") != 0)
		return command_usage_error(line, "--format: '%s' is not pretty or json", format);
	code = parse_lines(line, &lines);
	return code ? code : print_report(line, format, lines);
}

static const struct command_option options[] = {
	{"dmesg", 0, "N|all", "how many of the last lines of the kernel's log; default 25"},
	{"vmlinux", 0, "FILE", "symbols of a kernel that does not carry its own (before 6.0)"},
	{"format", 'f', "pretty|json", "form of the report; default pretty, json has the whole log"},
	{NULL, 0, NULL, NULL},
};

const struct command command_postmortem = {
	.name = "postmortem",
	.summary = "show what a hung or dead guest was doing, from its memory",
	.operands = "RUN|CORE",
	.help = "Reads the guest's memory that a run kept in its folder (see hanglab run --postmortem), or "
		"any "
		"ELF core of\n"
		"x86-64 Linux: the kernel's log, also where the console is silent, what each CPU was doing, "
		"the "
		"stack of\n"
		"each task in state D, what it waits for and who holds that lock.\n\n"
		"No debug package is needed: symbols, types and unwind tables are read from the guest's own "
		"memory\n"
		"(kernels from 6.0 on with BTF, as Debian's are). Older kernels show their log.\n\n"
		"makedumpfile, crash and drgn open the core too; makedumpfile -c -d 31 makes a copy of it "
		"that is a\n"
		"sixth of its size.\n",
	.example = "hanglab postmortem runs/latest\n"
		   "hanglab postmortem --dmesg all runs/latest\n"
		   "hanglab postmortem --format json runs/latest/core\n",
	.options = options,
	.fewest = 1,
	.most = 1,
	.run = run,
};
