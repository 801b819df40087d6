// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweep/sweep.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "cmd/command.h"
#include "cmd/scenario_options.h"
#include "report/report.h"
#include "run/many.h"
#include "scenario/check.h"
#include "sweep/sweep_file.h"

#include <libgen.h>
#include <string.h>
#include <time.h>

#define DEFAULT_LOAD "5s"

/**
 * struct sweep_command - a sweep on the command line
 * @file: the operand, when it is a sweep file
 * @path: of the scenario, owned
 */
struct sweep_command {
	const struct command_line *line;
	struct sweep_file file;
	char *path;
	struct sweep sweep;
	struct run_settings settings;
	size_t jobs;
};

/* ---- what to try ---- */

static int add_setting(struct sweep_command *command, const char *text, bool boot)
{
	struct sweep *sweep = &command->sweep;
	struct hl_error err = HL_ERROR_INIT;
	struct sweep_setting setting;

	if (sweep_setting_parse(text, boot, &setting, &sweep->arena, &err))
		return command_usage_error(command->line, "--%s: %s", boot ? "boot" : "sysctl", err.text);
	for (size_t i = 0; i < sweep->setting_count; i++)
		if (!strcmp(sweep->settings[i].name, setting.name))
			return command_usage_error(command->line, "%s is there twice", setting.name);
	*(struct sweep_setting *)arena_append(&sweep->arena, &sweep->settings, &sweep->setting_count,
					      sizeof(setting)) = setting;
	return 0;
}

static int add_want(struct sweep_command *command, const char *text)
{
	struct sweep *sweep = &command->sweep;
	struct hl_error err = HL_ERROR_INIT;
	struct want want;

	if (want_parse(text, &want, &err))
		return command_usage_error(command->line, "--want: %s", err.text);
	*(struct want *)arena_append(&sweep->arena, &sweep->wants, &sweep->want_count, sizeof(want)) = want;
	return 0;
}

/* "10s,30s" */
static int add_holds(struct sweep_command *command, const char *text)
{
	char *list = arena_string(&command->sweep.arena, text), *word;
	struct hl_error err = HL_ERROR_INIT;
	int64_t hold;

	while ((word = strsep(&list, ","))) {
		if (units_parse_duration(word, &hold, &err))
			return command_usage_error(command->line, "--hold: %s", err.text);
		if (hold <= 0)
			return command_usage_error(command->line, "--hold: '%s' is no time to hold a fault",
						   word);
		*(int64_t *)arena_append(&command->sweep.arena, &command->sweep.holds,
					 &command->sweep.hold_count, sizeof(hold)) = hold;
	}
	return 0;
}

static int add_map(struct sweep_command *command, const json_t *map, bool boot)
{
	const char *name;
	json_t *list;
	int code = 0;

	json_object_foreach ((json_t *)map, name, list)
		if (!code && name[0] != '@')
			code = add_setting(
				command,
				arena_format(&command->sweep.arena, "%s=%s", name, json_string_value(list)),
				boot);
	return code;
}

static int take_file(struct sweep_command *command)
{
	const struct sweep_file *file = &command->file;
	int code = add_map(command, file->sysctl, false);

	if (!code)
		code = add_map(command, file->boot, true);
	for (const char **text = file->want; !code && *text; text++)
		code = add_want(command, *text);
	for (const char **text = file->hold; !code && *text; text++)
		code = add_holds(command, *text);
	command->sweep.repeat = (size_t)file->repeat;
	command->sweep.load = file->load;
	command->sweep.keep = file->keep;
	return code;
}

static int take_list(struct sweep_command *command, const char *option,
		     int (*add)(struct sweep_command *command, const char *text))
{
	const char *text;
	size_t position = 0;
	int code = 0;

	while (!code && (text = command_option_next(command->line, option, &position)))
		code = add(command, text);
	return code;
}

static int add_sysctl(struct sweep_command *command, const char *text)
{
	return add_setting(command, text, false);
}

static int add_boot(struct sweep_command *command, const char *text)
{
	return add_setting(command, text, true);
}

