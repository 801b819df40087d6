/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_EXPECT_H
#define HANGLAB_CHECKERS_EXPECT_H

#include "checkers/checkers.h"

#include "base/schema.h"

/*
 * Expectations on events, and how long silence must last before "absent" may be said.
 */

/**
 * struct event_stack - functions to look for on the stacks of an event
 * @source: JSON it was read from
 * @all: every one must be there
 * @any: at least one must be there, when the list is not empty
 *
 * A set and not a sequence: the same fault gives different first stacks from run to run.
 */
struct event_stack {
	const json_t *source;
	const char **all, **any;
};

/**
 * struct event_seconds - how long an event says that it took ("stuck for 23s")
 * @source: JSON it was read from
 * @min, @max: limits, both included
 */
struct event_seconds {
	const json_t *source;
	int64_t min, max;
};

/**
 * struct event_pattern - which events are meant
 * @source: JSON it was read from
 * @kind: index of enum hl_event_kind, as an int of a PARAMETER_CHOICE
 * @comm, @function, @title: shell patterns (fnmatch(3)), or NULL for any
 * @cpu: CPU number, -1 for any
 * @seconds: see struct event_seconds, or NULL
 * @stack: see there, or NULL
 * @fields: object of shell patterns for members of the event's fields{}, or NULL
 */
struct event_pattern {
	const json_t *source;
	int kind;
	const char *comm, *function, *title;
	int64_t cpu;
	struct event_seconds *seconds;
	struct event_stack *stack;
	const json_t *fields;
};

/** Names of all event kinds in the order of enum hl_event_kind, NULL-terminated: choices of a parameter. */
extern const char *const event_kind_names[];

/** Schema of struct event_stack. */
extern const struct schema event_stack_schema;

/** Schema of struct event_seconds. */
extern const struct schema event_seconds_schema;

/**
 * event_matches() - is @event one that @pattern means?
 * @mismatch: when it is of the right kind but something else differs, receives that in words;
 *	may be NULL
 * @size: of @mismatch
 */
bool event_matches(const struct event_pattern *pattern, const struct hl_event *event, char *mismatch,
		   size_t size);

/**
 * event_has_fields() - do the members of an event's fields{} match?
 * @wanted: object of shell patterns, compared with text and whole numbers; NULL for none; names that begin
 *with
 *	'@' are positions in a scenario file
 * @mismatch: receives what differs, in words; may be NULL
 * @size: of @mismatch
 */
bool event_has_fields(const json_t *wanted, const struct hl_event *event, char *mismatch, size_t size);

/**
 * struct detector_settings - values in force in the guest, read back from it; -1 for absent
 * @hung_task_timeout: kernel.hung_task_timeout_secs
 * @hung_task_interval: kernel.hung_task_check_interval_secs (0: the timeout; absent before 4.20)
 * @watchdog_thresh: kernel.watchdog_thresh
 * @soft_watchdog: kernel.soft_watchdog (absent before 4.13)
 * @rcu_stall_timeout: rcupdate.rcu_cpu_stall_timeout
 * @workqueue_thresh: workqueue.watchdog_thresh
 * @nmi_watchdog: kernel.nmi_watchdog, the switch of the hard lockup detector; off where there is no
 *	performance counter for it, as under TCG
 * @clock_watchdog_timeout: how long a processor of a guest like Windows may go without a clock interrupt
 * @stall_limit: of a workload's operation, in nanoseconds; the scenario's, so never part of the JSON
 *
 * All others in seconds but for the switches @soft_watchdog and @nmi_watchdog.
 */
struct detector_settings {
	int64_t hung_task_timeout, hung_task_interval, watchdog_thresh, soft_watchdog, rcu_stall_timeout,
		workqueue_thresh, stall_limit, nmi_watchdog, clock_watchdog_timeout;
};

/** detector_settings_load() - from the JSON object that the guest sent; absent keys are -1 */
void detector_settings_load(struct detector_settings *settings, const json_t *json);

/** detector_settings_json() - a new JSON object with the values that are known */
json_t *detector_settings_json(const struct detector_settings *settings);

/**
 * detector_deadline() - when a fault of this kind must have been reported, at the latest
 * @settings: in force in the guest
 * @kind: what is waited for
 *
 * Hung task: khungtaskd looks every interval, notes when it first sees that a task was not scheduled
 * since the look before, and reports at the first look that is a timeout later (kernel/hung_task.c): at
 * most one interval, plus the timeout rounded up to whole intervals, after the task blocked. Soft lockup: 2 *
 * watchdog_thresh, seen at a sample every 2/5 of watchdog_thresh, plus two samples (kernel/watchdog.c); from
 * the report of RCU on, where that may come before. RCU: rcu_cpu_stall_timeout plus the time for the next
 * tick to see it. Slack is added for a slow guest. A panic may follow any of them.
 *
 * Return: nanoseconds after the fault; 0 when the kind has no detector with a time limit; -1 when its
 * detector is off or absent.
 */
int64_t detector_deadline(const struct detector_settings *settings, enum hl_event_kind kind);

/**
 * detector_limits() - between which times a detector first reports a fault that lasts
 * @earliest, @latest: nanoseconds after the fault, without slack; untouched when there are none
 *
 * The same sources as detector_deadline(): a hung task is reported no sooner than its timeout after it was
 * last scheduled, a soft lockup no sooner than 2 * watchdog_thresh.
 *
 * Return: whether the kind has a detector with such limits and it is on.
 */
bool detector_limits(const struct detector_settings *settings, enum hl_event_kind kind, int64_t *earliest,
		     int64_t *latest);

#endif
