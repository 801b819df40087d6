// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "cmd/command.h"
#include "cmd/scenario_options.h"
#include "report/live.h"
#include "report/report.h"
#include "run/run.h"
#include "scenario/check.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* setsid gives the shell the terminal, and with it Ctrl-C and job control; stty waits until all was sent,
 * before the end of the session discards the rest (uart_hangup() in drivers/tty/serial/serial_core.c); see
 * inject/guest/fault_commands.h.
 */
#define CONSOLE                                                                                              \
	"echo 'fault() { echo \"$*\" >/run/fault; while read -r line && [ \"$line\" ]; do echo \"$line\"; "  \
	"done "                                                                                              \
	"</run/fault-answer; }' >/run/shellrc; export ENV=/run/shellrc PS1='lab# '; "                        \
	"setsid -c -w sh -c '%ssh -i; stty echo' </dev/ttyS1 >/dev/ttyS1 2>&1; exit 0"

/* A serial line does not know how large the terminal at its other end is. Return: the caller frees it. */
static char *console_command(void)
{
	struct winsize size;
	char resize[48] = "";

	if (!ioctl(STDIN_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		snprintf(resize, sizeof(resize), "stty rows %u cols %u; ", size.ws_row, size.ws_col);
	return file_path(CONSOLE, resize);
}

/* Programs of this machine, where it has them; the first is needed. */
static const char *const tools[] = {"setsid", "cat",  "dd",    "df",	"dmesg",  "grep", "head",
				    "kill",   "ls",   "mount", "ps",	"sleep",  "stty", "sync",
				    "sysctl", "tail", "touch", "uname", "vmstat", "wc"};

/* What a fault or workload has of the timeline's: that is over to whoever types. */
static void forget_times(json_t *step)
{
	static const char *const keys[] = {"at", "after", "for", "until", "@at", "@after", "@for", "@until"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_del(step, keys[i]);
}

static void add_tools(json_t *plan)
{
	json_t *given = json_object_get(plan, "tools"), *all = json_array();

	if (json_is_string(given))
		json_array_append(all, given);
	else
		json_array_extend(all, given);
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		cleanup_free char *path = process_find_program(tools[i]);

		if (path || !i)
			json_array_append_new(all, json_string(tools[i]));
	}
	json_object_set_new(plan, "tools", all);
}

static void make_interactive(json_t *plan)
{
	cleanup_free char *console = console_command();
	json_t *steps = json_array(), *step, *vm = json_object_get(plan, "vm");
	size_t i;

	json_array_foreach (json_object_get(plan, "timeline"), i, step) {
		if (json_object_get(step, "trigger") || json_object_get(step, "sysrq"))
			continue;
		forget_times(step);
		json_array_append(steps, step);
	}
	json_array_append_new(steps, json_pack("{s:s}", "shell", console));
	if (!vm) {
		vm = json_object();
		json_object_set_new(plan, "vm", vm);
	}
	/* People live in real time. */
	json_object_set_new(vm, "clock", json_string("real"));
	json_object_del(vm, "shift");
	json_object_set_new(plan, "timeline", steps);
	json_object_set_new(plan, "checks", json_pack("[{s:s}]", "ends", "running"));
	json_object_set_new(plan, "interactive", json_string("true"));
	json_object_del(plan, "bug");
	add_tools(plan);
}

/* Without a scenario: a guest with nothing in it. */
static int write_empty(const struct command_line *line, const char *out, char **path)
{
	static const char text[] = "scenario: shell\nsummary: A guest to look around in.\n"
				   "checks: [{ends: running}]\n";
	struct hl_error err = HL_ERROR_INIT;

	*path = file_path("%s/shell.yaml", out);
	if (file_make_folders(out, &err) || file_write(*path, text, strlen(text), &err))
		return command_error(line, verdict_exit_code(VERDICT_BROKEN), &err);
	return 0;
}

static int run_shell(const struct command_line *line, const struct plan *plan, const char *path,
		     struct run_settings *settings)
{
	struct live live = {.out = stderr, .name = plan->scenario};
	struct hl_error err = HL_ERROR_INIT;
	enum verdict verdict;
	json_t *result = NULL;

	settings->observer = live_observer(&live);
	settings->observer.event = command_option(line, "quiet") ? NULL : settings->observer.event;
	settings->observer.note = command_option(line, "quiet") ? NULL : settings->observer.note;
	verdict = run_scenario(plan, path, settings, &result);
	if (verdict != VERDICT_PASS) {
		hl_error_set(&err, EIO, "%s: %s", verdict_name(verdict), result_text(result, "reason"));
		command_error(line, 0, &err);
	}
	json_decref(result);
	return verdict_exit_code(verdict);
}

static int load(const struct command_line *line, const char *path, struct plan *plan)
{
	struct hl_error err = HL_ERROR_INIT;
	int code = scenario_options_load(line, path, plan);
	json_t *json;

	if (code)
		return code;
	if (plan->vm->guest != PLAN_GUEST_LINUX || plan->vm->machine != PLAN_MACHINE_Q35)
		return command_usage_error(line, "%s has a guest without a shell", path);
	json = json_incref(plan->json);
	make_interactive(json);
	plan_free(plan);
	if (plan_load(plan, json, &err) || scenario_check(path, plan, &err))
		code = command_error(line, verdict_exit_code(VERDICT_BROKEN), &err);
	json_decref(json);
	return code;
}

static int run(const struct command_line *line)
{
	const char *out = command_option(line, "out");
	cleanup_free char *guest = run_guest_program(), *path = NULL;
	struct run_settings settings = {.out = out ? out : "runs", .guest_program = guest};
	struct plan plan = {0};
	int code = scenario_option_multiplier(line, &settings.multiplier);

	if (!code && line->operand_count)
		path = strdup(line->operands[0]);
	else if (!code)
		code = write_empty(line, settings.out, &path);
	if (!code)
		code = load(line, path, &plan);
	if (!code)
		code = run_shell(line, &plan, path, &settings);
	plan_free(&plan);
	return code;
}

static const struct command_option options[] = {
	{"quiet", 'q', NULL, "do not tell on standard error what happens"},
	{"kernel", 'k', "NAME", "kernel of the lab VM; default: the scenario's, else debian"},
	{"sysctl", 's', "KEY=VALUE", "set a sysctl of the guest over the scenario's; may be repeated"},
	{"out", 'o', "DIR", "where the run directory goes; default runs"},
	{"timeout-multiplier", 0, "X", "stretch the harness's own deadlines on a slow machine; default 1"},
	{NULL, 0, NULL, NULL},
};

const struct command command_shell = {
	.name = "shell",
	.summary = "open a shell in a lab VM, with a scenario's disks and faults at hand",
	.operands = "[SCENARIO]",
	.help = "Boots the guest of SCENARIO in real time with its disks and workloads, and connects the "
		"terminal "
		"with a\n"
		"shell in it. The scenario's faults wait for commands that are typed there:\n\n"
		"  fault list            the faults and how they stand\n"
		"  fault inject NAME     inject it, on whichever side it acts; confirmed as in a run\n"
		"  fault release NAME    release it\n\n"
		"\"exit\" ends the guest; faults that are still in force are released before. Commands can "
		"come "
		"from a\n"
		"pipe too. At a terminal Ctrl-] leaves at once, also when the guest hangs.\n\n"
		"Exit code: 0, or 2 when the guest could not be started, a fault not be confirmed, or with "
		"Ctrl-].\n",
	.example = "hanglab shell scenarios/fsfreeze-hung-task.yaml\n"
		   "echo 'uname -r' | hanglab shell\n",
	.options = options,
	.fewest = 0,
	.most = 1,
	.run = run,
};
