// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/grid.h"

#include "report/report.h"
#include "report/text_table.h"

#include <stdlib.h>
#include <string.h>

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void grid_clear(struct grid *grid)
{
	free_texts(grid->scenarios, grid->scenario_count);
	free_texts(grid->kernels, grid->kernel_count);
	free_texts(grid->labels, grid->kernel_count);
	json_decref(grid->runs);
	free(grid->cells);
	*grid = (struct grid){.baseline = -1};
}

static size_t find(char *const *texts, size_t count, const char *text)
{
	size_t i = 0;

	while (i < count && strcmp(texts[i], text) != 0)
		i++;
	return i;
}

static void append(char ***texts, size_t count, const char *text)
{
	*texts = reallocarray(*texts, count + 1, sizeof(**texts));
	if (!*texts || !((*texts)[count] = strdup(text)))
		abort();
}

/* Rows are laid out anew when there is a column more. */
static void widen(struct grid *grid, size_t kernel_count)
{
	struct tally *wider = calloc(grid->scenario_count * kernel_count + 1, sizeof(*wider));

	if (!wider)
		abort();
	for (size_t row = 0; row < grid->scenario_count; row++)
		memcpy(wider + row * kernel_count, grid->cells + row * grid->kernel_count,
		       grid->kernel_count * sizeof(*wider));
	free(grid->cells);
	grid->cells = wider;
}

size_t grid_add_kernel(struct grid *grid, const char *name, const char *label)
{
	size_t index = find(grid->kernels, grid->kernel_count, name), same;

	if (index < grid->kernel_count)
		return index;
	same = find(grid->labels, grid->kernel_count, label);
	if (same < grid->kernel_count) {
		free(grid->labels[same]);
		grid->labels[same] = strdup(grid->kernels[same]);
		label = name;
	}
	widen(grid, grid->kernel_count + 1);
	append(&grid->kernels, grid->kernel_count, name);
	append(&grid->labels, grid->kernel_count, label);
	grid->kernel_count++;
	return index;
}

static size_t add_scenario(struct grid *grid, const char *name)
{
	size_t index = find(grid->scenarios, grid->scenario_count, name);

	if (index < grid->scenario_count)
		return index;
	append(&grid->scenarios, grid->scenario_count, name);
	grid->scenario_count++;
	grid->cells =
		reallocarray(grid->cells, grid->scenario_count, grid->kernel_count * sizeof(*grid->cells));
	if (!grid->cells)
		abort();
	memset(grid->cells + index * grid->kernel_count, 0, grid->kernel_count * sizeof(*grid->cells));
	return index;
}

void grid_add(struct grid *grid, const char *kernel, const json_t *result)
{
	size_t column = grid_add_kernel(grid, kernel, kernel);
	size_t row = add_scenario(grid, result_text(result, "scenario"));
	struct tally *cell = &grid->cells[row * grid->kernel_count + column];
	json_t *of_kernel = json_copy((json_t *)result);

	tally_add(cell, result);
	grid->repeated = grid->repeated || tally_runs(cell) > 1;
	if (!grid->runs)
		grid->runs = json_array();
	json_object_set_new(of_kernel, "kernel", json_string(kernel));
	json_array_append_new(grid->runs, of_kernel);
}

const struct tally *grid_cell(const struct grid *grid, size_t scenario, size_t kernel)
{
	return &grid->cells[scenario * grid->kernel_count + kernel];
}

bool grid_is_worse(const struct grid *grid, size_t scenario, size_t kernel)
{
	const struct tally *base;
	enum outcome outcome = tally_outcome(grid_cell(grid, scenario, kernel));

	if (grid->baseline < 0)
		return false;
	base = grid_cell(grid, scenario, (size_t)grid->baseline);
	return tally_runs(base) && tally_outcome(base) == OUTCOME_CLEAN &&
	       (outcome == OUTCOME_SEEN || outcome == OUTCOME_OTHER);
}

enum verdict grid_verdict(const struct grid *grid)
{
	enum verdict worst = VERDICT_PASS;

	for (size_t row = 0; row < grid->scenario_count; row++)
		for (size_t column = 0; column < grid->kernel_count; column++) {
			const struct tally *tally = grid_cell(grid, row, column);

			if (grid_is_worse(grid, row, column))
				worst = verdict_worse(worst, VERDICT_FAIL);
			if (tally_outcome(tally) == OUTCOME_UNKNOWN)
				worst = verdict_worse(worst, VERDICT_BROKEN);
		}
	return worst;
}