static int take_duration(const struct sweep_command *command, const char *option, int64_t *value)
{
	const char *text = command_option(command->line, option);
	struct hl_error err = HL_ERROR_INIT;

	if (text && units_parse_duration(text, value, &err))
		return command_usage_error(command->line, "--%s: %s", option, err.text);
	return 0;
}

/* What the command line says goes over what the file says, or adds to it. */
static int take_options(struct sweep_command *command)
{
	const char *keep = command_option(command->line, "keep");
	struct sweep *sweep = &command->sweep;
	int64_t ignored;
	int code = take_list(command, "sysctl", add_sysctl);

	if (!code)
		code = take_list(command, "boot", add_boot);
	if (!code)
		code = take_list(command, "want", add_want);
	if (!code)
		code = take_list(command, "hold", add_holds);
	if (!code)
		code = take_duration(command, "load", &sweep->load);
	if (!code)
		code = take_duration(command, "keep", &ignored);
	if (!code && command_option(command->line, "repeat"))
		code = scenario_option_count(command->line, "repeat", 1, &sweep->repeat);
	if (keep)
		sweep->keep = keep;
	if (!code && !sweep->setting_count)
		code = command_usage_error(command->line, "it needs --sysctl NAME=V1,V2,... or --boot");
	if (!code && sweep_point_count(sweep->settings, sweep->setting_count) > SWEEP_MOST_POINTS)
		code = command_usage_error(command->line, "more than %d combinations of values",
					   SWEEP_MOST_POINTS);
	return code;
}

static int broken(const struct sweep_command *command, const struct hl_error *err)
{
	return command_error(command->line, verdict_exit_code(VERDICT_BROKEN), err);
}

