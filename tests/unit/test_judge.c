// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/judge.h"

#include "checks.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define S NANOSECONDS_PER_SECOND

static struct plan plan;
static struct judge *judge;

/* A judge whose guest has the default settings. */
static void begin(const char *checks)
{
	char json[1024];

	snprintf(json, sizeof(json), "{'scenario': 'sample', 'checks': [%s]}", checks);
	plan = checks_plan(json);
	judge = judge_new(plan.checks, plan.check_count);
	judge_settings(judge, &checks_settings);
}

static void end(void)
{
	judge_free(judge);
	plan_free(&plan);
}

static void check_state(size_t index, enum check_state state, const char *reason)
{
	const struct check_status *status = judge_status(judge, index);

	CU_ASSERT_EQUAL(status->state, state);
	if (!strstr(status->reason, reason))
		printf("\n    check %zu: %s", index, status->reason);
	CU_ASSERT_PTR_NOT_NULL(strstr(status->reason, reason));
}

static void test_expected_event(void)
{
	begin("{'expect': 'hung_task', 'comm': 'writer'}");
	judge_fault(judge, 2 * S);
	CU_ASSERT_FALSE(judge_decided(judge));
	CU_ASSERT_EQUAL(judge_next_deadline(judge), 245 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, "writer", 241.5);
	CU_ASSERT_TRUE(judge_decided(judge));
	check_state(0, CHECK_HELD, "hung_task at 241.500 s");
	CU_ASSERT_EQUAL(judge_status(judge, 0)->at, 2415 * S / 10);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(judge_status(judge, 0)->event, "comm")),
			       "writer");
	CU_ASSERT_EQUAL(judge_next_deadline(judge), 0);
	end();
}

static void test_event_before_fault(void)
{
	begin("{'expect': 'hung_task'}");
	checks_feed(judge, HL_EVENT_HUNG_TASK, "writer", 1);
	check_state(0, CHECK_PENDING, "");
	judge_fault(judge, 2 * S);
	check_state(0, CHECK_PENDING, "");
	judge_time(judge, 246 * S);
	check_state(0, CHECK_VIOLATED, "no such hung_task until 245.000 s, 243.000 s after the fault");
	end();
}

static void test_missing_event(void)
{
	begin("{'expect': 'hung_task', 'comm': 'writer'}");
	judge_fault(judge, 2 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, "kworker", 200);
	judge_time(judge, 245 * S);
	check_state(0, CHECK_PENDING, "");
	judge_time(judge, 245 * S + 1);
	check_state(0, CHECK_VIOLATED, "no such hung_task until 245.000 s");
	check_state(0, CHECK_VIOLATED, "hung_task came, but comm is kworker, not writer");
	/* Too late. */
	checks_feed(judge, HL_EVENT_HUNG_TASK, "writer", 246);
	check_state(0, CHECK_VIOLATED, "no such hung_task");
	end();
}

static void test_late_event(void)
{
	begin("{'expect': 'hung_task', 'within': '10s'}");
	judge_fault(judge, 2 * S);
	CU_ASSERT_EQUAL(judge_next_deadline(judge), 12 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, "writer", 13);
	check_state(0, CHECK_VIOLATED, "until 12.000 s, 10.000 s after the fault");
	end();
}

/* Counted from the injection, not from when it was confirmed. */
static void test_too_early_event(void)
{
	begin("{'expect': 'hung_task', 'not_before': '20s'}");
	judge_fault(judge, 2 * S);
	judge_fault(judge, 3 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, "writer", 21.5);
	check_state(0, CHECK_VIOLATED, "hung_task at 21.500 s, only 19.500 s after the fault, not 20.000 s");
	CU_ASSERT_TRUE(judge_decided(judge));
	end();
	begin("{'expect': 'hung_task', 'not_before': '20s'}");
	judge_fault(judge, 2 * S);
	judge_fault(judge, 3 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, "writer", 22);
	check_state(0, CHECK_HELD, "hung_task at 22.000 s");
	end();
}

