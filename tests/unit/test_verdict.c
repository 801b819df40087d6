// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/verdict.h"

#include "checks.h"

#include <CUnit/CUnit.h>
#include <string.h>

/** Facts of a run in words of a table; the workload is the writer if not named; "judged" is how the one
 * expect or forbid of the plan stands. */
struct situation {
	const char *what, *checks, *workload;
	enum guest_end end;
	bool not_begun, log_lost, held, violated, recovered, data_known;
	const char *unconfirmed, *not_recovered, *data_problem, *panic, *refused;
	bool bug;
	enum signature signature;
	enum verdict verdict;
	const char *reason;
};

#define EXPECT	  "{'expect': 'hung_task'}"
#define FORBID	  "{'forbid': 'hung_task'}"
#define RECOVERS  "{'recovers': {}}"
#define DATA	  "{'data': 'intact'}"
#define RUNNING	  "{'ends': 'running'}"
#define PANICS	  "{'ends': 'panic'}"
#define WATCHDOG  "{'ends': 'watchdog'}"
#define ALL_RIGHT .held = true, .recovered = true, .data_known = true

static const struct situation situations[] = {
	{"all held", EXPECT "," RECOVERS "," DATA "," RUNNING, ALL_RIGHT, .verdict = VERDICT_PASS,
	 .reason = "every check held"},
	{"nothing came", EXPECT, .violated = true, .verdict = VERDICT_FAIL,
	 .reason = "expect: no such hung_task"},
	{"never decided", EXPECT, .verdict = VERDICT_BROKEN,
	 .reason = "expect: the deadline was not reached"},
	{"unconfirmed though all held", EXPECT, ALL_RIGHT, .unconfirmed = "the fault was not confirmed",
	 .verdict = VERDICT_BROKEN, .reason = "the fault was not confirmed"},
	{"unconfirmed and failed", EXPECT, .violated = true, .unconfirmed = "not confirmed",
	 .verdict = VERDICT_BROKEN, .reason = "not confirmed"},
	{"log lost though all held", EXPECT, ALL_RIGHT, .log_lost = true, .verdict = VERDICT_BROKEN,
	 .reason = "part of the kernel log was lost"},
	{"interrupted", EXPECT, ALL_RIGHT, .end = GUEST_INTERRUPTED, .verdict = VERDICT_BROKEN,
	 .reason = "how it ended"},
	{"broke off", EXPECT, ALL_RIGHT, .end = GUEST_BROKE_OFF, .verdict = VERDICT_BROKEN,
	 .reason = "how it ended"},
	{"died", EXPECT, ALL_RIGHT, .end = GUEST_DIED, .verdict = VERDICT_BROKEN, .reason = "how it ended"},
	{"silent", EXPECT, ALL_RIGHT, .end = GUEST_SILENT, .verdict = VERDICT_BROKEN,
	 .reason = "how it ended"},
	{"not begun", EXPECT, ALL_RIGHT, .not_begun = true, .verdict = VERDICT_BROKEN,
	 .reason = "how it ended"},
	{"panicked before it began", PANICS, .not_begun = true, .end = GUEST_PANICKED,
	 .panic = "panic: early", .verdict = VERDICT_BROKEN, .reason = "how it ended"},
	{"panicked unexpectedly", EXPECT, ALL_RIGHT, .end = GUEST_PANICKED, .panic = "panic: x",
	 .verdict = VERDICT_FAIL, .reason = "the guest panicked: panic: x"},
	{"panicked as expected", EXPECT "," PANICS, .held = true, .end = GUEST_PANICKED, .panic = "panic: x",
	 .verdict = VERDICT_PASS, .reason = "every check held"},
	{"no panic came", PANICS, .verdict = VERDICT_FAIL,
	 .reason = "ends: the guest did not end by a panic"},
	{"the watchdog ended it as expected", WATCHDOG, .end = GUEST_ENDED_BY_WATCHDOG,
	 .verdict = VERDICT_PASS, .reason = "every check held"},
	{"the watchdog ended it unexpectedly", EXPECT "," PANICS, .held = true,
	 .end = GUEST_ENDED_BY_WATCHDOG, .verdict = VERDICT_FAIL, .reason = "how it ended"},
	{"the watchdog did not end it", WATCHDOG, .verdict = VERDICT_FAIL,
	 .reason = "ends: the hardware watchdog did not end the guest"},
	{"a panic is not the watchdog's end", WATCHDOG, .end = GUEST_PANICKED, .panic = "panic: x",
	 .verdict = VERDICT_FAIL, .reason = "the guest panicked: panic: x"},
	{"panicked, the expected event never came", EXPECT "," PANICS, .violated = true,
	 .end = GUEST_PANICKED, .panic = "panic: x", .verdict = VERDICT_FAIL,
	 .reason = "expect: no such hung_task"},
	{"not recovered", EXPECT "," RECOVERS, .held = true, .recovered = true,
	 .not_recovered = "writer is stuck", .verdict = VERDICT_FAIL, .reason = "recovers: writer is stuck"},
	{"recovered with a data problem", EXPECT "," RECOVERS, ALL_RIGHT,
	 .data_problem = "3 records are lost", .verdict = VERDICT_FAIL,
	 .reason = "recovers: 3 records are lost"},
	{"recovery unknown", EXPECT "," RECOVERS, .held = true, .verdict = VERDICT_BROKEN,
	 .reason = "recovers: the guest did not get as far as the recovery"},
	{"data never verified", EXPECT "," RECOVERS, .held = true, .recovered = true,
	 .verdict = VERDICT_BROKEN, .reason = "recovers: the guest did not get as far as the recovery"},
	{"nothing to verify", RECOVERS, .workload = "nested-guest", .recovered = true,
	 .verdict = VERDICT_PASS, .reason = "every check held"},
	{"data lost", DATA, .data_known = true, .data_problem = "fsck failed", .verdict = VERDICT_FAIL,
	 .reason = "data: fsck failed"},
	{"data unknown", DATA, .not_recovered = "writer is stuck", .verdict = VERDICT_BROKEN,
	 .reason = "data: the data could not be verified: writer is stuck"},
	{"the worst check wins: FAIL over BROKEN", EXPECT "," RECOVERS, .not_recovered = "writer is stuck",
	 .verdict = VERDICT_FAIL, .reason = "recovers: writer is stuck"},
	{"the bug is there", EXPECT "," RECOVERS, .bug = true, .held = true, .verdict = VERDICT_FAIL,
	 .reason = "this kernel has the bug", .signature = SIGNATURE_SEEN},
	{"the bug is there, and took the guest with it", EXPECT, .bug = true, .held = true,
	 .end = GUEST_PANICKED, .verdict = VERDICT_FAIL, .reason = "this kernel has the bug",
	 .signature = SIGNATURE_SEEN},
	{"the bug is not there", EXPECT "," RECOVERS, .bug = true, .violated = true, .recovered = true,
	 .data_known = true, .verdict = VERDICT_PASS, .reason = "every check held",
	 .signature = SIGNATURE_ABSENT},
	{"the bug is not there, but something else is", EXPECT "," RECOVERS, .bug = true, .violated = true,
	 .not_recovered = "writer is stuck", .verdict = VERDICT_FAIL, .reason = "recovers: writer is stuck",
	 .signature = SIGNATURE_ABSENT},
	{"the bug is not there, but neither was the fault", EXPECT, .bug = true, .violated = true,
	 .unconfirmed = "not confirmed", .verdict = VERDICT_BROKEN, .reason = "not confirmed",
	 .signature = SIGNATURE_UNKNOWN},
	{"another crash is not the bug", EXPECT, .bug = true, .end = GUEST_PANICKED, .panic = "panic: x",
	 .verdict = VERDICT_FAIL, .reason = "the guest panicked: panic: x", .signature = SIGNATURE_UNKNOWN},
	{"nothing decided about the bug", EXPECT, .bug = true, .verdict = VERDICT_BROKEN,
	 .reason = "expect: the deadline was not reached", .signature = SIGNATURE_UNKNOWN},
	{"refused", EXPECT, .bug = true, .refused = "the kernel refuses step 1", .verdict = VERDICT_PASS,
	 .reason = "every check held", .signature = SIGNATURE_REFUSED},
	{"refused without a bug", EXPECT, .refused = "the kernel refuses step 1", .verdict = VERDICT_FAIL,
	 .reason = "expect: the kernel refuses step 1", .signature = SIGNATURE_REFUSED},
	{"the first of equals gives the reason", FORBID "," DATA, .violated = true, .data_known = true,
	 .data_problem = "fsck failed", .verdict = VERDICT_FAIL, .reason = "forbid: hung_task at"},
};

