// SPDX-License-Identifier: GPL-2.0-or-later
/* Settings, wants, the plan of each run, what runs come to and the advice, without a VM. */
#include "sweep/sweep.h"
#include "sweep/sweep_file.h"

#include "base/file.h"
#include "base/units.h"
#include "report/report.h"
#include "scenario/check.h"
#include "scenario/loader.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCENARIO "scenarios/fsfreeze-hung-task.yaml"
#define TIMEOUT	 "kernel.hung_task_timeout_secs"

static void setting_forms(void)
{
	static const char *const bad[] = {"x", "=1", "x=", "x=1,,2", "x=1,1", "@x=1", "a b=1"};
	struct arena arena = {NULL};
	struct sweep_setting settings[2];

	CU_ASSERT_EQUAL(sweep_setting_parse("a.b=1, 2,3", false, &settings[0], &arena, NULL), 0);
	CU_ASSERT_EQUAL(sweep_setting_parse("c=x,y", true, &settings[1], &arena, NULL), 0);
	CU_ASSERT_EQUAL(sweep_point_count(settings, 2), 6);
	CU_ASSERT_STRING_EQUAL(sweep_value(settings, 2, 0, 3), "2");
	CU_ASSERT_STRING_EQUAL(sweep_value(settings, 2, 1, 3), "y");
	CU_ASSERT_STRING_EQUAL(sweep_value(settings, 2, 0, 5), "3");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(sweep_setting_parse(bad[i], false, &settings[0], &arena, NULL), -EINVAL);
	arena_free(&arena);
}

static void want_forms(void)
{
	static const struct {
		const char *text;
		enum want_kind kind;
		double hold, within;
	} good[] = {
		{"detect>60s within 90s", WANT_DETECT, 60.6, 90},
		{" detect > 60s ", WANT_DETECT, 60.6, 0},
		{"silent<30s", WANT_SILENT, 29.7, 0},
		{"panic>1m within 2m", WANT_PANIC, 60.6, 120},
		{"no-panic<30s", WANT_NO_PANIC, 29.7, 0},
		{"quiet", WANT_QUIET, 0, 0},
		{"recover within 5s", WANT_RECOVER, 0, 5},
	};
	static const char *const bad[] = {"",
					  "detect",
					  "detect<60s",
					  "silent>30s",
					  "silent<30",
					  "silent<30s within 5s",
					  "recover",
					  "detect>60s within",
					  "quiet now",
					  "detected>60s",
					  "detect>60s 90s",
					  "detect>-5s"};
	struct want want;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CU_ASSERT_EQUAL_FATAL(want_parse(good[i].text, &want, NULL), 0);
		CU_ASSERT_EQUAL(want.kind, good[i].kind);
		CU_ASSERT_DOUBLE_EQUAL((double)want_hold(&want) / 1e9, good[i].hold, 1e-6);
		CU_ASSERT_DOUBLE_EQUAL((double)want.within / 1e9, good[i].within, 1e-6);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hl_error err = HL_ERROR_INIT;

		CU_ASSERT_EQUAL(want_parse(bad[i], &want, &err), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "detect>60s within 90s"));
	}
}

/* A point with a fault held for good, one of 29.7 s and one of 60.6 s, two runs each. */
static json_t *point_of(double earliest, double latest, int short_reports, int long_reports, int panics,
			double longest)
{
	return json_pack("{s:s, s:f, s:f, s:{s:i, s:i, s:i, s:{s:f, s:f, s:f}, s:{s:f, s:f, s:f}},"
			 " s:[{s:f, s:i, s:i, s:i}, {s:f, s:i, s:i, s:i}], s:{s:f, s:[]}}",
			 "label", "x", "earliest", earliest, "latest", latest, "held", "runs", 2, "reported",
			 2, "panicked", panics, "latency", "min", earliest, "median", longest, "max", longest,
			 "recovery", "min", 0.1, "median", 0.1, "max", 4.0, "holds", "hold", 29.7, "runs", 2,
			 "reported", short_reports, "panicked", panics ? short_reports : 0, "hold", 60.6,
			 "runs", 2, "reported", long_reports, "panicked", panics ? long_reports : 0, "load",
			 "seconds", 5.0, "alarms");
}

static struct want_answer answer_of(const char *text, json_t *point)
{
	struct want_answer answer;
	struct want want;

