// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "cmd/cells.h"
#include "cmd/scenario_options.h"
#include "report/report.h"
#include "run/verdict.h"
#include "vm-images/kernel_store.h"

#include <stdint.h>
#include <string.h>

#define MOST_KERNELS 64

/**
 * struct matrix - scenarios by kernels
 * @paths: of the scenarios
 * @kernels: names as given; @versions: of their packages, for the table
 * @baseline: index of the kernel that the others are measured against, -1 for none
 */
struct matrix {
	struct cells cells;
	const char *const *paths;
	size_t path_count, kernel_count;
	const char *kernels[MOST_KERNELS];
	char *versions[MOST_KERNELS];
	long baseline;
	size_t repeat;
	json_t *results;
};

static struct tally tally_of(const struct matrix *matrix, size_t path, size_t kernel)
{
	return cells_tally(&matrix->cells, matrix->results, matrix->paths[path], matrix->kernels[kernel]);
}

/* Is a cell worse than the baseline's? What says nothing is neither better nor worse. */
static bool is_worse(const struct matrix *matrix, size_t path, size_t kernel)
{
	struct tally here = tally_of(matrix, path, kernel), base;
	enum outcome outcome = tally_outcome(&here);

	if (matrix->baseline < 0)
		return false;
	base = tally_of(matrix, path, (size_t)matrix->baseline);
	return tally_outcome(&base) == OUTCOME_CLEAN && (outcome == OUTCOME_SEEN || outcome == OUTCOME_OTHER);
}

static const char *scenario_name(const struct matrix *matrix, size_t path)
{
	for (size_t i = 0; i < matrix->cells.count; i++)
		if (!strcmp(matrix->cells.cells[i].path, matrix->paths[path]))
			return result_text(json_array_get(matrix->results, i), "scenario");
	return matrix->paths[path];
}

/* "seen 5/5", "clean", "unknown 1/5" */
static void cell_text(const struct matrix *matrix, size_t path, size_t kernel, char *text, size_t size)
{
	struct tally tally = tally_of(matrix, path, kernel);
	enum outcome outcome = tally_outcome(&tally);
	char share[32] = "";

	if (matrix->repeat > 1)
		snprintf(share, sizeof(share), " %zu/%zu", tally.counts[outcome], tally_runs(&tally));
	snprintf(text, size, "%s%s%s", outcome_name(outcome), share,
		 is_worse(matrix, path, kernel) ? " !" : "");
}

static size_t widest(const struct matrix *matrix, size_t kernel)
{
	size_t width = strlen(matrix->versions[kernel]);

	for (size_t path = 0; path < matrix->path_count; path++) {
		char text[64];

		cell_text(matrix, path, kernel, text, sizeof(text));
		width = strlen(text) > width ? strlen(text) : width;
	}
	return width;
}

static void print_reasons(const struct matrix *matrix)
{
	for (size_t path = 0; path < matrix->path_count; path++)
		for (size_t kernel = 0; kernel < matrix->kernel_count; kernel++) {
			struct tally tally = tally_of(matrix, path, kernel);

			if (tally.reason[0])
				printf("%s on %s: %s\n", scenario_name(matrix, path), matrix->kernels[kernel],
				       tally.reason);
		}
}

static void print_table(const struct matrix *matrix)
{
	int names = (int)strlen("scenario");

	for (size_t path = 0; path < matrix->path_count; path++)
		if ((int)strlen(scenario_name(matrix, path)) > names)
			names = (int)strlen(scenario_name(matrix, path));
	printf("%-*s", names, "scenario");
	for (size_t kernel = 0; kernel < matrix->kernel_count; kernel++)
		printf("  %-*s", (int)widest(matrix, kernel), matrix->versions[kernel]);
	for (size_t path = 0; path < matrix->path_count; path++) {
		printf("\n%-*s", names, scenario_name(matrix, path));
		for (size_t kernel = 0; kernel < matrix->kernel_count; kernel++) {
			char text[64];

			cell_text(matrix, path, kernel, text, sizeof(text));
			printf("  %-*s", (int)widest(matrix, kernel), text);
		}
	}
	printf("\n");
	if (matrix->baseline >= 0)
		printf("! is worse than %s\n", matrix->kernels[matrix->baseline]);
	print_reasons(matrix);
}