static void set(char *field, size_t size, const char *text)
{
	snprintf(field, size, "%s", text ? text : "");
}

static struct run_facts make_facts(const struct situation *situation, const struct plan *plan)
{
	struct run_facts facts = {
		.judge = judge_new(plan->checks, plan->check_count),
		.end = situation->end,
		.end_reason = "how it ended",
		.began = !situation->not_begun,
		.log_lost = situation->log_lost,
		.recovery_known = situation->recovered,
		.data_known = situation->data_known,
	};
	bool forbids = strstr(situation->checks, "forbid") != NULL;

	set(facts.unconfirmed, sizeof(facts.unconfirmed), situation->unconfirmed);
	set(facts.not_recovered, sizeof(facts.not_recovered), situation->not_recovered);
	set(facts.data_problem, sizeof(facts.data_problem), situation->data_problem);
	set(facts.refused, sizeof(facts.refused), situation->refused);
	set(facts.first_panic, sizeof(facts.first_panic), situation->panic);
	judge_settings(facts.judge, &checks_settings);
	judge_fault(facts.judge, 1000000000);
	if (situation->refused)
		judge_refused(facts.judge, 2000000000, situation->refused);
	if (forbids ? situation->violated : situation->held)
		checks_feed(facts.judge, HL_EVENT_HUNG_TASK, NULL, 100);
	if (forbids ? situation->held : situation->violated)
		judge_time(facts.judge, 1000000000000);
	judge_end(facts.judge, "it ended");
	return facts;
}

