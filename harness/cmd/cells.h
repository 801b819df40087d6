/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CMD_CELLS_H
#define HANGLAB_CMD_CELLS_H

#include "cmd/command.h"
#include "compare/outcome.h"
#include "executor/executor.h"
#include "executor/job_list.h"
#include "run/run.h"

/*
 * Runs of scenarios on several kernels, for the commands that compare them. Each run is a process of its own,
 * as in "hanglab run", or a job of an executor.
 */

/**
 * struct cell - one run
 * @path: of the scenario file
 * @kernel: name in the store
 * @repeat: which repetition; added to the seed
 */
struct cell {
	const char *path, *kernel;
	size_t repeat;
};

/**
 * struct cells - runs to do
 * @cells: owned, @count of them
 * @jobs: how many at a time
 * @executor: who runs them; NULL for this process. @hosts: where, of some executors
 */
struct cells {
	const struct command_line *line;
	struct cell *cells;
	size_t count, jobs;
	const struct executor *executor;
	const char *hosts;
	struct run_settings settings;
};

/** Options of the commands that compare kernels: command_run_options[] without those that make no sense
 * there. */
extern const struct command_option command_compare_options[];

/** cells_open() - read the options. Return: 0, or an exit code after a message. */
int cells_open(struct cells *cells, const struct command_line *line);

/** cells_close() - release everything */
void cells_close(struct cells *cells);

/** cells_add() - @repeat runs more; the texts must stay valid */
void cells_add(struct cells *cells, const char *path, const char *kernel, size_t repeat);

/**
 * cells_load() - the plan of a run
 * @plan: zeroed; plan_free() it, also after a failure
 *
 * Return: 0, or an exit code after a message.
 */
int cells_load(const struct cells *cells, const struct cell *cell, struct plan *plan);

/**
 * cells_check() - can the scenarios be loaded, and are the kernels in the store?
 *
 * Return: 0, or an exit code after a message.
 */
int cells_check(const struct cells *cells);

/**
 * cells_write_list() - write the runs as a job list; their results are to land beside it
 *
 * Return: 0, or an exit code after a message.
 */
int cells_write_list(const struct cells *cells, const char *path);

/**
 * cells_read_list() - add the runs of a job list
 * @list: read already; must stay valid
 * @results: receives a new array, what the jobs left
 */
void cells_read_list(struct cells *cells, const struct job_list *list, json_t **results);

/**
 * cells_run() - do all runs, telling on standard error how far they are
 * @results: receives a new array, one result per cell, with "verdict", "reason" and "scenario" always there
 *
 * Return: 0, or an exit code after a message.
 */
int cells_run(struct cells *cells, json_t **results);

/** cells_run_elsewhere() - cells_run() with an executor; null stands for a run that left no result */
int cells_run_elsewhere(struct cells *cells, json_t **results);

/** cells_fill_missing() - a BROKEN result for every run of which there is none */
void cells_fill_missing(const struct cells *cells, json_t *results);

/** cells_tally() - the runs of one scenario on one kernel among @results */
struct tally cells_tally(const struct cells *cells, const json_t *results, const char *path,
			 const char *kernel);

#endif
