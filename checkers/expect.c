// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/expect.h"

#include "base/units.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_SECONDS 1000000

const char *const event_kind_names[] = {
#define KIND_NAME(symbol, name, help) name,
	HL_EVENT_KINDS(KIND_NAME)
#undef KIND_NAME
		NULL,
};

static const struct schema_key stack_keys[] = {
	{.name = "all",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct event_stack, all),
	 .help = "functions that must all be on the stack"},
	{.name = "any",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct event_stack, any),
	 .help = "functions of which one must be on the stack"},
	{.name = NULL},
};

const struct schema event_stack_schema = {"a stack", sizeof(struct event_stack), NULL, stack_keys};

static const struct parameter seconds_values[] = {
	{.name = "min",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct event_seconds, min),
	 .fallback = "0",
	 .least = 0,
	 .most = LONGEST_SECONDS,
	 .help = "at least so many seconds"},
	{.name = "max",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct event_seconds, max),
	 .fallback = "1000000",
	 .least = 0,
	 .most = LONGEST_SECONDS,
	 .help = "at most so many seconds"},
	{.name = NULL},
};

const struct schema event_seconds_schema = {"seconds", sizeof(struct event_seconds), seconds_values, NULL};

static bool mismatched(char *mismatch, size_t size, const char *what, const char *wanted, const char *found)
{
	if (mismatch)
		snprintf(mismatch, size, "%s is %s, not %s", what, found ? found : "unknown", wanted);
	return false;
}

static bool text_matches(const char *pattern, const char *text, const char *what, char *mismatch, size_t size)
{
	if (!pattern || (text && !fnmatch(pattern, text, 0)))
		return true;
	return mismatched(mismatch, size, what, pattern, text);
}

static bool stack_matches(const struct event_stack *stack, const struct hl_event *event, char *mismatch,
			  size_t size)
{
	bool any = !stack->any[0];

	for (const char **function = stack->all; *function; function++)
		if (!hl_event_has_function(event, *function)) {
			if (mismatch)
				snprintf(mismatch, size, "%s is not on the stack", *function);
			return false;
		}
	for (const char **function = stack->any; *function && !any; function++)
		any = hl_event_has_function(event, *function);
	if (!any && mismatch)
		snprintf(mismatch, size, "none of %s ... is on the stack", stack->any[0]);
	return any;
}

static bool seconds_match(const struct event_seconds *limits, const struct hl_event *event, char *mismatch,
			  size_t size)
{
	/* Absent is NaN, which no comparison accepts. */
	if (event->seconds >= (double)limits->min && event->seconds <= (double)limits->max)
		return true;
	if (mismatch)
		snprintf(mismatch, size, "seconds is %g, not %lld to %lld", event->seconds,
			 (long long)limits->min, (long long)limits->max);
	return false;
}

bool event_has_fields(const json_t *wanted, const struct hl_event *event, char *mismatch, size_t size)
{
	const char *name;
	json_t *pattern;

	json_object_foreach ((json_t *)wanted, name, pattern) {
		const json_t *value = json_object_get(event->fields, name);
		const char *text = json_string_value(value);
		char number[32];

		if (name[0] == '@')
			continue;
		if (json_is_integer(value)) {
			snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
			text = number;
		}
		if (!text_matches(json_string_value(pattern), text, name, mismatch, size))
			return false;
	}
	return true;
}

bool event_matches(const struct event_pattern *pattern, const struct hl_event *event, char *mismatch,
		   size_t size)
{
	char cpu[16], wanted[16];

	if (mismatch)
		mismatch[0] = '\0';
	if ((int)event->kind != pattern->kind)
		return false;
	snprintf(cpu, sizeof(cpu), "%d", event->stack.cpu);
	snprintf(wanted, sizeof(wanted), "%d", (int)pattern->cpu);
	if (pattern->cpu >= 0 && event->stack.cpu != pattern->cpu)
		return mismatched(mismatch, size, "CPU", wanted, cpu);
	return text_matches(pattern->comm, event->stack.comm, "comm", mismatch, size) &&
	       text_matches(pattern->function, event->function, "function", mismatch, size) &&
	       text_matches(pattern->title, event->title, "title", mismatch, size) &&
	       (!pattern->seconds || seconds_match(pattern->seconds, event, mismatch, size)) &&
	       event_has_fields(pattern->fields, event, mismatch, size) &&
	       (!pattern->stack || stack_matches(pattern->stack, event, mismatch, size));
}

/* The JSON names, which are also those of the guest's report. */
static const struct {
	const char *name;
	size_t offset;
} settings_fields[] = {
	{"kernel.hung_task_timeout_secs", offsetof(struct detector_settings, hung_task_timeout)},
	{"kernel.hung_task_check_interval_secs", offsetof(struct detector_settings, hung_task_interval)},
	{"kernel.watchdog_thresh", offsetof(struct detector_settings, watchdog_thresh)},
	{"kernel.nmi_watchdog", offsetof(struct detector_settings, nmi_watchdog)},
	{"kernel.soft_watchdog", offsetof(struct detector_settings, soft_watchdog)},
	{"rcupdate.rcu_cpu_stall_timeout", offsetof(struct detector_settings, rcu_stall_timeout)},
	{"clockwatch.timeout_secs", offsetof(struct detector_settings, clock_watchdog_timeout)},
	{"workqueue.watchdog_thresh", offsetof(struct detector_settings, workqueue_thresh)},
};

#define SETTINGS_COUNT (sizeof(settings_fields) / sizeof(settings_fields[0]))