	CU_ASSERT_EQUAL_FATAL(want_parse(text, &want, NULL), 0);
	want_judge(&want, point, &answer);
	json_decref(point);
	return answer;
}

static void wants_are_judged(void)
{
	struct want_answer answer = answer_of("detect>60s within 90s", point_of(20, 40, 0, 2, 0, 38));

	CU_ASSERT_TRUE(answer.held);
	CU_ASSERT_EQUAL(answer.miss, 0);
	answer = answer_of("detect>60s", point_of(60, 120, 0, 1, 0, 100));
	CU_ASSERT_FALSE(answer.held);
	CU_ASSERT_STRING_EQUAL(answer.reason, "1 of 2 faults of 60.6 s went without a report");
	CU_ASSERT_DOUBLE_EQUAL(answer.miss, 1, 0.01);
	answer = answer_of("detect>60s within 90s", point_of(20, 40, 0, 2, 0, 95));
	CU_ASSERT_STRING_EQUAL(answer.reason, "a report came only after 95.0 s");
	answer = answer_of("silent<30s", point_of(30, 40, 0, 2, 0, 38));
	CU_ASSERT_TRUE(answer.held);
	answer = answer_of("silent<30s", point_of(20, 40, 1, 2, 0, 38));
	CU_ASSERT_STRING_EQUAL(answer.reason, "1 of 2 faults of 29.7 s brought a report");
	answer = answer_of("recover within 3s", point_of(30, 40, 0, 2, 0, 38));
	CU_ASSERT_STRING_EQUAL(answer.reason, "it took up to 4.0 s");
	answer = answer_of("recover within 5s", point_of(30, 40, 0, 2, 1, 38));
	CU_ASSERT_STRING_EQUAL(answer.reason, "the kernel panicked");
	answer = answer_of("quiet", point_of(30, 40, 0, 2, 1, 38));
	CU_ASSERT_TRUE(answer.held);
}

/* A run that did not meet the moment proves nothing: the limits of the detector count too. */
static void limits_count(void)
{
	struct want_answer answer = answer_of("silent<30s", point_of(20, 40, 0, 2, 0, 38));

	CU_ASSERT_FALSE(answer.held);
	CU_ASSERT_STRING_EQUAL(answer.reason, "its sysctls let the detector report from 20 s on");
	answer = answer_of("no-panic<30s", point_of(20, 40, 0, 2, 0, 38));
	CU_ASSERT_TRUE(answer.held);
	answer = answer_of("no-panic<30s", point_of(20, 40, 0, 2, 2, 38));
	CU_ASSERT_FALSE(answer.held);
	answer = answer_of("detect>60s", point_of(60, 120, 0, 2, 0, 61));
	CU_ASSERT_FALSE(answer.held);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer.reason, "up to 120 s, 60 s more than the fault lasts"));
}

static void open_sweep(struct sweep *sweep, const char *values, const char *want, size_t repeat)
{
	struct hl_error err = HL_ERROR_INIT;
	struct plan plan = {0};

	*sweep = (struct sweep){.repeat = repeat, .load = 5 * NANOSECONDS_PER_SECOND};
	arena_append(&sweep->arena, &sweep->settings, &sweep->setting_count, sizeof(*sweep->settings));
	CU_ASSERT_EQUAL_FATAL(sweep_setting_parse(values, false, sweep->settings, &sweep->arena, &err), 0);
	if (want) {
		arena_append(&sweep->arena, &sweep->wants, &sweep->want_count, sizeof(*sweep->wants));
		CU_ASSERT_EQUAL_FATAL(want_parse(want, sweep->wants, &err), 0);
	}
	CU_ASSERT_EQUAL_FATAL(scenario_load(SCENARIO, &plan, &err), 0);
	CU_ASSERT_EQUAL_FATAL(sweep_complete(sweep, &plan, NULL, &err), 0);
	plan_free(&plan);
}