static void test_table(void)
{
	for (size_t i = 0; i < sizeof(situations) / sizeof(situations[0]); i++) {
		const struct situation *situation = &situations[i];
		char json[512], reason[1200] = "";
		struct run_facts facts;
		enum verdict verdict;
		struct plan plan;

		snprintf(json, sizeof(json),
			 "{'scenario': 'x', %s 'timeline': [{'start': '%s'}], 'checks': [%s]}",
			 situation->bug ? "'bug': {'title': 'the fix'}," : "",
			 situation->workload ? situation->workload : "writer", situation->checks);
		plan = checks_plan(json);
		facts = make_facts(situation, &plan);
		verdict = verdict_of_run(&plan, &facts, reason, sizeof(reason));
		if (verdict != situation->verdict ||
		    strncmp(reason, situation->reason, strlen(situation->reason)) != 0) {
			printf("\n    %s: %s: %s", situation->what, verdict_name(verdict), reason);
			CU_FAIL("another verdict or reason");
		}
		if (situation->signature)
			CU_ASSERT_EQUAL(signature_of_run(&plan, &facts), situation->signature);
		judge_free(facts.judge);
		plan_free(&plan);
	}
}

static void test_order(void)
{
	static const enum verdict order[] = {VERDICT_PASS, VERDICT_SKIP, VERDICT_BROKEN, VERDICT_FAIL};

	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++)
			CU_ASSERT_EQUAL(verdict_worse(order[i], order[j]), order[i > j ? i : j]);
}

static void test_exit_codes(void)
{
	CU_ASSERT_EQUAL(verdict_exit_code(VERDICT_PASS), 0);
	CU_ASSERT_EQUAL(verdict_exit_code(VERDICT_FAIL), 1);
	CU_ASSERT_EQUAL(verdict_exit_code(VERDICT_BROKEN), 2);
	CU_ASSERT_EQUAL(verdict_exit_code(VERDICT_SKIP), 77);
	CU_ASSERT_STRING_EQUAL(verdict_name(VERDICT_PASS), "PASS");
	CU_ASSERT_STRING_EQUAL(verdict_name(VERDICT_FAIL), "FAIL");
	CU_ASSERT_STRING_EQUAL(verdict_name(VERDICT_BROKEN), "BROKEN");
	CU_ASSERT_STRING_EQUAL(verdict_name(VERDICT_SKIP), "SKIP");
}

CU_TestInfo verdict_tests[] = {
	{"facts to verdicts", test_table},
	{"the worst wins", test_order},
	{"names and exit codes", test_exit_codes},
	CU_TEST_INFO_NULL,
};