static int64_t *settings_field(const struct detector_settings *settings, size_t index)
{
	return (int64_t *)((char *)settings + settings_fields[index].offset);
}

void detector_settings_load(struct detector_settings *settings, const json_t *json)
{
	settings->stall_limit = -1;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const json_t *value = json_object_get(json, settings_fields[i].name);

		*settings_field(settings, i) = json_is_integer(value) ? json_integer_value(value) : -1;
	}
}

json_t *detector_settings_json(const struct detector_settings *settings)
{
	json_t *json = json_object();

	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		if (*settings_field(settings, i) >= 0)
			json_object_set_new(json, settings_fields[i].name,
					    json_integer(*settings_field(settings, i)));
	return json;
}

/* For a guest that is slow in its own time: printing, scheduling the detector. */
#define SLACK (3 * NANOSECONDS_PER_SECOND)

/*
 * A kernel timer may be late by up to 8/63 of its time: the further away it is, the coarser its wheel
 * (kernel/time/timer.c). Below 32256 ticks, 129 s with 250 of them a second, that is at most 2 s, for which
 * there is the slack; with a timeout of 240 s a report came 487 s after the fault.
 */
#define COARSE_SECONDS 129

static int64_t timer_lateness(int64_t seconds)
{
	return seconds < COARSE_SECONDS ? 0 : seconds * NANOSECONDS_PER_SECOND / 63 * 8;
}

/* One interval until the task is first seen, then whole intervals until the timeout is over. */
static int64_t hung_task_deadline(const struct detector_settings *settings)
{
	int64_t timeout = settings->hung_task_timeout, interval = settings->hung_task_interval, looks;

	if (timeout <= 0)
		return -1;
	if (interval <= 0 || interval > timeout)
		interval = timeout;
	looks = 1 + (timeout + interval - 1) / interval;
	return looks * (interval * NANOSECONDS_PER_SECOND + timer_lateness(interval)) + SLACK;
}

static int64_t seconds_deadline(int64_t seconds, int64_t factor)
{
	return seconds <= 0 ? -1 : seconds * factor * NANOSECONDS_PER_SECOND + SLACK;
}

/*
 * A CPU that writes to a serial console is no longer stuck for its watchdog (serial8250_console_write() in
 * drivers/tty/serial/8250/8250_port.c touches it), and the CPU that spins writes RCU's report of itself. If
 * that comes first, the watchdog counts anew. Measured with a threshold of 10: RCU's timeout of 60 s, the
 * watchdog spoke after 26.5 s; 21 s, RCU after 24.0 s and the watchdog after 50.4 s.
 */
static int64_t soft_lockup_deadline(const struct detector_settings *settings)
{
	int64_t rcu = seconds_deadline(settings->rcu_stall_timeout, 1), own;

	if (settings->watchdog_thresh <= 0 || !settings->soft_watchdog)
		return -1;
	own = settings->watchdog_thresh * NANOSECONDS_PER_SECOND * 14 / 5;
	return own + SLACK + (rcu > 0 && rcu - SLACK < own ? rcu : 0);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t detector_deadline(const struct detector_settings *settings, enum hl_event_kind kind)
{
	switch (kind) {
	case HL_EVENT_HUNG_TASK:
		return hung_task_deadline(settings);
	case HL_EVENT_SOFT_LOCKUP:
		return soft_lockup_deadline(settings);
	case HL_EVENT_HARD_LOCKUP:
		return settings->nmi_watchdog <= 0 ? -1 : seconds_deadline(settings->watchdog_thresh, 2);
	case HL_EVENT_RCU_STALL:
		return seconds_deadline(settings->rcu_stall_timeout, 1);
	case HL_EVENT_WORKQUEUE_LOCKUP:
		return seconds_deadline(settings->workqueue_thresh, 2);
	case HL_EVENT_CLOCK_WATCHDOG:
		return seconds_deadline(settings->clock_watchdog_timeout, 1);
	case HL_EVENT_STALLED:
	case HL_EVENT_LIVELOCK:
		return settings->stall_limit <= 0 ? -1 : settings->stall_limit + SLACK;
	case HL_EVENT_PANIC:
		return later(later(hung_task_deadline(settings), soft_lockup_deadline(settings)),
			     seconds_deadline(settings->rcu_stall_timeout, 1));
	default:
		return 0;
	}
}

static int64_t detector_earliest(const struct detector_settings *settings, enum hl_event_kind kind)
{
	switch (kind) {
	case HL_EVENT_HUNG_TASK:
		return settings->hung_task_timeout;
	case HL_EVENT_SOFT_LOCKUP:
		return 2 * settings->watchdog_thresh;
	case HL_EVENT_HARD_LOCKUP:
		return settings->watchdog_thresh;
	case HL_EVENT_RCU_STALL:
		return settings->rcu_stall_timeout;
	case HL_EVENT_WORKQUEUE_LOCKUP:
		return settings->workqueue_thresh;
	case HL_EVENT_CLOCK_WATCHDOG:
		return settings->clock_watchdog_timeout;
	default:
		return 0;
	}
}

bool detector_limits(const struct detector_settings *settings, enum hl_event_kind kind, int64_t *earliest,
		     int64_t *latest)
{
	int64_t deadline = detector_deadline(settings, kind), least = detector_earliest(settings, kind);

	if (deadline <= 0 || least <= 0)
		return false;
	*earliest = least * NANOSECONDS_PER_SECOND;
	*latest = deadline - SLACK;
	return true;
}
