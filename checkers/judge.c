// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/judge.h"

#include "base/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct judge {
	const struct check *checks;
	size_t count;
	struct detector_settings settings;
	bool settings_known, fault_known;
	int64_t now, fault, first_fault;
	struct check_status *status;
};

const char *const check_kind_names[] = {"expect", "forbid", "recovers", "data", "ends", NULL};

_Static_assert(sizeof(check_kind_names) / sizeof(char *) == CHECK_KIND_COUNT + 1, "a name for every kind");

static const char *const data_choices[] = {"intact", NULL};
static const char *const end_choices[] = {"running", "panic", "watchdog", NULL};

static const struct parameter recovery_values[] = {
	{.name = "within",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct recovery_check, within),
	 .fallback = "5s",
	 .help = "limit for every workload to move again, from the begin of the last release"},
	{.name = NULL},
};

static const struct schema recovery_schema = {"recovers", sizeof(struct recovery_check), recovery_values,
					      NULL};

static const struct parameter check_values[] = {
	{.name = "expect",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct check, pattern.kind),
	 .choices = event_kind_names,
	 .help = "this event must come; expects are met in order, but consecutive\n"
		 "ones of one kind may come in any order"},
	{.name = "comm",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct check, pattern.comm),
	 .help = "name of the task, as a shell pattern"},
	{.name = "function",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct check, pattern.function),
	 .help = "blamed function, as a shell pattern"},
	{.name = "title",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct check, pattern.title),
	 .help = "title of the event, as a shell pattern"},
	{.name = "cpu",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct check, pattern.cpu),
	 .fallback = "-1",
	 .least = -1,
	 .most = 4095,
	 .help = "CPU number"},
	{.name = "within",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct check, within),
	 .help = "limit after the fault; default: from the sysctls in force in the guest"},
	{.name = "not_before",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct check, not_before),
	 .help = "an event that comes sooner than this after the fault was injected is wrong"},
	{.name = "data",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct check, data),
	 .choices = data_choices,
	 .help = "after release: fsck is clean and every acknowledged record is there"},
	{.name = "ends",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct check, ends),
	 .choices = end_choices,
	 .help = "how the guest must have ended"},
	{.name = NULL},
};

static const struct schema_key check_keys[] = {
	{.name = "stack",
	 .kind = SCHEMA_OBJECT,
	 .item = &event_stack_schema,
	 .offset = offsetof(struct check, pattern.stack),
	 .help = "functions on the stack: {all: [...], any: [...]}"},
	{.name = "seconds",
	 .kind = SCHEMA_OBJECT,
	 .item = &event_seconds_schema,
	 .offset = offsetof(struct check, pattern.seconds),
	 .help = "how long the event says that it took: {min: ..., max: ...}"},
	{.name = "fields",
	 .kind = SCHEMA_MAP,
	 .offset = offsetof(struct check, pattern.fields),
	 .help = "what the event says in its fields, each as a shell pattern: {severity: fatal, ...}"},
	{.name = "forbid",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct check, forbid),
	 .help = "none of these events may come, up to their deadlines"},
	{.name = "recovers",
	 .kind = SCHEMA_OBJECT,
	 .item = &recovery_schema,
	 .offset = offsetof(struct check, recovers),
	 .help = "after release every workload moves again, fsck is clean and the data intact"},
	{.name = NULL},
};

const struct schema check_schema = {"a check", sizeof(struct check), check_values, check_keys};

enum check_kind check_kind(const struct check *check)
{
	enum check_kind found = CHECK_KIND_COUNT;

	for (int kind = 0; kind < CHECK_KIND_COUNT; kind++) {
		if (!json_object_get(check->source, check_kind_names[kind]))
			continue;
		if (found != CHECK_KIND_COUNT)
			return CHECK_KIND_COUNT;
		found = (enum check_kind)kind;
	}
	return found;
}

struct judge *judge_new(const struct check *checks, size_t count)
{
	struct judge *judge = calloc(1, sizeof(*judge));

	if (judge)
		judge->status = calloc(count + 1, sizeof(*judge->status));
	if (!judge || !judge->status)
		abort();
	judge->checks = checks;
	judge->count = count;
	return judge;
}

void judge_free(struct judge *judge)
{
	if (!judge)
		return;
	for (size_t i = 0; i < judge->count; i++)
		json_decref(judge->status[i].event);
	free(judge->status);
	free(judge);
}

