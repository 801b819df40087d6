// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweep/sweep.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** struct values - numbers whose least, middle and largest are wanted */
struct values {
	double *values;
	size_t count;
};

static void add_value(struct values *values, double value)
{
	double *larger = reallocarray(values->values, values->count + 1, sizeof(*larger));

	if (!larger)
		abort();
	values->values = larger;
	larger[values->count++] = value;
}

static int by_size(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

/* Nothing when there are none. Frees them. */
static void put_spread(json_t *object, const char *key, struct values *values)
{
	const double *v = values->values;
	size_t n = values->count;

	if (n) {
		qsort(values->values, n, sizeof(*values->values), by_size);
		json_object_set_new(object, key,
				    json_pack("{s:f, s:f, s:f}", "min", v[0], "median",
					      (v[(n - 1) / 2] + v[n / 2]) / 2, "max", v[n - 1]));
	}
	free(values->values);
	*values = (struct values){0};
}

/* ---- one run ---- */

/**
 * struct observation - what a run says
 * @reports: events of the detector's kind
 * @latency: seconds from the fault to the first of them
 */
struct observation {
	size_t reports;
	bool panicked;
	double latency;
};

static double fault_began(const json_t *result)
{
	return result_number(json_array_get(json_object_get(result, "injections"), 0), "injected_at");
}

static struct observation observe(const json_t *result, int event_kind)
{
	struct observation seen = {0};
	double began = fault_began(result);
	const json_t *event;
	size_t i;

	json_array_foreach (json_object_get(result, "events"), i, event) {
		const char *kind = result_text(event, "kind");

		seen.panicked |= !strcmp(kind, "panic");
		if (strcmp(kind, event_kind_names[event_kind]) != 0 || result_number(event, "time") < began)
			continue;
		if (!seen.reports++)
			seen.latency = result_number(event, "time") - began;
	}
	return seen;
}

static bool is_alarm(const json_t *event)
{
	return strcmp(result_text(event, "kind"), event_kind_names[HL_EVENT_STALLED]) != 0;
}

/* What the kernel reported first after the fault; NULL for nothing. */
static json_t *first_report(const json_t *result)
{
	double began = fault_began(result);
	const json_t *event;
	size_t i;

	json_array_foreach (json_object_get(result, "events"), i, event)
		if (is_alarm(event) && result_number(event, "time") >= began)
			return json_sprintf("%s after %.1f s", result_text(event, "title"),
					    result_number(event, "time") - began);
	return NULL;
}

/* "Unknown kernel command line parameters" since 5.13 (init/main.c); before, nobody says so. */
static bool boot_parameter_unknown(const json_t *result, const char *name)
{
	cleanup_free char *path = file_path("%s/kmsg.log", result_text(result, "folder")), *text = NULL;
	const char *message, *found;

	if (!result_text(result, "folder")[0] || file_read(path, &text, NULL, NULL))
		return false;
	message = strstr(text, "Unknown kernel command line parameters");
	found = message ? strstr(message, name) : NULL;
	return found && found < message + strcspn(message, "\n") && found[strlen(name)] == '=';
}

/* Why a run says nothing about its point, or "". @text: 400 bytes. */
static void find_problem(const struct sweep *sweep, const json_t *result, char *text)
{
	const char *verdict = result_text(result, "verdict");

	text[0] = '\0';
	if (!strcmp(verdict, "BROKEN") || !strcmp(verdict, "SKIP"))
		snprintf(text, 400, "%s: %.380s", verdict, result_text(result, "reason"));
	for (size_t i = 0; !text[0] && i < sweep->setting_count; i++)
		if (sweep->settings[i].boot && boot_parameter_unknown(result, sweep->settings[i].name))
			snprintf(text, 400, "this kernel has no boot parameter %.200s",
				 sweep->settings[i].name);
}

/* ---- a group of runs that differ only in when the fault began ---- */

static bool belongs(const struct experiment *experiment, size_t point, enum experiment_kind kind, size_t hold)
{
	return experiment->point == point && experiment->kind == kind && experiment->hold == hold;
}

static json_t *measure_group(const struct sweep *sweep, const json_t *results, size_t point,
			     enum experiment_kind kind, size_t hold)
{
	size_t runs = 0, reported = 0, panicked = 0, reports = 0, index;
	struct values latency = {0}, recovery = {0};
	json_t *group, *others = json_array();
	const json_t *result;

	json_array_foreach (results, index, result) {
		struct experiment experiment = experiment_at(sweep, index);
		struct observation seen;

		if (!belongs(&experiment, point, kind, hold))
			continue;
		seen = observe(result, sweep->event);
		runs++;
		reported += seen.reports > 0;
		panicked += seen.panicked;
		reports += seen.reports;
		if (seen.reports)
			add_value(&latency, seen.latency);
		else
			json_array_append_new(others, first_report(result));
		if (json_object_get(result, "recovery_seconds"))
			add_value(&recovery, result_number(result, "recovery_seconds"));
	}
	group = json_pack("{s:I, s:I, s:I, s:I, s:o}", "runs", (json_int_t)runs, "reported",
			  (json_int_t)reported, "panicked", (json_int_t)panicked, "reports",
			  (json_int_t)reports, "others", others);
	put_spread(group, "latency", &latency);
	put_spread(group, "recovery", &recovery);
	return group;
}

static json_t *measure_holds(const struct sweep *sweep, const json_t *results, size_t point)
{
	json_t *holds = json_array();

	for (size_t i = 0; i < sweep->hold_count; i++) {
		json_t *group = measure_group(sweep, results, point, EXPERIMENT_HOLD, i);

		json_object_set_new(group, "hold", json_real((double)experiment_hold(sweep, point, i) / 1e9));
		json_array_append_new(holds, group);
	}
	return holds;
}

static json_t *measure_load(const struct sweep *sweep, const json_t *results, size_t point)
{
	json_t *alarms = json_array();
	const json_t *result, *event;
	size_t index, i;

	json_array_foreach (results, index, result) {
		struct experiment experiment = experiment_at(sweep, index);

		if (!belongs(&experiment, point, EXPERIMENT_LOAD, 0))
			continue;
		json_array_foreach (json_object_get(result, "events"), i, event)
			if (is_alarm(event))
				json_array_append_new(alarms, json_string(result_text(event, "title")));
	}
	return json_pack("{s:f, s:o}", "seconds", (double)sweep->load / 1e9, "alarms", alarms);
}

/* ---- a point ---- */

static void put_settings(const struct sweep *sweep, size_t point, json_t *measured)
{
	json_t *values = json_object();
	char label[400] = "";
	size_t length = 0;

	for (size_t i = 0; i < sweep->setting_count; i++) {
		const char *value = sweep_value(sweep->settings, sweep->setting_count, i, point);

		json_object_set_new(values, sweep->settings[i].name, json_string(value));
		length += (size_t)snprintf(label + length, sizeof(label) - length, "%s%s=%s", i ? " " : "",
					   sweep->settings[i].name, value);
		if (length >= sizeof(label))
			length = sizeof(label) - 1;
	}
	json_object_set_new(measured, "settings", values);
	json_object_set_new(measured, "label", json_string(label));
}

static void put_limits(const struct sweep *sweep, const json_t *result, json_t *measured)
{
	const json_t *limits =
		json_object_get(json_object_get(result, "limits"), event_kind_names[sweep->event]);

	if (!limits)
		return;
	json_object_set(measured, "earliest", json_array_get(limits, 0));
	json_object_set(measured, "latest", json_array_get(limits, 1));
}

static void put_problem(const struct sweep *sweep, const json_t *results, size_t point, json_t *measured)
{
	const json_t *result;
	char problem[400];
	size_t index;

	json_array_foreach (results, index, result) {
		if (experiment_at(sweep, index).point != point)
			continue;
		find_problem(sweep, result, problem);
		if (problem[0] && !json_object_get(measured, "unknown")) {
			json_object_set_new(measured, "unknown", json_string(problem));
			json_object_set_new(measured, "skipped",
					    json_boolean(!strncmp(problem, "SKIP", strlen("SKIP"))));
		}
	}
}

static json_t *measure_point(const struct sweep *sweep, const json_t *results, size_t point)
{
	size_t first =
		point * (experiment_count(sweep) / sweep_point_count(sweep->settings, sweep->setting_count));
	json_t *measured = json_object();

	put_settings(sweep, point, measured);
	put_problem(sweep, results, point, measured);
	put_limits(sweep, json_array_get(results, first), measured);
	json_object_set_new(measured, "held", measure_group(sweep, results, point, EXPERIMENT_HELD, 0));
	json_object_set_new(measured, "holds", measure_holds(sweep, results, point));
	if (sweep->load)
		json_object_set_new(measured, "load", measure_load(sweep, results, point));
	return measured;
}

static json_t *list_runs(const struct sweep *sweep, const json_t *results)
{
	static const char *const kinds[] = {"held", "hold", "load"};
	json_t *runs = json_array();
	const json_t *result;
	size_t index;

	json_array_foreach (results, index, result) {
		struct experiment experiment = experiment_at(sweep, index);

		json_array_append_new(runs,
				      json_pack("{s:I, s:s, s:I, s:s, s:s, s:s, s:f}", "point",
						(json_int_t)experiment.point, "kind", kinds[experiment.kind],
						"repeat", (json_int_t)experiment.repeat, "verdict",
						result_text(result, "verdict"), "reason",
						result_text(result, "reason"), "folder",
						result_text(result, "folder"), "wall_seconds",
						result_number(result, "wall_seconds")));
	}
	return runs;
}

json_t *measure_sweep(const struct sweep *sweep, const json_t *results)
{
	const json_t *first = json_array_get(results, 0);
	json_t *points = json_array(), *wants = json_array(), *names = json_array();

	for (size_t i = 0; i < sweep->setting_count; i++)
		json_array_append_new(names, json_string(sweep->settings[i].name));
	for (size_t i = 0; i < sweep->want_count; i++)
		json_array_append_new(wants, json_string(sweep->wants[i].text));
	for (size_t i = 0; i < sweep_point_count(sweep->settings, sweep->setting_count); i++)
		json_array_append_new(points, measure_point(sweep, results, i));
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "schema", 1, "form", "sweep",
			 "scenario", result_text(sweep->plan, "scenario"), "kernel",
			 result_text(first, "kernel"), "event", event_kind_names[sweep->event], "repeat",
			 (json_int_t)sweep->repeat, "settings", names, "wants", wants, "points", points,
			 "runs", list_runs(sweep, results));
}
