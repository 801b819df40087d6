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
	bool panicked = facts->end == GUEST_PANICKED;

	if (check->ends == CHECK_END_PANIC)
		return result(panicked ? VERDICT_PASS : VERDICT_FAIL, "%s",
			      panicked ? facts->end_reason : "the guest did not end by a panic");
	return result(facts->end == GUEST_ENDED_BY_PLAN ? VERDICT_PASS : VERDICT_FAIL, "%s",
		      facts->end_reason);
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
	default:
		return judged(judge_status(facts->judge, index));
	}
}

bool verdict_expects_panic(const struct plan *plan, const struct run_facts *facts)
{
	for (size_t i = 0; i < plan->check_count; i++)
		if (check_kind(&plan->checks[i]) == CHECK_ENDS && plan->checks[i].ends == CHECK_END_PANIC)
			return true;
	return judge_expects_kind(facts->judge, HL_EVENT_PANIC) ||
	       judge_expects_kind(facts->judge, HL_EVENT_CLOCK_WATCHDOG);
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

enum verdict verdict_of_run(const struct plan *plan, const struct run_facts *facts, char *reason, size_t size)
{
	const char *broken = broken_reason(facts);
	enum verdict worst = VERDICT_PASS;

	snprintf(reason, size, "every check held");
	if (broken[0]) {
		snprintf(reason, size, "%s", broken);
		return VERDICT_BROKEN;
	}
	if (facts->end == GUEST_PANICKED && !verdict_expects_panic(plan, facts)) {
		snprintf(reason, size, "the guest panicked: %s",
			 facts->first_panic[0] ? facts->first_panic : facts->end_reason);
		return VERDICT_FAIL;
	}
	for (size_t i = 0; i < plan->check_count; i++) {
		struct check_result check = verdict_of_check(plan, facts, i);

		if (verdict_worse(worst, check.verdict) == worst)
			continue;
		worst = check.verdict;
		snprintf(reason, size, "%s: %s", check_kind_names[check_kind(&plan->checks[i])],
			 check.reason);
	}
	return worst;
}
