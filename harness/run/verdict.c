// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/verdict.h"

#include <string.h>

/* Ordered so that the worse of two is the larger. */
static const struct {
	const char *name;
	int exit_code;
} verdicts[] = {
	[VERDICT_PASS] = {"PASS", 0},
	[VERDICT_SKIP] = {"SKIP", 77},
	[VERDICT_BROKEN] = {"BROKEN", 2},
	[VERDICT_FAIL] = {"FAIL", 1},
};

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict].name;
}

int verdict_exit_code(enum verdict verdict)
{
	return verdicts[verdict].exit_code;
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

static struct check_result result(enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct check_result result(enum verdict verdict, const char *format, ...)
{
	struct check_result made = {.verdict = verdict};
	va_list args;

	va_start(args, format);
	vsnprintf(made.reason, sizeof(made.reason), format, args);
	va_end(args);
	return made;
}

static struct check_result judged(const struct check_status *status)
{
	static const enum verdict by_state[] = {
		[CHECK_PENDING] = VERDICT_BROKEN,
		[CHECK_HELD] = VERDICT_PASS,
		[CHECK_VIOLATED] = VERDICT_FAIL,
		[CHECK_UNDECIDABLE] = VERDICT_BROKEN,
	};

	return result(by_state[status->state], "%s",
		      status->reason[0] ? status->reason : "it was never decided");
}

static struct check_result check_recovery(const struct plan *plan, const struct run_facts *facts)
{
	bool verifies = plan_verifies(plan);

	if (facts->not_recovered[0])
		return result(VERDICT_FAIL, "%s", facts->not_recovered);
	if (!facts->recovery_known || (verifies && !facts->data_known))
		return result(VERDICT_BROKEN, "the guest did not get as far as the recovery");
	if (facts->data_problem[0])
		return result(VERDICT_FAIL, "%s", facts->data_problem);
	return result(VERDICT_PASS, "every workload moves again%s",
		      verifies ? ", fsck is clean, acknowledged data is intact" : "");
}

static struct check_result check_data(const struct run_facts *facts)
{
	if (facts->data_problem[0])
		return result(VERDICT_FAIL, "%s", facts->data_problem);
	if (!facts->data_known)
		return result(VERDICT_BROKEN, "the data could not be verified%s%s",
			      facts->not_recovered[0] ? ": " : "", facts->not_recovered);
	return result(VERDICT_PASS, "fsck is clean, acknowledged data is intact");
}

static struct check_result check_end(const struct check *check, const struct run_facts *facts)
{
	static const struct {
		enum guest_end end;
		const char *otherwise;
	} ends[] = {
		[CHECK_END_RUNNING] = {GUEST_ENDED_BY_PLAN, NULL},
		[CHECK_END_PANIC] = {GUEST_PANICKED, "the guest did not end by a panic"},
		[CHECK_END_WATCHDOG] = {GUEST_ENDED_BY_WATCHDOG,
					"the hardware watchdog did not end the guest"},
	};
	bool holds = facts->end == ends[check->ends].end;
	const char *otherwise = ends[check->ends].otherwise;

	return result(holds ? VERDICT_PASS : VERDICT_FAIL, "%s",
		      holds || !otherwise ? facts->end_reason : otherwise);
}

/* The expects of a scenario with a bug are the bug's signature: it is there when all of them came. */
static struct check_result check_signature(const struct run_facts *facts, const struct check_status *status)
{
	struct check_result judgement = judged(status);

	if (judge_expects_met(facts->judge))
		judgement.verdict = VERDICT_FAIL;
	else if (judgement.verdict == VERDICT_FAIL || judgement.verdict == VERDICT_PASS)
		judgement.verdict = VERDICT_PASS;
	return judgement;
}

struct check_result verdict_of_check(const struct plan *plan, const struct run_facts *facts, size_t index)
{
	const struct check *check = &plan->checks[index];

	switch (check_kind(check)) {
	case CHECK_RECOVERS:
		return check_recovery(plan, facts);
	case CHECK_DATA:
		return check_data(facts);
	case CHECK_ENDS:
		return check_end(check, facts);
	case CHECK_EXPECT:
		return plan->bug ? check_signature(facts, judge_status(facts->judge, index))
				 : judged(judge_status(facts->judge, index));
	default:
		return judged(judge_status(facts->judge, index));
	}
}

static bool demands_end(const struct plan *plan, enum check_end end)
{
	for (size_t i = 0; i < plan->check_count; i++)
		if (check_kind(&plan->checks[i]) == CHECK_ENDS && plan->checks[i].ends == (int)end)
			return true;
	return false;
}

static bool expects_panic(const struct plan *plan, const struct run_facts *facts)
{
	return demands_end(plan, CHECK_END_PANIC) || judge_expects_kind(facts->judge, HL_EVENT_PANIC) ||
	       judge_expects_kind(facts->judge, HL_EVENT_CLOCK_WATCHDOG);
}

bool verdict_ended_unexpectedly(const struct plan *plan, const struct run_facts *facts)
{
	if (facts->end == GUEST_ENDED_BY_WATCHDOG)
		return !demands_end(plan, CHECK_END_WATCHDOG);
	return facts->end == GUEST_PANICKED && !expects_panic(plan, facts);
}

/* What makes a run say nothing at all; empty when it says something. */
static const char *broken_reason(const struct run_facts *facts)
{
	if (facts->end == GUEST_INTERRUPTED || facts->end == GUEST_BROKE_OFF || facts->end == GUEST_DIED ||
	    facts->end == GUEST_SILENT || !facts->began)
		return facts->end_reason;
	if (facts->unconfirmed[0])
		return facts->unconfirmed;
	return facts->log_lost ? "part of the kernel log was lost" : "";
}

const char *signature_name(enum signature signature)
{
	static const char *const names[] = {
		[SIGNATURE_NONE] = "none",     [SIGNATURE_UNKNOWN] = "unknown", [SIGNATURE_SEEN] = "seen",
		[SIGNATURE_ABSENT] = "absent", [SIGNATURE_REFUSED] = "refused",
	};

	return names[signature];
}

static bool expects_decided(const struct plan *plan, const struct run_facts *facts)
{
	for (size_t i = 0; i < plan->check_count; i++) {
		enum check_state state = judge_status(facts->judge, i)->state;

		if (check_kind(&plan->checks[i]) == CHECK_EXPECT && state != CHECK_HELD &&
		    state != CHECK_VIOLATED)
			return false;
	}
	return true;
}

enum signature signature_of_run(const struct plan *plan, const struct run_facts *facts)
{
	if (!plan_has_check(plan, CHECK_EXPECT))
		return SIGNATURE_NONE;
	if (!facts->began || facts->unconfirmed[0])
		return SIGNATURE_UNKNOWN;
	if (judge_expects_met(facts->judge))
		return SIGNATURE_SEEN;
	if (broken_reason(facts)[0] || verdict_ended_unexpectedly(plan, facts) ||
	    !expects_decided(plan, facts))
		return SIGNATURE_UNKNOWN;
	return facts->refused[0] ? SIGNATURE_REFUSED : SIGNATURE_ABSENT;
}

/* The worst of the checks, with its reason; @expects: also those that expect something. */
static enum verdict worst_check(const struct plan *plan, const struct run_facts *facts, bool expects,
				char *reason, size_t size)
{
	enum verdict worst = VERDICT_PASS;

	snprintf(reason, size, "every check held");
	for (size_t i = 0; i < plan->check_count; i++) {
		enum check_kind kind = check_kind(&plan->checks[i]);
		struct check_result check = verdict_of_check(plan, facts, i);

		if ((kind == CHECK_EXPECT && !expects) || verdict_worse(worst, check.verdict) == worst)
			continue;
		worst = check.verdict;
		snprintf(reason, size, "%s: %s", check_kind_names[kind], check.reason);
	}
	return worst;
}

static enum verdict judge_run(const struct plan *plan, const struct run_facts *facts, bool expects,
			      char *reason, size_t size)
{
	const char *broken = broken_reason(facts);

	if (broken[0]) {
		snprintf(reason, size, "%s", broken);
		return VERDICT_BROKEN;
	}
	if (verdict_ended_unexpectedly(plan, facts)) {
		if (facts->end == GUEST_ENDED_BY_WATCHDOG)
			snprintf(reason, size, "%s", facts->end_reason);
		else
			snprintf(reason, size, "the guest panicked: %s",
				 facts->first_panic[0] ? facts->first_panic : facts->end_reason);
		return VERDICT_FAIL;
	}
	return worst_check(plan, facts, expects, reason, size);
}

enum verdict health_of_run(const struct plan *plan, const struct run_facts *facts, char *reason, size_t size)
{
	return judge_run(plan, facts, false, reason, size);
}

enum verdict verdict_of_run(const struct plan *plan, const struct run_facts *facts, char *reason, size_t size)
{
	if (plan->bug && signature_of_run(plan, facts) == SIGNATURE_SEEN) {
		snprintf(reason, size, "this kernel has the bug that \"%s\" fixes", plan->bug->title);
		return VERDICT_FAIL;
	}
	return judge_run(plan, facts, true, reason, size);
}
