/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_COMPARE_GRID_H
#define HANGLAB_COMPARE_GRID_H

#include "compare/outcome.h"
#include "run/verdict.h"

#include <stdbool.h>
#include <stdio.h>

/**
 * struct grid - scenarios by kernels
 * @scenarios, @kernels: names, in the order in which they came; owned
 * @labels: of the kernels, for the table; owned
 * @runs: all results, in the order in which they came
 * @cells: outcomes, @kernel_count for each scenario
 * @repeated: a cell has several runs
 * @baseline: index of the kernel that the others are measured against, -1 for none
 *
 * Begins zeroed but for @baseline; grid_clear() it.
 */
struct grid {
	char **scenarios, **kernels, **labels;
	size_t scenario_count, kernel_count;
	json_t *runs;
	struct tally *cells;
	bool repeated;
	long baseline;
};

/** grid_clear() - release everything */
void grid_clear(struct grid *grid);

/**
 * grid_add_kernel() - a column
 * @label: what heads it in the table, such as a version; one that another column has already gives way to the
 *	names
 *
 * Return: its index; that of the one that is there when the grid has this kernel already.
 */
size_t grid_add_kernel(struct grid *grid, const char *name, const char *label);

/** grid_add() - a run; row and column are made where they are missing */
void grid_add(struct grid *grid, const char *kernel, const json_t *result);

/** grid_cell() - the runs of a scenario on a kernel */
const struct tally *grid_cell(const struct grid *grid, size_t scenario, size_t kernel);

/**
 * grid_is_worse() - does a kernel have what the baseline does not?
 *
 * What says nothing is neither better nor worse.
 */
bool grid_is_worse(const struct grid *grid, size_t scenario, size_t kernel);

/** grid_verdict() - FAIL: a cell is worse than the baseline's; BROKEN: a cell says nothing; else PASS */
enum verdict grid_verdict(const struct grid *grid);

/** grid_print() - as a table, with the reasons of what is neither clean nor seen below it */
void grid_print(const struct grid *grid, FILE *out);

/** grid_json() - cells and results. Return: a new reference. */
json_t *grid_json(const struct grid *grid);

/** grid_load() - the grid that grid_json() gave; @grid is empty */
void grid_load(struct grid *grid, const json_t *json);

/** grid_named_runs() - all results, each called SCENARIO@KERNEL. Return: a new reference. */
json_t *grid_named_runs(const struct grid *grid);

#endif