/* ---- the table ---- */

/* "seen 5/5", "clean", "unknown 1/5" */
static void add_text(const struct grid *grid, size_t row, size_t column, struct text_table *table)
{
	const struct tally *tally = grid_cell(grid, row, column);
	enum outcome outcome = tally_outcome(tally);
	char share[48] = "";

	if (grid->repeated && tally_runs(tally))
		snprintf(share, sizeof(share), " %zu/%zu", tally->counts[outcome], tally_runs(tally));
	text_table_add(table, "%s%s%s", tally_runs(tally) ? outcome_name(outcome) : "-", share,
		       grid_is_worse(grid, row, column) ? " !" : "");
}

static void print_reasons(const struct grid *grid, FILE *out)
{
	for (size_t row = 0; row < grid->scenario_count; row++)
		for (size_t column = 0; column < grid->kernel_count; column++) {
			const struct tally *tally = grid_cell(grid, row, column);

			if (tally->reason[0])
				fprintf(out, "%s on %s: %s\n", grid->scenarios[row], grid->kernels[column],
					tally->reason);
		}
}

void grid_print(const struct grid *grid, FILE *out)
{
	struct text_table table = {NULL};

	text_table_row(&table);
	text_table_add(&table, "scenario");
	for (size_t column = 0; column < grid->kernel_count; column++)
		text_table_add(&table, "%s", grid->labels[column]);
	for (size_t row = 0; row < grid->scenario_count; row++) {
		text_table_row(&table);
		text_table_add(&table, "%s", grid->scenarios[row]);
		for (size_t column = 0; column < grid->kernel_count; column++)
			add_text(grid, row, column, &table);
	}
	text_table_print(&table, out);
	if (grid->baseline >= 0)
		fprintf(out, "! is worse than %s\n", grid->kernels[grid->baseline]);
	print_reasons(grid, out);
}

static json_t *cell_json(const struct grid *grid, size_t row, size_t column)
{
	const struct tally *tally = grid_cell(grid, row, column);
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:s, s:b}", "scenario", grid->scenarios[row], "kernel",
			  grid->kernels[column], "label", grid->labels[column], "outcome",
			  outcome_name(tally_outcome(tally)), "worse", grid_is_worse(grid, row, column));

	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		json_object_set_new(json, outcome_name((enum outcome)i),
				    json_integer((json_int_t)tally->counts[i]));
	if (tally->reason[0])
		json_object_set_new(json, "reason", json_string(tally->reason));
	return json;
}

json_t *grid_json(const struct grid *grid)
{
	json_t *cells = json_array(), *json = json_pack("{s:i, s:s, s:o, s:O}", "schema", 1, "form", "matrix",
							"cells", cells, "results", grid->runs);

	if (grid->baseline >= 0)
		json_object_set_new(json, "baseline", json_string(grid->kernels[grid->baseline]));
	for (size_t row = 0; row < grid->scenario_count; row++)
		for (size_t column = 0; column < grid->kernel_count; column++)
			json_array_append_new(cells, cell_json(grid, row, column));
	return json;
}

void grid_load(struct grid *grid, const json_t *json)
{
	const char *baseline = result_text(json, "baseline");
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(json, "cells"), i, item)
		grid_add_kernel(grid, result_text(item, "kernel"), result_text(item, "label"));
	json_array_foreach (json_object_get(json, "results"), i, item)
		grid_add(grid, result_text(item, "kernel"), item);
	for (size_t kernel = 0; kernel < grid->kernel_count; kernel++)
		if (!strcmp(grid->kernels[kernel], baseline))
			grid->baseline = (long)kernel;
}

json_t *grid_named_runs(const struct grid *grid)
{
	json_t *named = json_array(), *run;
	size_t i;

	json_array_foreach (grid->runs, i, run) {
		json_t *copy = json_copy(run);

		json_object_set_new(
			copy, "scenario",
			json_sprintf("%s@%s", result_text(run, "scenario"), result_text(run, "kernel")));
		json_array_append_new(named, copy);
	}
	return named;
}