static void test_order(void)
{
	begin("{'expect': 'hung_task'}, {'expect': 'panic'}");
	judge_fault(judge, 2 * S);
	checks_feed(judge, HL_EVENT_PANIC, NULL, 3);
	check_state(1, CHECK_PENDING, "");
	checks_feed(judge, HL_EVENT_HUNG_TASK, "a", 4);
	check_state(0, CHECK_HELD, "at 4.000 s");
	checks_feed(judge, HL_EVENT_PANIC, NULL, 5);
	check_state(1, CHECK_HELD, "at 5.000 s");
	end();
}

/* Neighbours of one kind come in any order; what follows them waits for all. */
static void test_group(void)
{
	begin("{'expect': 'hung_task', 'comm': 'a'}, {'forbid': 'oops'}, {'expect': 'hung_task', 'comm': "
	      "'b'}, {'expect': 'panic'}");
	judge_fault(judge, 2 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, "b", 3);
	check_state(2, CHECK_HELD, "at 3.000 s");
	checks_feed(judge, HL_EVENT_PANIC, NULL, 4);
	check_state(3, CHECK_PENDING, "");
	checks_feed(judge, HL_EVENT_HUNG_TASK, "a", 5);
	check_state(0, CHECK_HELD, "at 5.000 s");
	checks_feed(judge, HL_EVENT_PANIC, NULL, 6);
	check_state(3, CHECK_HELD, "at 6.000 s");
	end();
}

/* One event meets one expect. */
static void test_equal_expects(void)
{
	begin("{'expect': 'hung_task'}, {'expect': 'hung_task'}");
	judge_fault(judge, 2 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, "a", 3);
	check_state(0, CHECK_HELD, "");
	check_state(1, CHECK_PENDING, "");
	CU_ASSERT_FALSE(judge_decided(judge));
	checks_feed(judge, HL_EVENT_HUNG_TASK, "a", 4);
	check_state(1, CHECK_HELD, "at 4.000 s");
	end();
}

static void test_forbid(void)
{
	begin("{'forbid': ['panic', 'soft_lockup']}");
	judge_fault(judge, 2 * S);
	judge_time(judge, 57 * S);
	CU_ASSERT_FALSE(judge_decided(judge));
	judge_time(judge, 57 * S + 1);
	CU_ASSERT_TRUE(judge_decided(judge));
	check_state(0, CHECK_HELD, "none came until 57.000 s");
	/* The latest of the deadlines counts, and one that comes after it is still one too many. */
	checks_feed(judge, HL_EVENT_HUNG_TASK, NULL, 60);
	check_state(0, CHECK_HELD, "");
	checks_feed(judge, HL_EVENT_SOFT_LOCKUP, NULL, 70);
	check_state(0, CHECK_VIOLATED, "soft_lockup at 70.000 s");
	checks_feed(judge, HL_EVENT_PANIC, NULL, 80);
	check_state(0, CHECK_VIOLATED, "soft_lockup at 70.000 s");
	end();
}

static void test_forbid_before_fault(void)
{
	begin("{'forbid': 'oops'}");
	checks_feed(judge, HL_EVENT_OOPS, NULL, 1);
	check_state(0, CHECK_VIOLATED, "oops at 1.000 s");
	end();
}

static void test_forbid_of_a_task(void)
{
	begin("{'forbid': 'hung_task', 'comm': 'kworker*'}");
	judge_fault(judge, 2 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, "writer", 3);
	check_state(0, CHECK_PENDING, "");
	checks_feed(judge, HL_EVENT_HUNG_TASK, "kworker/0:1", 4);
	check_state(0, CHECK_VIOLATED, "at 4.000 s");
	end();
}

/* Another fault after the deadline of the first: silence must last anew. */
static void test_second_fault(void)
{
	begin("{'forbid': 'soft_lockup'}, {'expect': 'rcu_stall'}");
	judge_fault(judge, 2 * S);
	judge_time(judge, 100 * S);
	check_state(0, CHECK_HELD, "");
	check_state(1, CHECK_VIOLATED, "");
	judge_fault(judge, 200 * S);
	check_state(0, CHECK_PENDING, "");
	check_state(1, CHECK_PENDING, "");
	CU_ASSERT_FALSE(judge_decided(judge));
	checks_feed(judge, HL_EVENT_RCU_STALL, NULL, 210);
	judge_time(judge, 256 * S);
	check_state(0, CHECK_HELD, "none came until 255.000 s");
	check_state(1, CHECK_HELD, "at 210.000 s");
	/* What an event has decided stays. */
	judge_fault(judge, 300 * S);
	check_state(1, CHECK_HELD, "at 210.000 s");
	end();
}

