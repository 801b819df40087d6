// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "cmd/cells.h"
#include "cmd/scenario_options.h"
#include "compare/grid.h"
#include "report/report.h"
#include "vm-images/kernel_store.h"

#include <stdint.h>
#include <string.h>

/* ---- what to run ---- */

/* A column, by the name that the store has for the kernel: one that is given twice is one. */
static int add_kernel(const struct command_line *line, struct grid *grid, const char *name, size_t *index)
{
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	if (kernel_store_find(name, &kernel, &err))
		return command_error(line, verdict_exit_code(VERDICT_BROKEN), &err);
	*index = grid_add_kernel(grid, kernel->name, kernel->version);
	return 0;
}

static int add_kernels(const struct command_line *line, struct grid *grid)
{
	const char *baseline = command_option(line, "baseline"), *name;
	size_t position = 0, index;
	int code = 0;

	while (!code && (name = command_option_next(line, "kernel", &position)))
		code = add_kernel(line, grid, name, &index);
	if (!code && baseline) {
		code = add_kernel(line, grid, baseline, &index);
		grid->baseline = (long)index;
	}
	if (!code && !grid->kernel_count)
		code = command_usage_error(line, "it needs --kernel NAME, once for each kernel");
	return code;
}

static bool is_first(const struct command_line *line, size_t operand)
{
	for (size_t i = 0; i < operand; i++)
		if (!strcmp(line->operands[i], line->operands[operand]))
			return false;
	return true;
}

static int add_cells(struct cells *cells, const struct grid *grid)
{
	size_t repeat;
	int code = scenario_option_count(cells->line, "repeat", 1, &repeat);

	for (size_t path = 0; !code && path < cells->line->operand_count; path++)
		for (size_t kernel = 0; is_first(cells->line, path) && kernel < grid->kernel_count; kernel++)
			cells_add(cells, cells->line->operands[path], grid->kernels[kernel], repeat);
	return code ? code : cells_check(cells);
}

/* ---- what came of it ---- */

static void print_json(const struct grid *grid)
{
	json_t *json = grid_json(grid);

	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(json);
}

/* The other forms list runs. */
static void print_runs(const struct grid *grid, const struct report_format *format)
{
	json_t *runs = grid_named_runs(grid);

	format->print(runs, stdout);
	json_decref(runs);
}

static int report(const struct cells *cells, struct grid *grid, const json_t *results)
{
	const char *name = command_option(cells->line, "format");

	for (size_t i = 0; i < cells->count; i++)
		grid_add(grid, cells->cells[i].kernel, json_array_get(results, i));
	if (!name || !strcmp(name, "pretty"))
		grid_print(grid, stdout);
	else if (!strcmp(name, "json"))
		print_json(grid);
	else
		print_runs(grid, report_format_find(name));
	return verdict_exit_code(grid_verdict(grid));
}

static int run_or_write(struct cells *cells, struct grid *grid)
{
	const char *plan = command_option(cells->line, "plan");
	json_t *results = NULL;
	int code = add_kernels(cells->line, grid);

	if (!code)
		code = add_cells(cells, grid);
	if (!code && plan)
		return cells_write_list(cells, plan);
	if (!code)
		code = cells_run(cells, &results);
	if (!code)
		code = report(cells, grid, results);
	json_decref(results);
	return code;
}

/* Versions for the table, where this machine's store has the kernels too. */
static void label_kernels(const struct cells *cells, struct grid *grid)
{
	for (size_t i = 0; i < cells->count; i++) {
		cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
		const char *name = cells->cells[i].kernel;

		grid_add_kernel(grid, name, kernel_store_find(name, &kernel, NULL) ? name : kernel->version);
	}
}

static int find_baseline(const struct command_line *line, struct grid *grid, const char *wanted)
{
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	const char *name = kernel_store_find(wanted, &kernel, NULL) ? wanted : kernel->name;

	for (size_t i = 0; i < grid->kernel_count; i++)
		if (!strcmp(grid->kernels[i], name))
			grid->baseline = (long)i;
	return grid->baseline >= 0
		       ? 0
		       : command_usage_error(line, "--baseline: the plan has no kernel '%s'", wanted);
}

