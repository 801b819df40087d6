// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/shell.h"
#include "base/units.h"
#include "cmd/command.h"
#include "cmd/scenario_options.h"
#include "report/live.h"
#include "report/report.h"
#include "run/pool.h"
#include "run/record.h"
#include "scenario/override.h"
#include "vm-images/kernel.h"
#include "vm/qemu.h"

#include <inttypes.h>
#include <libgen.h>
#include <string.h>

/**
 * struct batch - all runs of a command line
 * @paths, @plans: one per scenario
 * @repeat: runs of each
 */
struct batch {
	const struct command_line *line;
	const char *const *paths;
	struct plan *plans;
	size_t count, repeat, jobs;
	struct run_settings settings;
	const struct report_format *format;
	bool verbose;
};

static int load_plans(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		int r = scenario_options_load(batch->line, batch->paths[i], &batch->plans[i]);

		if (r)
			return r;
	}
	return 0;
}

static void print_step(const struct plan_step *step, size_t number)
{
	char text[32];
	const char *key;
	json_t *value;

	if (step->sysrq >= 0)
		printf("  %zu. sysrq %s", number, plan_sysrq_names[step->sysrq]);
	else if (step->shell || step->trigger)
		printf("  %zu. %s %s", number,
		       step->shell ? "shell:" : "trigger:", step->shell ? step->shell : step->trigger);
	else
		printf("  %zu. %s %s", number, step->start ? "start" : "inject",
		       step->start ? step->start : step->inject);
	json_object_foreach ((json_t *)step->with, key, value)
		if (key[0] != '@')
			printf(" %s=%s", key, json_string_value(value));
	if (step->at >= 0)
		printf(", not before %s", units_format_duration(step->at, text, sizeof(text)));
	if (step->after)
		printf(", after %s", event_kind_names[step->after->pattern.kind]);
	if (step->hold_for >= 0)
		printf(", released after %s", units_format_duration(step->hold_for, text, sizeof(text)));
	if (step->until)
		printf(", released %s after %s", units_format_duration(step->until->hold, text, sizeof(text)),
		       event_kind_names[step->until->pattern.kind]);
	printf("\n");
}

static int dry_run(const struct batch *batch, size_t index)
{
	const struct plan *plan = &batch->plans[index];
	struct run_preparation preparation cleanup_with(run_preparation_clear) = {0};
	struct arena arena cleanup_with(arena_free) = {NULL};
	struct hl_error err = HL_ERROR_INIT;
	struct qemu_request request = {.plan = plan,
				       .run_folder = "RUN",
				       .start = "cold",
				       .qmp_fd = 3,
				       .memory_fd = 4,
				       .qtest_fd = 5};
	const char *const *command;

	printf("%s: %s\n", plan->scenario, plan->summary);
	for (size_t i = 0; i < plan->step_count; i++)
		print_step(&plan->steps[i], i + 1);
	for (size_t i = 0; i < plan->check_count; i++)
		printf("  check: %s\n", check_kind_names[check_kind(&plan->checks[i])]);
	if (run_prepare(plan, &batch->settings, &preparation, &err))
		return command_error(batch->line, verdict_exit_code(VERDICT_BROKEN), &err);
	if (preparation.skip[0]) {
		printf("  would be skipped: %s\n", preparation.skip);
		return verdict_exit_code(VERDICT_SKIP);
	}
	request.kvm = preparation.kvm;
	request.features = preparation.vm_features;
	request.image = preparation.image;
	request.initramfs = preparation.initramfs;
	printf(" ");
	for (command = qemu_command(&request, &arena); *command; command++) {
		putchar(' ');
		shell_print_word(*command, stdout);
	}
	printf("\n");
	return 0;
}

/* One run, in its own process. The seed counts up with the repeats. */
static json_t *run_one(void *data, size_t index)
{
	struct batch *batch = data;
	size_t scenario = index / batch->repeat, repeat = index % batch->repeat;
	struct plan *plan = &batch->plans[scenario];
	struct live live = {
		.out = batch->format->live ? stdout : stderr,
		.terminal = isatty(batch->format->live ? STDOUT_FILENO : STDERR_FILENO) && batch->jobs == 1,
		.verbose = batch->verbose,
		.name = plan->scenario,
	};
	struct run_settings settings = batch->settings;
	struct hl_error err = HL_ERROR_INIT;
	json_t *result = NULL;
	char seed[32];

	if (repeat) {
		snprintf(seed, sizeof(seed), "%" PRId64, plan->seed + (int64_t)repeat);
		scenario_override(batch->paths[scenario], plan, NULL, "seed", seed, &err);
	}
	if (batch->format->live || live.terminal || batch->verbose)
		settings.observer = live_observer(&live);
	run_scenario(plan, batch->paths[scenario], &settings, &result);
	if (settings.observer.data)
		live_clear(&live);
	return result;
}

static enum verdict verdict_of(const json_t *result)
{
	const char *name = result_text(result, "verdict");

	for (int verdict = VERDICT_PASS; verdict <= VERDICT_FAIL; verdict++)
		if (!strcmp(name, verdict_name((enum verdict)verdict)))
			return (enum verdict)verdict;
	return VERDICT_BROKEN;
}