static json_t *cell_json(const struct matrix *matrix, size_t path, size_t kernel)
{
	struct tally tally = tally_of(matrix, path, kernel);
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:s, s:b}", "scenario", scenario_name(matrix, path), "kernel",
			  matrix->kernels[kernel], "version", matrix->versions[kernel], "outcome",
			  outcome_name(tally_outcome(&tally)), "worse", is_worse(matrix, path, kernel));

	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		json_object_set_new(json, outcome_name((enum outcome)i),
				    json_integer((json_int_t)tally.counts[i]));
	if (tally.reason[0])
		json_object_set_new(json, "reason", json_string(tally.reason));
	return json;
}

static void print_json(const struct matrix *matrix)
{
	json_t *cells = json_array(),
	       *json = json_pack("{s:i, s:o, s:O}", "schema", 1, "cells", cells, "results", matrix->results);

	for (size_t path = 0; path < matrix->path_count; path++)
		for (size_t kernel = 0; kernel < matrix->kernel_count; kernel++)
			json_array_append_new(cells, cell_json(matrix, path, kernel));
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(json);
}

/* The other forms list runs: each is named after its scenario and its kernel. */
static void print_runs(const struct matrix *matrix, const struct report_format *format)
{
	json_t *named = json_array(), *result;
	size_t i;

	json_array_foreach (matrix->results, i, result) {
		json_t *copy = json_copy(result);

		json_object_set_new(copy, "scenario",
				    json_sprintf("%s@%s", result_text(result, "scenario"),
						 matrix->cells.cells[i].kernel));
		json_array_append_new(named, copy);
	}
	format->print(named, stdout);
	json_decref(named);
}

/* FAIL: a cell is worse than the baseline's; BROKEN: a cell says nothing. */
static enum verdict verdict_of_matrix(const struct matrix *matrix)
{
	enum verdict worst = VERDICT_PASS;

	for (size_t path = 0; path < matrix->path_count; path++)
		for (size_t kernel = 0; kernel < matrix->kernel_count; kernel++) {
			struct tally tally = tally_of(matrix, path, kernel);

			if (is_worse(matrix, path, kernel))
				worst = verdict_worse(worst, VERDICT_FAIL);
			if (tally_outcome(&tally) == OUTCOME_UNKNOWN)
				worst = verdict_worse(worst, VERDICT_BROKEN);
		}
	return worst;
}

static int report(const struct matrix *matrix)
{
	const char *name = command_option(matrix->cells.line, "format");

	if (!name || !strcmp(name, "pretty"))
		print_table(matrix);
	else if (!strcmp(name, "json"))
		print_json(matrix);
	else
		print_runs(matrix, report_format_find(name));
	return verdict_exit_code(verdict_of_matrix(matrix));
}

/* ---- what to run ---- */

static int add_kernel(struct matrix *matrix, const char *name)
{
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	if (matrix->kernel_count == MOST_KERNELS)
		return command_usage_error(matrix->cells.line, "more than %d kernels", MOST_KERNELS);
	if (kernel_store_find(name, &kernel, &err))
		return command_error(matrix->cells.line, verdict_exit_code(VERDICT_BROKEN), &err);
	matrix->versions[matrix->kernel_count] = take_pointer(kernel->version);
	matrix->kernels[matrix->kernel_count++] = name;
	return 0;
}

