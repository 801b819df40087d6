/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_VERDICT_H
#define HANGLAB_RUN_VERDICT_H

#include "checkers/judge.h"
#include "inject/plan.h"

enum verdict { VERDICT_PASS, VERDICT_SKIP, VERDICT_BROKEN, VERDICT_FAIL };

/** verdict_name() - "PASS" ... */
const char *verdict_name(enum verdict verdict);

/** verdict_exit_code() - 0, 77, 2, 1 */
int verdict_exit_code(enum verdict verdict);

/** verdict_worse() - of two: FAIL over BROKEN over SKIP over PASS */
enum verdict verdict_worse(enum verdict a, enum verdict b);

/** How the guest ended. */
enum guest_end {
	GUEST_ENDED_BY_PLAN,
	GUEST_PANICKED,
	GUEST_ENDED_BY_WATCHDOG,
	GUEST_DIED,
	GUEST_SILENT,
	GUEST_BROKE_OFF,
	GUEST_INTERRUPTED
};

/**
 * struct run_facts - what a run found out, all that the verdict depends on
 * @judge: decided expect and forbid
 * @end: how the guest ended
 * @end_reason: in words
 * @began: the timeline had begun
 * @log_lost: records of the kernel log or messages are missing
 * @unconfirmed: the first injection that was not confirmed or whose release was not, in words; or empty
 * @not_recovered: the first workload that did not move again, in words; or empty
 * @data_problem: the first fsck or verification that failed, in words; or empty
 * @refused: the kernel refused a step as the scenario names it, in words; or empty
 * @recovery_known, @data_known: the guest got as far as saying so
 * @first_panic: title of the panic event, or empty
 */
struct run_facts {
	struct judge *judge;
	enum guest_end end;
	char end_reason[1200];
	bool began, log_lost;
	char unconfirmed[600], not_recovered[300], data_problem[600], first_panic[300], refused[500];
	bool recovery_known, data_known;
};

/**
 * struct check_result - verdict of one check
 */
struct check_result {
	enum verdict verdict;
	char reason[700];
};

/**
 * enum signature - did all that the scenario expects come?
 * @SIGNATURE_NONE: it expects nothing
 * @SIGNATURE_UNKNOWN: the run does not say: a fault was not confirmed, a deadline not reached ...
 * @SIGNATURE_SEEN: yes
 * @SIGNATURE_ABSENT: no, until the deadline, with every fault confirmed
 * @SIGNATURE_REFUSED: no, the kernel refuses what would bring it, as the scenario names it
 */
enum signature { SIGNATURE_NONE, SIGNATURE_UNKNOWN, SIGNATURE_SEEN, SIGNATURE_ABSENT, SIGNATURE_REFUSED };

/** signature_name() - "none" ... */
const char *signature_name(enum signature signature);

/** signature_of_run() - what became of the expects */
enum signature signature_of_run(const struct plan *plan, const struct run_facts *facts);

/**
 * health_of_run() - how everything else than the expects stands
 * @reason: receives why, at least 1200 bytes
 */
enum verdict health_of_run(const struct plan *plan, const struct run_facts *facts, char *reason, size_t size);

/** verdict_of_check() - verdict of check number @index of the plan */
struct check_result verdict_of_check(const struct plan *plan, const struct run_facts *facts, size_t index);

/**
 * verdict_of_run() - the verdict
 * @reason: receives why, at least 1200 bytes
 *
 * A fault that was not confirmed, a log that was cut or a guest that broke off say nothing about the
 * kernel: BROKEN, whatever the checks say. Of a scenario with a bug: FAIL when the bug's signature was seen.
 */
enum verdict verdict_of_run(const struct plan *plan, const struct run_facts *facts, char *reason,
			    size_t size);

/** verdict_ended_unexpectedly() - by a panic or the hardware watchdog, and no check of the plan expects that?
 */
bool verdict_ended_unexpectedly(const struct plan *plan, const struct run_facts *facts);

#endif