static void test_detector_off(void)
{
	const struct detector_settings off = {0, 0, 10, 1, 21, 30, 0, 0, 0};

	begin("{'expect': 'hung_task'}, {'forbid': ['soft_lockup', 'hung_task']}, {'expect': 'hung_task', "
	      "'within': '5s'}");
	judge_settings(judge, &off);
	judge_fault(judge, 2 * S);
	check_state(0, CHECK_UNDECIDABLE, "the detector of hung_task is off in the guest");
	check_state(1, CHECK_UNDECIDABLE, "the detector of hung_task is off in the guest");
	check_state(2, CHECK_PENDING, "");
	end();
}

static void test_end_before_deadline(void)
{
	begin("{'expect': 'hung_task'}, {'forbid': 'soft_lockup'}, {'forbid': 'oops'}, {'recovers': {}}");
	judge_fault(judge, 2 * S);
	checks_feed(judge, HL_EVENT_HUNG_TASK, NULL, 20);
	judge_end(judge, "the guest died");
	check_state(0, CHECK_HELD, "");
	check_state(1, CHECK_UNDECIDABLE, "the deadline was not reached: the guest died");
	check_state(2, CHECK_HELD, "none came until 20.000 s, in 18.000 s of watching");
	check_state(3, CHECK_PENDING, "");
	CU_ASSERT_TRUE(judge_decided(judge));
	end();
}

/* Without a fault nothing is decided, however long it takes. */
static void test_no_fault(void)
{
	begin("{'expect': 'hung_task'}, {'forbid': 'soft_lockup'}");
	judge_time(judge, 100000 * S);
	CU_ASSERT_FALSE(judge_decided(judge));
	CU_ASSERT_EQUAL(judge_next_deadline(judge), 0);
	judge_end(judge, "the run ended");
	check_state(0, CHECK_UNDECIDABLE, "the run ended");
	check_state(1, CHECK_UNDECIDABLE, "the run ended");
	end();
}

static void test_kinds(void)
{
	begin("{'expect': 'panic'}, {'data': 'intact'}, {'ends': 'panic'}, {'recovers': {'within': '1s'}}, "
	      "{'expect': 'oops', 'forbid': 'bug'}, {}");
	CU_ASSERT_EQUAL(check_kind(&plan.checks[0]), CHECK_EXPECT);
	CU_ASSERT_EQUAL(check_kind(&plan.checks[1]), CHECK_DATA);
	CU_ASSERT_EQUAL(check_kind(&plan.checks[2]), CHECK_ENDS);
	CU_ASSERT_EQUAL(check_kind(&plan.checks[3]), CHECK_RECOVERS);
	CU_ASSERT_EQUAL(check_kind(&plan.checks[4]), CHECK_KIND_COUNT);
	CU_ASSERT_EQUAL(check_kind(&plan.checks[5]), CHECK_KIND_COUNT);
	CU_ASSERT_TRUE(judge_expects_kind(judge, HL_EVENT_PANIC));
	CU_ASSERT_FALSE(judge_expects_kind(judge, HL_EVENT_OOPS));
	end();
}

CU_TestInfo judge_tests[] = {
	{"the expected event", test_expected_event},
	{"an event before the fault reproduces nothing", test_event_before_fault},
	{"absent only after the deadline", test_missing_event},
	{"an event after its own limit", test_late_event},
	{"an event sooner than it can be", test_too_early_event},
	{"expects in order", test_order},
	{"expects of one kind in any order", test_group},
	{"one event meets one expect", test_equal_expects},
	{"forbid holds after the last deadline", test_forbid},
	{"forbid also before the fault", test_forbid_before_fault},
	{"forbid of certain tasks", test_forbid_of_a_task},
	{"deadlines count from the latest fault", test_second_fault},
	{"a detector that is off", test_detector_off},
	{"an end before the deadline", test_end_before_deadline},
	{"without a fault nothing is decided", test_no_fault},
	{"kinds of checks", test_kinds},
	CU_TEST_INFO_NULL,
};