static void plans_of_runs(void)
{
	size_t holds = 0, loads = 0, delayed = 0;
	struct sweep sweep;

	open_sweep(&sweep, TIMEOUT "=10,20", "silent<30s", 2);
	CU_ASSERT_EQUAL(experiment_count(&sweep), 2 * (2 + 2 + 1));
	for (size_t i = 0; i < experiment_count(&sweep); i++) {
		struct experiment experiment = experiment_at(&sweep, i);
		json_t *json = experiment_plan(&sweep, &experiment);
		struct hl_error err = HL_ERROR_INIT;
		struct plan plan = {0};

		CU_ASSERT_EQUAL(experiment.point, i / 5);
		CU_ASSERT_EQUAL_FATAL(plan_load(&plan, json, &err), 0);
		CU_ASSERT_EQUAL(scenario_check(SCENARIO, &plan, &err), 0);
		CU_ASSERT_STRING_EQUAL(result_text(plan.sysctl, TIMEOUT), i < 5 ? "10" : "20");
		CU_ASSERT_EQUAL(plan.seed, 1 + (int64_t)experiment.repeat);
		loads += experiment.kind == EXPERIMENT_LOAD;
		if (experiment.kind == EXPERIMENT_HOLD) {
			holds++;
			CU_ASSERT_EQUAL(plan.steps[1].hold_for, INT64_C(29700000000));
			CU_ASSERT_PTR_NULL(plan.steps[1].until);
		}
		/* Half of the time between its earliest and its latest report, after the 2 s of the scenario.
		 */
		if (experiment.repeat) {
			delayed++;
			CU_ASSERT_EQUAL(plan.steps[0].at, (i < 5 ? 5 : 10) * NANOSECONDS_PER_SECOND);
			CU_ASSERT_EQUAL(plan.steps[1].at, (i < 5 ? 7 : 12) * NANOSECONDS_PER_SECOND);
		}
		plan_free(&plan);
		json_decref(json);
	}
	CU_ASSERT_TRUE(holds == 4 && loads == 2 && delayed == 4);
	sweep_clear(&sweep);
}

static void default_hold(void)
{
	struct sweep sweep;

	open_sweep(&sweep, TIMEOUT "=10,20", NULL, 1);
	CU_ASSERT_EQUAL(sweep.hold_count, 1);
	CU_ASSERT_EQUAL(experiment_hold(&sweep, 0, 0), 5 * NANOSECONDS_PER_SECOND);
	CU_ASSERT_EQUAL(experiment_hold(&sweep, 1, 0), 10 * NANOSECONDS_PER_SECOND);
	sweep_clear(&sweep);
}

static json_t *result_of(double limit, double report)
{
	json_t *result = json_pack("{s:s, s:s, s:[{s:f}], s:{s:[f, f]}, s:[], s:f}", "verdict", "PASS",
				   "kernel", "k", "injections", "injected_at", 10.0, "limits", "hung_task",
				   limit, 2 * limit, "events", "recovery_seconds", 0.5);

	if (report > 0)
		json_array_append_new(json_object_get(result, "events"),
				      json_pack("{s:s, s:f, s:s}", "kind", "hung_task", "time", 10 + report,
						"title", "hung"));
	return result;
}

/* Timeouts of 20 and 60 s: held, 29.7 s, load. */
static json_t *measured_of(const char *want, struct sweep *sweep)
{
	json_t *results = json_array(), *measured;

	open_sweep(sweep, TIMEOUT "=20,60", want, 1);
	json_array_append_new(results, result_of(20, 30));
	json_array_append_new(results, result_of(20, 0));
	json_array_append_new(results, result_of(20, 0));
	json_array_append_new(results, result_of(60, 100));
	json_array_append_new(results, result_of(60, 0));
	json_array_append_new(results, result_of(60, 0));
	measured = measure_sweep(sweep, results);
	advise(sweep, measured);
	json_decref(results);
	return measured;
}

static void advice_is_given(void)
{
	struct sweep sweep;
	json_t *measured = measured_of("silent<30s", &sweep), *advice = json_object_get(measured, "advice");
	const json_t *held = json_object_get(json_array_get(json_object_get(measured, "points"), 1), "held");

	CU_ASSERT_TRUE(json_is_true(json_object_get(advice, "satisfied")));
	CU_ASSERT_STRING_EQUAL(result_text(advice, "point"), TIMEOUT "=60");
	CU_ASSERT_DOUBLE_EQUAL(result_number(json_object_get(held, "latency"), "median"), 100, 1e-6);
	json_decref(measured);
	sweep_clear(&sweep);
}