/* A run whose process was killed still has a line in the report. */
static void fill_missing(const struct batch *batch, json_t *results)
{
	struct run_preparation nothing = {0};

	for (size_t i = 0; i < json_array_size(results); i++)
		if (json_is_null(json_array_get(results, i)))
			json_array_set_new(results, i,
					   record_unstarted(&batch->plans[i / batch->repeat], &nothing,
							    VERDICT_BROKEN,
							    "its process ended without a result"));
}

static int exit_code_of(const struct batch *batch, const json_t *results)
{
	enum verdict worst = VERDICT_PASS;
	const json_t *result;
	size_t i;

	json_array_foreach (results, i, result)
		worst = verdict_worse(worst, verdict_of(result));
	/* What "git bisect run" expects: 125 is "cannot be tested". */
	if (command_option(batch->line, "bisect"))
		return worst == VERDICT_BROKEN || worst == VERDICT_SKIP ? 125 : verdict_exit_code(worst);
	return verdict_exit_code(worst);
}

/* Results as JSON in a file: whole or not at all, and not when a signal ended the runs. */
static int write_results(const struct batch *batch, const json_t *results, struct hl_error *err)
{
	const char *path = command_option(batch->line, "result");
	cleanup_free char *text = NULL;
	size_t size = 0;
	FILE *out = path ? open_memstream(&text, &size) : NULL;

	if (!path)
		return 0;
	if (!out)
		abort();
	report_format_find("json")->print(results, out);
	fclose(out);
	return file_write(path, text, size, err);
}

static int run_batch(struct batch *batch)
{
	struct hl_error err = HL_ERROR_INIT;
	json_t *results = NULL;
	int r, code;

	r = pool_run(batch->count * batch->repeat, batch->jobs, run_one, batch, &results, &err);
	if (r && r != -EINTR) {
		json_decref(results);
		return command_error(batch->line, verdict_exit_code(VERDICT_BROKEN), &err);
	}
	fill_missing(batch, results);
	batch->format->print(results, stdout);
	code = exit_code_of(batch, results);
	r = r ? 0 : write_results(batch, results, &err);
	json_decref(results);
	if (r)
		return command_error(batch->line, verdict_exit_code(VERDICT_BROKEN), &err);
	if (fflush(stdout) || ferror(stdout)) {
		hl_error_errno(&err, errno, "print the results");
		return command_error(batch->line, verdict_exit_code(VERDICT_BROKEN), &err);
	}
	return code;
}

static int run_plans(struct batch *batch)
{
	int code = load_plans(batch);

	if (code || !command_option(batch->line, "dry-run"))
		return code ? code : run_batch(batch);
	for (size_t i = 0; !code && i < batch->count; i++)
		code = dry_run(batch, i);
	return code;
}

static int run(const struct command_line *line)
{
	const char *format = command_option(line, "format"), *out = command_option(line, "out");
	cleanup_free struct plan *plans = calloc(line->operand_count, sizeof(*plans));
	cleanup_free char *guest = run_guest_program();
	struct batch batch = {
		.line = line,
		.paths = line->operands,
		.plans = plans,
		.count = line->operand_count,
		.settings = {.out = out ? out : "runs",
			     .guest_program = guest,
			     .warm = command_option(line, "warm") != NULL},
		.format = report_format_find(format ? format : "pretty"),
		.verbose = command_option(line, "verbose") != NULL,
	};
	int code;

	if (!plans)
		abort();
	if (!batch.format)
		return command_usage_error(line, "--format: '%s' is not pretty, json, ktap or junit", format);
	code = scenario_option_count(line, "repeat", 1, &batch.repeat);
	if (!code)
		code = scenario_option_count(line, "jobs", 1, &batch.jobs);
	if (!code)
		code = scenario_option_multiplier(line, &batch.settings.multiplier);
	if (!code)
		code = run_plans(&batch);
	for (size_t i = 0; i < batch.count; i++)
		plan_free(&plans[i]);
	return code;
}

static const struct command_option options[] = {
	{"bisect", 0, NULL, "exit codes for \"git bisect run\": 0 PASS, 1 FAIL, 125 BROKEN or SKIP"},
	{"result", 0, "FILE", "also write the results to a file, as JSON, once all runs have ended"},
	{NULL, 0, NULL, NULL},
};

const struct command command_run = {
	.name = "run",
	.summary = "run scenarios in lab VMs and judge them",
	.operands = "SCENARIO...",
	.help = "Boots the kernel of each scenario in a VM of its own, follows its timeline, and checks what "
		"the\n"
		"kernel said. A fault that was not confirmed never counts as a pass.\n\n"
		"Every run leaves a folder under --out with scenario, plan, QEMU command line, raw console, "
		"kernel\n"
		"log, events, journal and result.json; \"latest\" is a link to the newest.\n\n"
		"Exit code: 0 PASS, 1 FAIL (this says something about the kernel), 2 BROKEN (this run says "
		"nothing\n"
		"about the kernel), 77 SKIP (a requirement is missing); of several runs the worst: FAIL over "
		"BROKEN\n"
		"over SKIP over PASS.\n",
	.example = "hanglab run scenarios/fsfreeze-hung-task.yaml\n"
		   "hanglab run --kernel debian:6.1.0-55-cloud-amd64 --sysctl "
		   "kernel.hung_task_timeout_secs=20 my.yaml\n"
		   "hanglab run --jobs 2 --repeat 10 --format junit scenarios/*.yaml > results.xml\n"
		   "hanglab run --dry-run my.yaml\n",
	.options = options,
	.shared = command_run_options,
	.fewest = 1,
	.most = SIZE_MAX,
	.run = run,
};
