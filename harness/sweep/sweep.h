/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SWEEP_SWEEP_H
#define HANGLAB_SWEEP_SWEEP_H

#include "inject/plan.h"
#include "sweep/setting.h"
#include "sweep/want.h"

/*
 * A sweep runs a scenario's fault with each combination of the values of some settings, in these ways:
 *
 *	held	until the detector has reported it, or would have had to
 *	holds	for given times
 *	load	not at all, but under a heavy and healthy load
 *
 * All of it is told by runs, and where the detector has limits that follow from the sysctls in force
 * (detector_limits()), by these too: a few runs need not have met its earliest and its latest report.
 *
 *	setting.c     names and their values
 *	want.c        what a value must satisfy
 *	sweep_file.c  a sweep as a file
 *	experiment.c  the plan of each run
 *	measure.c     what the runs of a point say
 *	advice.c      which point to take
 *	table.c       the result as text
 */

/**
 * struct sweep - what to try
 * @plan: JSON of the scenario's plan, with the options of the command line
 * @event: enum hl_event_kind: what the detector reports
 * @settings, @wants: what is tried, and what it must satisfy
 * @holds: nanoseconds, in rising order; 0 stands for half the time after which the detector may report
 * @repeat: runs of each kind, spread over the times at which the detector may look
 * @load: nanoseconds of load, 0 for none
 * @keep: text: how long the fault is held on after it was reported
 * @releasable: the scenario has a fault that can be released at will
 */
struct sweep {
	json_t *plan;
	int event;
	struct sweep_setting *settings;
	struct want *wants;
	size_t setting_count, want_count;
	int64_t *holds;
	size_t hold_count, repeat;
	int64_t load;
	const char *keep;
	bool releasable;
	struct arena arena;
};

/**
 * sweep_complete() - find event and holds, when all else is there
 * @event_name: as given, or NULL for what the scenario expects
 *
 * Return: 0; -EINVAL when the scenario has nothing to sweep with or a want cannot be tested by it.
 */
int sweep_complete(struct sweep *sweep, const struct plan *plan, const char *event_name,
		   struct hl_error *err);

/** sweep_clear() - release everything */
void sweep_clear(struct sweep *sweep);

enum experiment_kind { EXPERIMENT_HELD, EXPERIMENT_HOLD, EXPERIMENT_LOAD };

/**
 * struct experiment - one run of a sweep
 * @point: which combination of values
 * @kind: see above
 * @hold: index of the hold
 * @repeat: which repetition
 */
struct experiment {
	size_t point;
	enum experiment_kind kind;
	size_t hold, repeat;
};

/** experiment_count() - runs of the whole sweep */
size_t experiment_count(const struct sweep *sweep);

/** experiment_at() - run number @index; those of a point come together */
struct experiment experiment_at(const struct sweep *sweep, size_t index);

/** experiment_plan() - JSON of its plan, a new reference */
json_t *experiment_plan(const struct sweep *sweep, const struct experiment *experiment);

/** experiment_hold() - nanoseconds for which it holds its fault, 0 for none of its own */
int64_t experiment_hold(const struct sweep *sweep, size_t point, size_t hold);

/**
 * measure_sweep() - what the results say
 * @results: one for each run, as result.json
 *
 * The form is explained in README.md ("Choose sysctls").
 *
 * Return: the sweep as JSON, without "advice", a new reference.
 */
json_t *measure_sweep(const struct sweep *sweep, const json_t *results);

/** advise() - judge the wants of every point of @measured and add "advice" */
void advise(const struct sweep *sweep, json_t *measured);

/** sweep_print() - table, plot and advice of measure_sweep()'s JSON as text */
void sweep_print(const json_t *measured, FILE *out);

#endif
