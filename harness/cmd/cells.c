// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/cells.h"

#include "base/cleanup.h"
#include "cmd/scenario_options.h"
#include "report/report.h"
#include "run/many.h"
#include "run/record.h"
#include "scenario/override.h"
#include "vm-images/kernel_store.h"

#include <inttypes.h>
#include <string.h>

const struct command_option command_compare_options[] = {
	{"sysctl", 's', "KEY=VALUE", "set a sysctl of the guest over the scenario's; may be repeated"},
	{"seed", 0, "N", "seed of everything random in the run; default 1; counts up with the repeats"},
	{"clock", 0, "virtual|real", "run in virtual or in real time; default: the scenario's"},
	{"accel", 0, "auto|kvm|tcg", "accelerator; auto takes KVM only in real time and after a probe boot"},
	{"jobs", 'j', "N",
	 "run N VMs at a time; default 1, on each host of an executor; with Slurm no limit"},
	{"out", 'o', "DIR", "where run directories go; default runs"},
	{"executor", 0, "local|slurm|parallel:HOSTS",
	 "who runs the VMs; default local. Slurm: one array job; GNU parallel: hosts for ssh, : is this one"},
	{"timeout-multiplier", 0, "X", "stretch the harness's own deadlines on a slow machine; default 1"},
	{NULL, 0, NULL, NULL},
};

static int open_executor(struct cells *cells)
{
	const char *text = command_option(cells->line, "executor");
	struct hl_error err = HL_ERROR_INIT;

	if (!text || !strcmp(text, "local"))
		return 0;
	cells->executor = executor_find(text, &cells->hosts, &err);
	return cells->executor ? 0 : command_usage_error(cells->line, "--executor: %s", err.text);
}

int cells_open(struct cells *cells, const struct command_line *line)
{
	const char *out = command_option(line, "out");
	int code;

	memset(cells, 0, sizeof(*cells));
	cells->line = line;
	cells->settings.out = out ? out : "runs";
	cells->settings.guest_program = run_guest_program();
	code = scenario_option_count(line, "jobs", 1, &cells->jobs);
	if (!code)
		code = open_executor(cells);
	return code ? code : scenario_option_multiplier(line, &cells->settings.multiplier);
}

void cells_close(struct cells *cells)
{
	free((char *)cells->settings.guest_program);
	free(cells->cells);
	memset(cells, 0, sizeof(*cells));
}

void cells_add(struct cells *cells, const char *path, const char *kernel, size_t repeat)
{
	struct cell *larger = reallocarray(cells->cells, cells->count + repeat, sizeof(*larger));

	if (!larger)
		abort();
	cells->cells = larger;
	for (size_t i = 0; i < repeat; i++)
		larger[cells->count++] = (struct cell){path, kernel, i};
}

int cells_load(const struct cells *cells, const struct cell *cell, struct plan *plan)
{
	struct hl_error err = HL_ERROR_INIT;
	char seed[32];
	int code = scenario_options_load(cells->line, cell->path, plan);

	if (code)
		return code;
	snprintf(seed, sizeof(seed), "%" PRId64, plan->seed + (int64_t)cell->repeat);
	if (scenario_override(cell->path, plan, "vm", "kernel", cell->kernel, &err) ||
	    scenario_override(cell->path, plan, NULL, "seed", seed, &err))
		return command_error(cells->line, verdict_exit_code(VERDICT_BROKEN), &err);
	return 0;
}

int cells_check(const struct cells *cells)
{
	for (size_t i = 0; i < cells->count; i++) {
		struct kernel *kernel = NULL;
		struct hl_error err = HL_ERROR_INIT;
		struct plan plan = {0};
		int code = cells->cells[i].repeat ? 0 : cells_load(cells, &cells->cells[i], &plan);

		plan_free(&plan);
		if (code)
			return code;
		if (kernel_store_find(cells->cells[i].kernel, &kernel, &err))
			return command_error(cells->line, verdict_exit_code(VERDICT_BROKEN), &err);
		kernel_free(kernel);
	}
	return 0;
}

static void tell(void *data, size_t index, const json_t *result)
{
	const struct cells *cells = data;
	const struct cell *cell = &cells->cells[index];

	fprintf(stderr, "%zu of %zu: %s on %s, run %zu: %s (%.1f s)\n", index + 1, cells->count,
		result_text(result, "scenario"), cell->kernel, cell->repeat + 1,
		outcome_name(outcome_of_result(result)), result_number(result, "wall_seconds"));
}

static int load_cell(void *data, size_t index, struct plan *plan, const char **path, struct hl_error *err)
{
	const struct cells *cells = data;

	*path = cells->cells[index].path;
	/* cells_check() has loaded it before: only a file that was changed meanwhile fails here. */
	return cells_load(cells, &cells->cells[index], plan)
		       ? hl_error_set(err, EINVAL, "%s cannot be loaded", *path)
		       : 0;
}

/* A run whose process was killed still counts. */
static json_t *missing_result(const struct cell *cell)
{
	const char *slash = strrchr(cell->path, '/'), *name = slash ? slash + 1 : cell->path;
	int length =
		(int)(strlen(name) - (strlen(name) > 5 && !strcmp(name + strlen(name) - 5, ".yaml") ? 5 : 0));

	return json_pack("{s:i, s:s%, s:s, s:s, s:s}", "schema", RESULT_SCHEMA, "scenario", name, length,
			 "kernel", cell->kernel, "verdict", verdict_name(VERDICT_BROKEN), "reason",
			 "its process ended without a result");
}

void cells_fill_missing(const struct cells *cells, json_t *results)
{
	for (size_t i = 0; i < json_array_size(results); i++)
		if (json_is_null(json_array_get(results, i)))
			json_array_set_new(results, i, missing_result(&cells->cells[i]));
}

static int run_here(struct cells *cells, json_t **results)
{
	const struct run_many many = {cells->count, cells->jobs, &cells->settings, load_cell, tell, cells};
	struct hl_error err = HL_ERROR_INIT;

	if (!run_many(&many, results, &err))
		return 0;
	json_decref(*results);
	*results = NULL;
	return command_error(cells->line, verdict_exit_code(VERDICT_BROKEN), &err);
}

int cells_run(struct cells *cells, json_t **results)
{
	int code;

	*results = NULL;
	code = cells->executor ? cells_run_elsewhere(cells, results) : run_here(cells, results);
	if (!code)
		cells_fill_missing(cells, *results);
	return code;
}

struct tally cells_tally(const struct cells *cells, const json_t *results, const char *path,
			 const char *kernel)
{
	struct tally tally = {{0}, ""};

	for (size_t i = 0; i < cells->count; i++)
		if (!strcmp(cells->cells[i].path, path) && !strcmp(cells->cells[i].kernel, kernel))
			tally_add(&tally, json_array_get(results, i));
	return tally;
}