static int collect(struct cells *cells, struct grid *grid, const char *path)
{
	const char *baseline = command_option(cells->line, "baseline");
	struct job_list list cleanup_with(job_list_clear) = {0};
	struct hl_error err = HL_ERROR_INIT;
	json_t *results = NULL;
	int code = 0;

	if (job_list_read(path, &list, &err))
		return command_error(cells->line, verdict_exit_code(VERDICT_BROKEN), &err);
	cells_read_list(cells, &list, &results);
	label_kernels(cells, grid);
	if (baseline)
		code = find_baseline(cells->line, grid, baseline);
	if (!code)
		code = report(cells, grid, results);
	json_decref(results);
	return code;
}

static int choose(struct cells *cells, struct grid *grid)
{
	const char *plan = command_option(cells->line, "collect");

	if (plan && cells->line->operand_count)
		return command_usage_error(cells->line,
					   "--collect takes scenarios and kernels from the plan");
	if (plan)
		return collect(cells, grid, plan);
	if (!cells->line->operand_count)
		return command_usage_error(cells->line, "expected SCENARIO...");
	return run_or_write(cells, grid);
}

static int matrix(const struct command_line *line)
{
	const char *format = command_option(line, "format");
	struct grid grid cleanup_with(grid_clear) = {.baseline = -1};
	struct cells cells cleanup_with(cells_close) = {0};
	int code;

	if (format && !report_format_find(format))
		return command_usage_error(line, "--format: '%s' is not pretty, json, ktap or junit", format);
	code = cells_open(&cells, line);
	return code ? code : choose(&cells, &grid);
}

static const struct command_option options[] = {
	{"kernel", 'k', "NAME", "a kernel of the store; may be repeated"},
	{"repeat", 'r', "N", "runs of each scenario on each kernel; default 1"},
	{"baseline", 'b', "NAME", "exit with 1 when a kernel does worse than this one"},
	{"plan", 0, "FILE", "write the runs as a plan, one shell command a line, and start nothing"},
	{"collect", 0, "FILE", "show what the runs of a plan left, however they were started"},
	{"format", 'f', "pretty|json|ktap|junit", "form of the results; default pretty: a table"},
	{NULL, 0, NULL, NULL},
};

const struct command command_matrix = {
	.name = "matrix",
	.summary = "run scenarios on many kernels and show which has what",
	.operands = "[SCENARIO...]",
	.help = "A cell of the table is\n"
		"  seen     the scenario's signature, all of its expects, came\n"
		"  clean    it did not until its deadline, or the kernel refused as the scenario names it, "
		"every\n"
		"           fault was confirmed, and everything else held\n"
		"  other    it did not, but something else broke\n"
		"  unknown  a run says nothing\n"
		"  skipped  a requirement is missing\n\n"
		"With --baseline it is a regression gate: a cell that is seen or other where the baseline is "
		"clean\n"
		"is worse.\n\n"
		"A plan is a plain file: each line is the \"hanglab run\" of one cell, whose result lands "
		"beside\n"
		"the plan. Anything can run the lines, in any order: sh PLAN, parallel < PLAN, a cluster; "
		"--collect\n"
		"then shows the table, with what has no result as unknown. --executor does all of it: it "
		"hands "
		"the\n"
		"plan over, waits, and runs what left no result again, up to two times. Other machines must "
		"see the\n"
		"same folders and have the kernels in their store.\n\n"
		"Exit code: 0 done, 1 a cell is worse than the baseline's, 2 a cell is unknown.\n",
	.example = "hanglab matrix -k debian:6.1.170-3 -k debian:6.1.192-2 scenarios/net-*.yaml\n"
		   "hanglab matrix -k mine --baseline debian --format junit scenarios/*.yaml > results.xml\n"
		   "hanglab matrix -k debian:6.1.170-3 -k debian:6.1.192-2 --executor slurm "
		   "scenarios/*.yaml\n"
		   "hanglab matrix -k debian --plan night.plan scenarios/*.yaml && parallel < night.plan; "
		   "hanglab matrix --collect night.plan\n",
	.options = options,
	.shared = command_compare_options,
	.fewest = 0,
	.most = SIZE_MAX,
	.run = matrix,
};
