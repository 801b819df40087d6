/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_JUDGE_H
#define HANGLAB_CHECKERS_JUDGE_H

#include "checkers/expect.h"

/*
 * The judge decides the checks that are about kernel events: expect and forbid. It is told the
 * settings of the guest, when the fault began, every event and the time; it says when everything is
 * decided. The guest program uses it to know when to stop, hanglab to reach the verdict: one rule,
 * applied twice to the same events.
 */

/**
 * struct recovery_check - "recovers:" of a check
 * @source: JSON it was read from
 * @within: nanoseconds from the begin of the last release until every workload must have progressed
 */
struct recovery_check {
	const json_t *source;
	int64_t within;
};

enum check_kind { CHECK_EXPECT, CHECK_FORBID, CHECK_RECOVERS, CHECK_DATA, CHECK_ENDS, CHECK_KIND_COUNT };

/** The key that makes a check one of a kind, in the order of enum check_kind, NULL-terminated. */
extern const char *const check_kind_names[];

/** How the guest must have ended ("ends:"). */
enum check_end { CHECK_END_RUNNING, CHECK_END_PANIC, CHECK_END_WATCHDOG };

/**
 * struct check - one entry of "checks:"
 * @source: JSON it was read from; which key is there makes its kind (check_kind())
 * @pattern: of expect (with its kind) and forbid (kinds are in @forbid)
 * @within: for expect: nanoseconds after the fault, 0 to derive it from the guest's sysctls
 * @not_before: for expect: nanoseconds after the first fault began to be injected; an event that comes sooner
 *is wrong, because that fault cannot have caused it
 * @forbid: names of kinds
 * @recovers: see struct recovery_check
 * @data: unused value of "data: intact", the only choice
 * @ends: see enum check_end
 */
struct check {
	const json_t *source;
	struct event_pattern pattern;
	int64_t within, not_before;
	const char **forbid;
	struct recovery_check *recovers;
	int data, ends;
};

/** Schema of struct check. */
extern const struct schema check_schema;

/** check_kind() - the kind of a check, CHECK_KIND_COUNT when it has no such key or several */
enum check_kind check_kind(const struct check *check);

/** How a check stands. */
enum check_state { CHECK_PENDING, CHECK_HELD, CHECK_VIOLATED, CHECK_UNDECIDABLE };

/**
 * struct check_status - how a check stands and why
 * @state: CHECK_UNDECIDABLE: its detector is off, or the run ended before its deadline
 * @at: guest time in nanoseconds of the event that decided it, 0 without one
 * @deadline: guest time in nanoseconds until which absence must be watched, 0 while unknown
 * @reason: in words
 * @event: the event that decided it, as JSON, owned by the judge, or NULL
 */
struct check_status {
	enum check_state state;
	int64_t at, deadline;
	char reason[512];
	json_t *event;
};

struct judge;

/**
 * judge_new() - a judge for some checks; checks of other kinds than expect and forbid stay pending
 * @checks: must outlive the judge
 * @count: how many
 *
 * Return: the judge, to be freed with judge_free().
 */
struct judge *judge_new(const struct check *checks, size_t count);

/** judge_free() - accepts NULL */
void judge_free(struct judge *judge);

/** judge_settings() - the detectors' settings in force in the guest; to be called before judge_fault() */
void judge_settings(struct judge *judge, const struct detector_settings *settings);

/**
 * judge_fault() - a fault began (or, in a run without any, the timeline did)
 * @now: guest time in nanoseconds; the deadlines count from the latest fault
 *
 * Events before the first fault meet no expect. A check that silence has decided is open again.
 */
void judge_fault(struct judge *judge, int64_t now);

/**
 * judge_refused() - the kernel refused what was to bring the events: none of the expected ones will come
 * @now: guest time in nanoseconds
 * @reason: in words
 */
void judge_refused(struct judge *judge, int64_t now, const char *reason);

/** judge_event() - something happened; @now as above */
void judge_event(struct judge *judge, const struct hl_event *event, int64_t now);

/** judge_time() - it is now @now: decides what waited for its deadline */
void judge_time(struct judge *judge, int64_t now);

/** judge_next_deadline() - guest time of the next deadline that may decide something, or 0 for none */
int64_t judge_next_deadline(const struct judge *judge);

/** judge_decided() - is every expect and forbid decided? A forbid holds only after its last deadline. */
bool judge_decided(const struct judge *judge);

/**
 * judge_end() - the run is over: what is still pending becomes undecidable, a forbid that held says how long
 * it was watched
 * @why: in words, for the reason
 */
void judge_end(struct judge *judge, const char *why);

/** judge_status() - how check number @index stands */
const struct check_status *judge_status(const struct judge *judge, size_t index);

/** judge_expects_met() - is there an expect, and did all of them come? */
bool judge_expects_met(const struct judge *judge);

/** judge_expects_met_at() - guest time in nanoseconds at which the last of them came; 0 when not all did */
int64_t judge_expects_met_at(const struct judge *judge);

/** judge_expects_kind() - does some check expect an event of this kind? */
bool judge_expects_kind(const struct judge *judge, enum hl_event_kind kind);

#endif