static int add_kernels(struct matrix *matrix)
{
	const struct command_line *line = matrix->cells.line;
	const char *baseline = command_option(line, "baseline"), *name;
	size_t position = 0;
	int code = 0;

	while (!code && (name = command_option_next(line, "kernel", &position)))
		code = add_kernel(matrix, name);
	for (size_t i = 0; baseline && i < matrix->kernel_count; i++)
		if (!strcmp(matrix->kernels[i], baseline))
			matrix->baseline = (long)i;
	if (!code && baseline && matrix->baseline < 0) {
		matrix->baseline = (long)matrix->kernel_count;
		code = add_kernel(matrix, baseline);
	}
	if (!code && !matrix->kernel_count)
		code = command_usage_error(line, "it needs --kernel NAME, once for each kernel");
	return code;
}

/* One line per run: the scenario file, the kernel, the repetition. */
static int write_plan(const struct matrix *matrix, const char *path)
{
	FILE *file = fopen(path, "w");
	struct hl_error err = HL_ERROR_INIT;

	for (size_t i = 0; file && i < matrix->cells.count; i++)
		fprintf(file, "%s\t%s\t%zu\n", matrix->cells.cells[i].path, matrix->cells.cells[i].kernel,
			matrix->cells.cells[i].repeat);
	if (!file || fclose(file)) {
		hl_error_errno(&err, errno, "write %s", path);
		return command_error(matrix->cells.line, verdict_exit_code(VERDICT_BROKEN), &err);
	}
	return 0;
}

static int run_matrix(struct matrix *matrix)
{
	const char *plan = command_option(matrix->cells.line, "plan");
	int code = add_kernels(matrix);

	for (size_t path = 0; !code && path < matrix->path_count; path++)
		for (size_t kernel = 0; kernel < matrix->kernel_count; kernel++)
			cells_add(&matrix->cells, matrix->paths[path], matrix->kernels[kernel],
				  matrix->repeat);
	if (!code)
		code = cells_check(&matrix->cells);
	if (!code && plan)
		return write_plan(matrix, plan);
	if (!code)
		code = cells_run(&matrix->cells, &matrix->results);
	return code ? code : report(matrix);
}

static int matrix(const struct command_line *line)
{
	const char *format = command_option(line, "format");
	struct matrix matrix = {.paths = line->operands, .path_count = line->operand_count, .baseline = -1};
	int code;

	if (format && !report_format_find(format))
		return command_usage_error(line, "--format: '%s' is not pretty, json, ktap or junit", format);
	code = cells_open(&matrix.cells, line);
	if (!code)
		code = scenario_option_count(line, "repeat", 1, &matrix.repeat);
	if (!code)
		code = run_matrix(&matrix);
	for (size_t i = 0; i < matrix.kernel_count; i++)
		free(matrix.versions[i]);
	json_decref(matrix.results);
	cells_close(&matrix.cells);
	return code;
}

static const struct command_option options[] = {
	{"kernel", 'k', "NAME", "a kernel of the store; may be repeated"},
	{"repeat", 'r', "N", "runs of each scenario on each kernel; default 1"},
	{"baseline", 'b', "NAME", "exit with 1 when a kernel does worse than this one"},
	{"plan", 0, "FILE", "write the list of runs, one a line, and start nothing"},
	{"format", 'f', "pretty|json|ktap|junit", "form of the results; default pretty: a table"},
	{NULL, 0, NULL, NULL},
};

const struct command command_matrix = {
	.name = "matrix",
	.summary = "run scenarios on many kernels and show which has what",
	.operands = "SCENARIO...",
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
		"Exit code: 0 done, 1 a cell is worse than the baseline's, 2 a cell is unknown.\n",
	.example = "hanglab matrix -k debian:6.1.170-3 -k debian:6.1.192-2 scenarios/net-*.yaml\n"
		   "hanglab matrix -k mine --baseline debian --format junit scenarios/*.yaml > results.xml\n",
	.options = options,
	.shared = command_compare_options,
	.fewest = 1,
	.most = SIZE_MAX,
	.run = matrix,
};