static void decide(struct check_status *status, enum check_state state, int64_t at, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void decide(struct check_status *status, enum check_state state, int64_t at, const char *format, ...)
{
	va_list args;

	status->state = state;
	status->at = at;
	va_start(args, format);
	vsnprintf(status->reason, sizeof(status->reason), format, args);
	va_end(args);
}

static double seconds_of(int64_t nanoseconds)
{
	return (double)nanoseconds / (double)NANOSECONDS_PER_SECOND;
}

void judge_settings(struct judge *judge, const struct detector_settings *settings)
{
	judge->settings = *settings;
	judge->settings_known = true;
}

static const char *kind_name(const struct check *check)
{
	return event_kind_names[check->pattern.kind];
}

static void set_expect_deadline(struct judge *judge, size_t index)
{
	const struct check *check = &judge->checks[index];
	struct check_status *status = &judge->status[index];
	int64_t wait = check->within;

	if (!wait)
		wait = detector_deadline(&judge->settings, (enum hl_event_kind)check->pattern.kind);
	if (wait < 0)
		decide(status, CHECK_UNDECIDABLE, 0, "the detector of %s is off in the guest",
		       kind_name(check));
	else
		status->deadline = judge->fault + wait;
}

/* The latest of the forbidden kinds' deadlines; a panic has no deadline of its own (see there). */
static void set_forbid_deadline(struct judge *judge, size_t index)
{
	struct check_status *status = &judge->status[index];
	int64_t wait = 0;

	for (const char **name = judge->checks[index].forbid; *name; name++) {
		enum hl_event_kind kind;
		int64_t own;

		if (hl_event_kind_parse(*name, &kind, NULL) || kind == HL_EVENT_PANIC)
			continue;
		own = detector_deadline(&judge->settings, kind);
		if (own < 0) {
			decide(status, CHECK_UNDECIDABLE, 0, "the detector of %s is off in the guest", *name);
			return;
		}
		wait = own > wait ? own : wait;
	}
	status->deadline = judge->fault + wait;
}

/* What silence has decided is open again after another fault: that one may be reported as well. */
static void reopen(const struct check *check, struct check_status *status)
{
	bool is_event = check_kind(check) == CHECK_EXPECT || check_kind(check) == CHECK_FORBID;

	if (!is_event || status->event || (status->state != CHECK_HELD && status->state != CHECK_VIOLATED))
		return;
	status->state = CHECK_PENDING;
	status->reason[0] = '\0';
}

void judge_fault(struct judge *judge, int64_t now)
{
	if (!judge->fault_known)
		judge->first_fault = now;
	judge->fault = now;
	judge->fault_known = true;
	for (size_t i = 0; i < judge->count && judge->settings_known; i++) {
		reopen(&judge->checks[i], &judge->status[i]);
		if (judge->status[i].state != CHECK_PENDING)
			continue;
		if (check_kind(&judge->checks[i]) == CHECK_EXPECT)
			set_expect_deadline(judge, i);
		else if (check_kind(&judge->checks[i]) == CHECK_FORBID)
			set_forbid_deadline(judge, i);
	}
}

void judge_refused(struct judge *judge, int64_t now, const char *reason)
{
	judge_fault(judge, now);
	for (size_t i = 0; i < judge->count; i++)
		if (check_kind(&judge->checks[i]) == CHECK_EXPECT && judge->status[i].state == CHECK_PENDING)
			decide(&judge->status[i], CHECK_VIOLATED, 0, "%s", reason);
}

static void meet(struct judge *judge, size_t index, const struct hl_event *event, int64_t now)
{
	struct check_status *status = &judge->status[index];
	int64_t least = judge->checks[index].not_before, after = now - judge->first_fault;

	if (after < least)
		decide(status, CHECK_VIOLATED, now, "%s at %.3f s, only %.3f s after the fault, not %.3f s",
		       event->title, seconds_of(now), seconds_of(after), seconds_of(least));
	else
		decide(status, CHECK_HELD, now, "%s at %.3f s", event->title, seconds_of(now));
	status->event = hl_event_to_json(event);
}

/*
 * Expects are met in order. The current group starts at the first one that is not met; it goes on over
 * the following expects of the same kind, because a detector that reports several tasks or CPUs does so
 * in any order.
 */
static void offer_to_expects(struct judge *judge, const struct hl_event *event, int64_t now)
{
	int group = -1;
	char mismatch[256];

	for (size_t i = 0; i < judge->count; i++) {
		const struct check *check = &judge->checks[i];
		struct check_status *status = &judge->status[i];

		if (check_kind(check) != CHECK_EXPECT || status->state != CHECK_PENDING)
			continue;
		if (group >= 0 && check->pattern.kind != group)
			return;
		group = check->pattern.kind;
		if (event_matches(&check->pattern, event, mismatch, sizeof(mismatch))) {
			meet(judge, i, event, now);
			return;
		}
		if (mismatch[0] && !status->reason[0])
			snprintf(status->reason, sizeof(status->reason), "%s came, but %s", event->title,
				 mismatch);
	}
}

static bool is_forbidden(const struct check *check, const struct hl_event *event)
{
	struct event_pattern pattern = check->pattern;

	pattern.kind = (int)event->kind;
	for (const char **name = check->forbid; *name; name++)
		if (!strcmp(*name, hl_event_kind_name(event->kind)))
			return event_matches(&pattern, event, NULL, 0);
	return false;
}

void judge_event(struct judge *judge, const struct hl_event *event, int64_t now)
{
	judge_time(judge, now);
	for (size_t i = 0; i < judge->count; i++) {
		struct check_status *status = &judge->status[i];

		/* A standing check: what comes after its deadline still violates it. */
		if (check_kind(&judge->checks[i]) != CHECK_FORBID || status->state == CHECK_VIOLATED ||
		    !is_forbidden(&judge->checks[i], event))
			continue;
		decide(status, CHECK_VIOLATED, now, "%s at %.3f s", event->title, seconds_of(now));
		status->event = hl_event_to_json(event);
	}
	/* What came before the fault was not caused by it. */
	if (judge->fault_known)
		offer_to_expects(judge, event, now);
}

static void none_came(struct check_status *status, int64_t until, int64_t fault)
{
	decide(status, CHECK_HELD, 0, "none came until %.3f s, in %.3f s of watching", seconds_of(until),
	       seconds_of(until - fault));
}

static void pass_deadline(const struct check *check, struct check_status *status, int64_t fault)
{
	char near[sizeof(status->reason)];

	if (check_kind(check) == CHECK_FORBID) {
		none_came(status, status->deadline, fault);
		return;
	}
	memcpy(near, status->reason, sizeof(near));
	decide(status, CHECK_VIOLATED, 0, "no such %s until %.3f s, %.3f s after the fault%s%.300s",
	       kind_name(check), seconds_of(status->deadline), seconds_of(status->deadline - fault),
	       near[0] ? "; " : "", near);
}

void judge_time(struct judge *judge, int64_t now)
{
	judge->now = now > judge->now ? now : judge->now;
	for (size_t i = 0; i < judge->count; i++) {
		struct check_status *status = &judge->status[i];

		if (status->state == CHECK_PENDING && status->deadline && now > status->deadline)
			pass_deadline(&judge->checks[i], status, judge->fault);
	}
}

int64_t judge_next_deadline(const struct judge *judge)
{
	int64_t next = 0;

	for (size_t i = 0; i < judge->count; i++) {
		const struct check_status *status = &judge->status[i];

		if (status->state == CHECK_PENDING && status->deadline && (!next || status->deadline < next))
			next = status->deadline;
	}
	return next;
}

bool judge_decided(const struct judge *judge)
{
	for (size_t i = 0; i < judge->count; i++) {
		enum check_kind kind = check_kind(&judge->checks[i]);

		if ((kind == CHECK_EXPECT || kind == CHECK_FORBID) && judge->status[i].state == CHECK_PENDING)
			return false;
	}
	return true;
}

void judge_end(struct judge *judge, const char *why)
{
	for (size_t i = 0; i < judge->count; i++) {
		enum check_kind kind = check_kind(&judge->checks[i]);
		struct check_status *status = &judge->status[i];

		if ((kind == CHECK_EXPECT || kind == CHECK_FORBID) && status->state == CHECK_PENDING)
			decide(status, CHECK_UNDECIDABLE, 0, "the deadline was not reached: %s", why);
		/* It went on watching after its deadline. */
		else if (kind == CHECK_FORBID && status->state == CHECK_HELD && judge->now > status->deadline)
			none_came(status, judge->now, judge->fault);
	}
}

const struct check_status *judge_status(const struct judge *judge, size_t index)
{
	return &judge->status[index];
}

int64_t judge_expects_met_at(const struct judge *judge)
{
	int64_t last = 0;

	for (size_t i = 0; i < judge->count; i++) {
		if (check_kind(&judge->checks[i]) != CHECK_EXPECT)
			continue;
		if (judge->status[i].state != CHECK_HELD)
			return 0;
		last = judge->status[i].at > last ? judge->status[i].at : last;
	}
	return last;
}

bool judge_expects_met(const struct judge *judge)
{
	return judge_expects_met_at(judge) > 0;
}

bool judge_expects_kind(const struct judge *judge, enum hl_event_kind kind)
{
	for (size_t i = 0; i < judge->count; i++)
		if (check_kind(&judge->checks[i]) == CHECK_EXPECT &&
		    judge->checks[i].pattern.kind == (int)kind)
			return true;
	return false;
}