static void nearest_is_named(void)
{
	struct sweep sweep;
	json_t *measured = measured_of("silent<70s", &sweep), *advice = json_object_get(measured, "advice");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_TRUE(json_is_false(json_object_get(advice, "satisfied")));
	CU_ASSERT_STRING_EQUAL(result_text(advice, "point"), TIMEOUT "=60");
	sweep_print(measured, out);
	fclose(out);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "NONE  no value satisfies every want. Nearest is " TIMEOUT "=60"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "silent<70s: its sysctls let the detector report from 60 s on"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "1/1       30.0     20-40"));
	free(text);
	json_decref(measured);
	sweep_clear(&sweep);
}

/* A report of another kind may be why the one that was waited for did not come. */
static void other_reports_are_named(void)
{
	struct sweep sweep;
	json_t *results = json_array(), *measured, *held = result_of(20, 0);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	open_sweep(&sweep, TIMEOUT "=20", NULL, 1);
	json_object_set_new(held, "events",
			    json_pack("[{s:s, s:f, s:s}, {s:s, s:f, s:s}, {s:s, s:f, s:s}]", "kind",
				      "warning", "time", 9.0, "title", "before the fault", "kind", "stalled",
				      "time", 12.0, "title", "a workload", "kind", "rcu_stall", "time", 34.2,
				      "title", "RCU stall in spin"));
	json_array_append_new(results, held);
	json_array_append_new(results, result_of(20, 0));
	json_array_append_new(results, result_of(20, 0));
	measured = measure_sweep(&sweep, results);
	sweep_print(measured, out);
	fclose(out);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "\n" TIMEOUT "=20: no hung_task, but RCU stall in spin after 24.2 s\n"));
	free(text);
	json_decref(measured);
	json_decref(results);
	sweep_clear(&sweep);
}

static void broken_runs_say_nothing(void)
{
	struct sweep sweep;
	json_t *results = json_array(), *measured;
	const json_t *points;

	open_sweep(&sweep, TIMEOUT "=20", "silent<30s", 1);
	json_array_append_new(results, json_pack("{s:s, s:s}", "verdict", "BROKEN", "reason", "why"));
	json_array_append_new(results, result_of(20, 0));
	json_array_append_new(results, result_of(20, 0));
	measured = measure_sweep(&sweep, results);
	advise(&sweep, measured);
	points = json_object_get(measured, "points");
	CU_ASSERT_STRING_EQUAL(result_text(json_array_get(points, 0), "unknown"), "BROKEN: why");
	CU_ASSERT_PTR_NULL(json_object_get(measured, "advice"));
	json_decref(measured);
	json_decref(results);
	sweep_clear(&sweep);
}

static void refusal(const char *text, const char *expected)
{
	char path[] = "/tmp/hanglab-sweep-XXXXXX";
	struct sweep_file file = {0};
	struct hl_error err = HL_ERROR_INIT;
	int fd = mkstemp(path);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	CU_ASSERT_TRUE(sweep_file_is(path));
	CU_ASSERT_NOT_EQUAL(sweep_file_load(path, &file, &err), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, expected));
	sweep_file_clear(&file);
	unlink(path);
}

static void files(void)
{
	CU_ASSERT_FALSE(sweep_file_is(SCENARIO));
	refusal("sweep: x\nscenario: y.yaml\n", "it tries nothing: it needs sysctl or boot");
	refusal("sweep: x\nscenario: y.yaml\nsysctl: {a: 1}\nwant: [silent]\n", ":4:1: 'silent' is no want");
	refusal("sweep: x\nscenario: y.yaml\nsysctls: {a: 1}\n", "did you mean 'sysctl'");
}

CU_TestInfo sweep_tests[] = {
	{"settings: names and lists of values, and their combinations", setting_forms},
	{"wants: all forms, and messages with the grammar for others", want_forms},
	{"wants are judged by runs", wants_are_judged},
	{"wants are judged by the limits of the detector too", limits_count},
	{"each run has a plan that can be run", plans_of_runs},
	{"without wants a fault of half the limit is tried", default_hold},
	{"the value that satisfies all and reports soonest is recommended", advice_is_given},
	{"when none does, the nearest is named, and why", nearest_is_named},
	{"other reports are named", other_reports_are_named},
	{"a broken run makes its value unknown", broken_runs_say_nothing},
	{"sweep files are checked", files},
	CU_TEST_INFO_NULL,
};