static int find_scenario(struct sweep_command *command)
{
	const char *operand = command->line->operands[0];
	cleanup_free char *copy = strdup(operand);
	struct hl_error err = HL_ERROR_INIT;

	if (!sweep_file_is(operand)) {
		command->path = take_pointer(copy);
		return units_parse_duration(DEFAULT_LOAD, &command->sweep.load, &err);
	}
	if (sweep_file_load(operand, &command->file, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return verdict_exit_code(VERDICT_BROKEN);
	}
	command->path = command->file.scenario[0] == '/'
				? strdup(command->file.scenario)
				: file_path("%s/%s", dirname(copy), command->file.scenario);
	return take_file(command);
}

/* A value that no scenario could have is refused before anything runs. */
static int check_plans(const struct sweep_command *command)
{
	for (size_t i = 0; i < experiment_count(&command->sweep); i++) {
		struct experiment experiment = experiment_at(&command->sweep, i);
		struct hl_error err = HL_ERROR_INIT;
		struct plan plan = {0};
		json_t *json;
		int r;

		if (experiment.repeat)
			continue;
		json = experiment_plan(&command->sweep, &experiment);
		r = plan_load(&plan, json, &err);
		if (!r)
			r = scenario_check(command->path, &plan, &err);
		plan_free(&plan);
		json_decref(json);
		if (r)
			return broken(command, &err);
	}
	return 0;
}

static int prepare(struct sweep_command *command)
{
	const char *event = command_option(command->line, "event");
	struct hl_error err = HL_ERROR_INIT;
	struct plan plan = {0};
	int code = find_scenario(command);

	if (!code)
		code = take_options(command);
	if (!code)
		code = scenario_option_count(command->line, "jobs", 1, &command->jobs);
	if (!code)
		code = scenario_option_multiplier(command->line, &command->settings.multiplier);
	if (!code)
		code = scenario_options_load_unswept(command->line, command->path, &plan);
	if (!code && sweep_complete(&command->sweep, &plan, event ? event : command->file.event, &err))
		code = broken(command, &err);
	plan_free(&plan);
	return code ? code : check_plans(command);
}

/* ---- runs ---- */

static int load_experiment(void *data, size_t index, struct plan *plan, const char **path,
			   struct hl_error *err)
{
	const struct sweep_command *command = data;
	struct experiment experiment = experiment_at(&command->sweep, index);
	json_t *json = experiment_plan(&command->sweep, &experiment);
	int r = plan_load(plan, json, err);

	*path = command->path;
	json_decref(json);
	return r ? r : scenario_check(*path, plan, err);
}

static void tell(void *data, size_t index, const json_t *result)
{
	const struct sweep_command *command = data;

	fprintf(stderr, "%zu of %zu: %.1f s%s%s\n", index + 1, experiment_count(&command->sweep),
		result_number(result, "wall_seconds"),
		strcmp(result_text(result, "verdict"), "BROKEN") ? "" : ": BROKEN: ",
		strcmp(result_text(result, "verdict"), "BROKEN") ? "" : result_text(result, "reason"));
}

/* Return: 0, or an exit code after a message. */
static int keep_json(const struct sweep_command *command, json_t *measured)
{
	cleanup_free char *text = json_dumps(measured, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	cleanup_free char *path = NULL;
	struct hl_error err = HL_ERROR_INIT;
	char now[32];
	time_t seconds = time(NULL);

	strftime(now, sizeof(now), "%Y%m%d-%H%M%S", localtime(&seconds));
	path = file_path("%s/sweep-%s-%s.json", command->settings.out, result_text(measured, "scenario"),
			 now);
	if (!text || file_write(path, text, strlen(text), &err))
		return broken(command, &err);
	fprintf(stderr, "%s: hanglab report shows it with curves\n", path);
	return 0;
}

static size_t count_points(const json_t *measured, const char *key)
{
	const json_t *point;
	size_t count = 0, i;

	json_array_foreach (json_object_get(measured, "points"), i, point)
		count += json_object_get(point, key) && !json_is_false(json_object_get(point, key));
	return count;
}

/* A value that satisfies all answers the question, whatever another one came to. */
static int exit_code_of(const json_t *measured)
{
	const json_t *advice = json_object_get(measured, "advice");
	size_t points = json_array_size(json_object_get(measured, "points"));

	if (count_points(measured, "skipped") == points)
		return verdict_exit_code(VERDICT_SKIP);
	if (json_is_true(json_object_get(advice, "satisfied")))
		return 0;
	if (count_points(measured, "unknown"))
		return verdict_exit_code(VERDICT_BROKEN);
	return verdict_exit_code(advice ? VERDICT_FAIL : VERDICT_PASS);
}

static int show(const struct sweep_command *command, json_t *measured)
{
	const char *format = command_option(command->line, "format");
	json_t *printable = results_printable(measured);
	int code = keep_json(command, measured);

	if (format && !strcmp(format, "json")) {
		json_dumpf(measured, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
		putchar('\n');
	} else {
		sweep_print(printable, stdout);
	}
	json_decref(printable);
	return code ? code : exit_code_of(measured);
}

static int run_sweep(struct sweep_command *command)
{
	const struct run_many many = {experiment_count(&command->sweep),
				      command->jobs,
				      &command->settings,
				      load_experiment,
				      tell,
				      command};
	struct hl_error err = HL_ERROR_INIT;
	json_t *results = NULL, *measured;
	int code;

	if (run_many(&many, &results, &err)) {
		json_decref(results);
		return broken(command, &err);
	}
	measured = measure_sweep(&command->sweep, results);
	advise(&command->sweep, measured);
	code = show(command, measured);
	json_decref(measured);
	json_decref(results);
	return code;
}

static void print_plan(const struct sweep_command *command)
{
	static const char *const kinds[] = {"held until reported", "held", "load"};
	const struct sweep *sweep = &command->sweep;

	for (size_t i = 0; i < experiment_count(sweep); i++) {
		struct experiment experiment = experiment_at(sweep, i);
		char length[32];
		int64_t hold = experiment.kind == EXPERIMENT_HOLD
				       ? experiment_hold(sweep, experiment.point, experiment.hold)
				       : 0;

		printf("%zu.", i + 1);
		for (size_t k = 0; k < sweep->setting_count; k++)
			printf(" %s=%s", sweep->settings[k].name,
			       sweep_value(sweep->settings, sweep->setting_count, k, experiment.point));
		printf(": %s%s%s\n", kinds[experiment.kind], hold ? " for " : "",
		       hold ? units_format_duration(hold, length, sizeof(length)) : "");
	}
}

static int run(const struct command_line *line)
{
	const char *out = command_option(line, "out"), *format = command_option(line, "format");
	cleanup_free char *guest = run_guest_program();
	struct sweep_command command = {
		.line = line,
		.settings = {.out = out ? out : "runs", .guest_program = guest, .warm = true},
		.sweep = {.repeat = 1},
	};
	int code;

	if (format && strcmp(format, "pretty") != 0 && strcmp(format, "json") != 0)
		return command_usage_error(line, "--format: '%s' is not pretty or json", format);
	code = prepare(&command);
	if (!code && command_option(line, "dry-run"))
		print_plan(&command);
	else if (!code)
		code = run_sweep(&command);
	free(command.path);
	sweep_file_clear(&command.file);
	sweep_clear(&command.sweep);
	return code;
}

static const struct command_option options[] = {
	{"sysctl", 's', "NAME=V1,V2,...", "try these values of a sysctl; may be repeated: all combinations"},
	{"boot", 'b', "NAME=V1,V2,...", "the same of a boot parameter"},
	{"want", 'w', "RULE", "what a value must satisfy; may be repeated"},
	{"repeat", 'r', "N", "runs of each kind, spread over when the detector may look; default 1"},
	{"hold", 0, "D1,D2,...", "hold the fault for these times too; default: what the wants need"},
	{"keep", 0, "DURATION", "how long a fault goes on after its report; default: the scenario's"},
	{"load", 0, "DURATION",
	 "how long the heavy but healthy load lasts; default " DEFAULT_LOAD ", 0 for none"},
	{"event", 'e', "KIND", "what counts as a report; default: what the scenario expects first"},
	{"kernel", 'k', "NAME", "kernel of the lab VM; default: the scenario's, else debian"},
	{"jobs", 'j', "N", "run N VMs at a time; default 1"},
	{"format", 'f', "pretty|json", "form of the result; default pretty: table, plot and advice"},
	{"dry-run", 'n', NULL, "list the runs and start nothing"},
	{"out", 'o', "DIR", "where run directories and the result go; default runs"},
	{"timeout-multiplier", 0, "X", "stretch the harness's own deadlines on a slow machine; default 1"},
	{NULL, 0, NULL, NULL},
};

const struct command command_sweep = {
	.name = "sweep",
	.summary = "try values of sysctls and boot parameters, and choose one on evidence",
	.operands = "SCENARIO|SWEEP",
	.help = "Runs the fault of SCENARIO with each value: held until it is reported, held for given "
		"times, "
		"and\n"
		"not at all but under a heavy and healthy load. SWEEP is a file that says all that; see\n"
		"scenarios/sweeps. What a value must satisfy is a rule:\n\n" WANT_HELP "\n"
		"Such faults are run a hundredth longer or shorter. A rule also fails when the sysctls in "
		"force "
		"let the\n"
		"detector break it, though no run here met that moment. Of the values that satisfy all, the "
		"one\n"
		"whose report comes soonest is recommended; else the nearest is named, and why.\n\n"
		"Exit code: 0 a value satisfies all wants (or there are none), 1 none does, 2 BROKEN, 77 "
		"SKIP.\n",
	.example = "hanglab sweep --sysctl kernel.hung_task_timeout_secs=5,10,20,60,120,240 --jobs 2 "
		   "scenarios/fsfreeze-hung-task.yaml\n"
		   "hanglab sweep -s kernel.hung_task_timeout_secs=20,30,60 -s "
		   "kernel.hung_task_check_interval_secs=0,10 "
		   "-w 'detect>60s within 90s' -w 'silent<30s' scenarios/fsfreeze-hung-task.yaml\n"
		   "hanglab sweep scenarios/sweeps/hung-task-timeout.yaml\n",
	.options = options,
	.fewest = 1,
	.most = 1,
	.run = run,
};
