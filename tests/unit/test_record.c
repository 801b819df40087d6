// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/record.h"

#include "checkers/judge.h"
#include "checks.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define S NANOSECONDS_PER_SECOND

#define PLAN                                                                                                 \
	"{'scenario': 'sample', %s 'timeline': [{'trigger': 'true'}, {'inject': 'vm-pause'}], "              \
	"'checks': [{'expect': 'hung_task'}]}"
#define BUG "'bug': {'title': 'a fix'},"

/**
 * struct course - of a run with two steps
 * @bug: what is expected is the signature of a bug
 * @second_begins: seconds of guest time
 * @reported: the hung task, the same; 0: never
 */
struct course {
	bool bug;
	int64_t second_begins, reported;
};

static void begin_step(struct record *record, int step, const char *injector, int64_t seconds)
{
	json_t *message = json_pack("{s:s, s:s, s:I}", "state", "injecting", "injector", injector, "ns",
				    (json_int_t)(seconds * S));

	record_injection(record, (size_t)step, message);
	json_decref(message);
}

/* Nothing but the report confirms the steps. Return: the result; @unconfirmed: as in struct run_facts. */
static json_t *record_course(const struct course *course, char *unconfirmed, size_t size)
{
	static const struct run_preparation nothing;
	char json[512];
	struct run_facts facts = {.began = true};
	struct record *record;
	struct plan plan;
	json_t *result;

	snprintf(json, sizeof(json), PLAN, course->bug ? BUG : "");
	plan = checks_plan(json);
	record = record_new(&plan, &nothing);
	facts.judge = judge_new(plan.checks, plan.check_count);
	judge_settings(facts.judge, &checks_settings);
	begin_step(record, 0, "trigger", 2);
	judge_fault(facts.judge, 2 * S);
	begin_step(record, 1, "vm-pause", course->second_begins);
	if (course->reported)
		checks_feed(facts.judge, HL_EVENT_HUNG_TASK, NULL, (double)course->reported);
	record_signature(record, &plan, facts.judge);
	record_unconfirmed(record, &plan, &facts);
	snprintf(unconfirmed, size, "%s", facts.unconfirmed);
	result = record_finish(record, &plan, &facts, VERDICT_FAIL, "", 1, 0);
	judge_free(facts.judge);
	plan_free(&plan);
	return result;
}

static bool is_confirmed(const json_t *result, size_t injection)
{
	return json_is_true(json_object_get(json_array_get(json_object_get(result, "injections"), injection),
					    "confirmed"));
}

/* A bug's signature proves the steps that began before it came; all else needs a proof of its own. */
static void signature_is_proof(void)
{
	static const struct {
		struct course course;
		bool first, second;
		const char *unconfirmed;
	} cases[] = {
		{{.bug = true, .second_begins = 3, .reported = 9}, true, true, ""},
		/* The bug was seen before: the verdict does not hang on what began afterwards. */
		{{.bug = true, .second_begins = 12, .reported = 9}, true, false, ""},
		{{.bug = true, .second_begins = 3},
		 false,
		 false,
		 "the fault of the trigger true was not confirmed"},
		{{.second_begins = 3, .reported = 9},
		 false,
		 false,
		 "the fault of the trigger true was not confirmed"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char unconfirmed[600];
		json_t *result = record_course(&cases[i].course, unconfirmed, sizeof(unconfirmed));

		CU_ASSERT_EQUAL(is_confirmed(result, 0), cases[i].first);
		CU_ASSERT_EQUAL(is_confirmed(result, 1), cases[i].second);
		CU_ASSERT_STRING_EQUAL(unconfirmed, cases[i].unconfirmed);
		json_decref(result);
	}
}

CU_TestInfo record_tests[] = {
	{"a bug's signature is proof of what began before it", signature_is_proof},
	CU_TEST_INFO_NULL,
};
