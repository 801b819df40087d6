// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweep/sweep.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A busy guest second costs least wall time at this rate (README, "Loads"). */
#define LOAD_SHIFT   "6"
/* Workloads that a load adds to each file system, beside those of the scenario. */
#define LOAD_WRITERS 3

static size_t runs_of_point(const struct sweep *sweep)
{
	return sweep->repeat * (1 + sweep->hold_count) + (sweep->load > 0);
}

size_t experiment_count(const struct sweep *sweep)
{
	return sweep_point_count(sweep->settings, sweep->setting_count) * runs_of_point(sweep);
}

struct experiment experiment_at(const struct sweep *sweep, size_t index)
{
	size_t of_point = runs_of_point(sweep), within = index % of_point, group = within / sweep->repeat;
	struct experiment experiment = {.point = index / of_point, .repeat = within % sweep->repeat};

	if (group > sweep->hold_count) {
		experiment.kind = EXPERIMENT_LOAD;
		experiment.repeat = 0;
	} else if (group) {
		experiment.kind = EXPERIMENT_HOLD;
		experiment.hold = group - 1;
	}
	return experiment;
}

static void set_duration(json_t *object, const char *key, int64_t nanoseconds)
{
	char text[32];

	json_object_set_new(object, key, json_string(units_format_duration(nanoseconds, text, sizeof(text))));
}

static json_t *object_in(json_t *parent, const char *key)
{
	if (!json_object_get(parent, key))
		json_object_set_new(parent, key, json_object());
	return json_object_get(parent, key);
}

static void add_boot(json_t *vm, const char *name, const char *value)
{
	const char *old = result_text(vm, "boot");

	json_object_set_new(vm, "boot", json_sprintf("%s%s%s=%s", old, *old ? " " : "", name, value));
}

static void apply_settings(const struct sweep *sweep, size_t point, json_t *plan)
{
	for (size_t i = 0; i < sweep->setting_count; i++) {
		const char *value = sweep_value(sweep->settings, sweep->setting_count, i, point);

		if (sweep->settings[i].boot)
			add_boot(object_in(plan, "vm"), sweep->settings[i].name, value);
		else
			json_object_set_new(object_in(plan, "sysctl"), sweep->settings[i].name,
					    json_string(value));
	}
}

/* ---- what the detector will do, as far as it can be known before ---- */

/* Defaults of the kernel, for what the plan does not set. */
static const struct {
	const char *name;
	int64_t value;
} defaults[] = {
	{"kernel.hung_task_timeout_secs", 120}, {"kernel.hung_task_check_interval_secs", 0},
	{"kernel.watchdog_thresh", 10},		{"kernel.soft_watchdog", 1},
	{"rcupdate.rcu_cpu_stall_timeout", 21}, {"workqueue.watchdog_thresh", 30},
};

/* Of a sysctl, or of a boot parameter of the same name; the last word counts. */
static int64_t planned_value(const json_t *plan, const char *name, int64_t otherwise)
{
	const char *sysctl = result_text(json_object_get(plan, "sysctl"), name);
	cleanup_free char *boot = strdup(result_text(json_object_get(plan, "vm"), "boot"));
	char *position = NULL;
	size_t length = strlen(name);

	units_parse_integer(sysctl, &otherwise, NULL);
	for (char *word = strtok_r(boot, " ", &position); word; word = strtok_r(NULL, " ", &position))
		if (!strncmp(word, name, length) && word[length] == '=')
			units_parse_integer(word + length + 1, &otherwise, NULL);
	return otherwise;
}

static bool planned_limits(const json_t *plan, int event, int64_t *earliest, int64_t *latest)
{
	struct detector_settings settings;
	json_t *values = json_object();

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		json_object_set_new(values, defaults[i].name,
				    json_integer(planned_value(plan, defaults[i].name, defaults[i].value)));
	detector_settings_load(&settings, values);
	json_decref(values);
	return detector_limits(&settings, (enum hl_event_kind)event, earliest, latest);
}

int64_t experiment_hold(const struct sweep *sweep, size_t point, size_t hold)
{
	int64_t earliest = 2 * NANOSECONDS_PER_SECOND, latest;
	json_t *plan;

	if (sweep->holds[hold])
		return sweep->holds[hold];
	plan = json_deep_copy(sweep->plan);
	apply_settings(sweep, point, plan);
	planned_limits(plan, sweep->event, &earliest, &latest);
	json_decref(plan);
	return earliest / 2;
}

/* ---- the timeline ---- */

static void release_by(const struct sweep *sweep, const struct experiment *experiment, json_t *step)
{
	const json_t *until = json_object_get(step, "until");
	json_t *new;

	json_object_del(step, "@until");
	json_object_del(step, "@for");
	if (experiment->kind == EXPERIMENT_HOLD) {
		set_duration(step, "for", experiment_hold(sweep, experiment->point, experiment->hold));
		json_object_del(step, "until");
		return;
	}
	new = json_pack("{s:s, s:s}", "event", event_kind_names[sweep->event], "hold", sweep->keep);
	if (json_object_get(until, "within"))
		json_object_set(new, "within", json_object_get(until, "within"));
	json_object_del(step, "for");
	json_object_set_new(step, "until", new);
}

/* The whole timeline begins later; until then nothing costs any wall time. */
static void delay(json_t *steps, int64_t by)
{
	json_t *step;
	size_t i;

	json_array_foreach (steps, i, step) {
		int64_t at = 0;

		if (!i || !units_parse_duration(result_text(step, "at"), &at, NULL))
			set_duration(step, "at", at + by);
	}
}

static bool releasable(const json_t *step)
{
	const struct injector *injector = injector_find(result_text(step, "inject"));

	return injector && !injector->stops_vm;
}

static void arrange_fault(const struct sweep *sweep, const struct experiment *experiment, json_t *plan)
{
	json_t *steps = json_object_get(plan, "timeline"), *step;
	int64_t earliest, latest;
	size_t i;

	json_array_foreach (steps, i, step)
		if (releasable(step))
			release_by(sweep, experiment, step);
	if (experiment->repeat && planned_limits(plan, sweep->event, &earliest, &latest))
		delay(steps, (latest - earliest) / (int64_t)sweep->repeat * (int64_t)experiment->repeat);
}

static void add_writers(const json_t *disks, json_t *steps)
{
	const json_t *disk;
	size_t i;

	json_array_foreach (disks, i, disk) {
		const char *mount = result_text(disk, "mount");

		for (size_t n = 0; *mount && n < LOAD_WRITERS; n++)
			json_array_append_new(
				steps, json_pack("{s:s, s:o, s:{s:s, s:s, s:s}}", "start", "writer", "name",
						 json_sprintf("load%zu-%zu", i, n), "with", "dir", mount,
						 "engine", n % 2 ? "fsync" : "sync", "interval", "20ms"));
	}
}

/* Every CPU is busy, and every disk, but nothing is wrong. */
static void arrange_load(const struct sweep *sweep, json_t *plan)
{
	json_t *steps = json_array(), *step, *hog = json_pack("{s:s}", "inject", "cpu-hog");
	json_t *vm = object_in(plan, "vm");
	size_t i;

	json_array_foreach (json_object_get(plan, "timeline"), i, step)
		if (json_object_get(step, "start"))
			json_array_append(steps, step);
	add_writers(json_object_get(plan, "disks"), steps);
	set_duration(hog, "for", sweep->load);
	json_array_append_new(steps, hog);
	json_object_set_new(plan, "timeline", steps);
	if (!json_object_get(vm, "shift") && strcmp(result_text(vm, "clock"), "real") != 0)
		json_object_set_new(vm, "shift", json_string(LOAD_SHIFT));
}

/* A sweep judges by what came; the run has only to find out whether all goes on afterwards. */
static json_t *checks_for(const json_t *plan)
{
	json_t *checks = json_pack("[{s:[s]}]", "forbid", "oops");
	const json_t *step;
	size_t i;

	json_array_foreach (json_object_get(plan, "timeline"), i, step)
		if (json_object_get(step, "start")) {
			json_array_append_new(checks, json_pack("{s:{s:s}}", "recovers", "within", "60s"));
			break;
		}
	return checks;
}

json_t *experiment_plan(const struct sweep *sweep, const struct experiment *experiment)
{
	json_t *plan = json_deep_copy(sweep->plan);
	int64_t seed = 1;
	char text[24];

	apply_settings(sweep, experiment->point, plan);
	if (experiment->kind == EXPERIMENT_LOAD)
		arrange_load(sweep, plan);
	else
		arrange_fault(sweep, experiment, plan);
	units_parse_integer(result_text(plan, "seed"), &seed, NULL);
	snprintf(text, sizeof(text), "%" PRId64, seed + (int64_t)experiment->repeat);
	json_object_set_new(plan, "seed", json_string(text));
	/* The run would end when the bug shows itself. */
	json_object_del(plan, "bug");
	json_object_set_new(plan, "checks", checks_for(plan));
	return plan;
}

/* ---- what is to be run ---- */

static int find_event(const struct plan *plan, const char *name)
{
	for (int i = 0; name && event_kind_names[i]; i++)
		if (!strcmp(event_kind_names[i], name))
			return i;
	for (size_t i = 0; !name && i < plan->check_count; i++) {
		int kind = plan->checks[i].pattern.kind;

		if (check_kind(&plan->checks[i]) == CHECK_EXPECT && kind != HL_EVENT_PANIC &&
		    kind != HL_EVENT_STALLED)
			return kind;
	}
	return -1;
}

static int by_length(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return (first > second) - (first < second);
}

/* Those of the wants too, each once. */
static void complete_holds(struct sweep *sweep)
{
	size_t count = 0;

	for (size_t i = 0; i < sweep->want_count; i++)
		if (want_hold(&sweep->wants[i]))
			*(int64_t *)arena_append(&sweep->arena, &sweep->holds, &sweep->hold_count,
						 sizeof(int64_t)) = want_hold(&sweep->wants[i]);
	if (!sweep->hold_count && sweep->releasable)
		arena_append(&sweep->arena, &sweep->holds, &sweep->hold_count, sizeof(int64_t));
	if (!sweep->hold_count)
		return;
	qsort(sweep->holds, sweep->hold_count, sizeof(int64_t), by_length);
	for (size_t i = 0; i < sweep->hold_count; i++)
		if (!count || sweep->holds[i] != sweep->holds[count - 1])
			sweep->holds[count++] = sweep->holds[i];
	sweep->hold_count = count;
}

static const char *hold_of_scenario(const struct plan *plan, struct arena *arena)
{
	char text[32];

	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].until)
			return arena_string(
				arena, units_format_duration(plan->steps[i].until->hold, text, sizeof(text)));
	return "5s";
}

int sweep_complete(struct sweep *sweep, const struct plan *plan, const char *event_name, struct hl_error *err)
{
	const json_t *step;
	size_t i;

	sweep->plan = json_incref(plan->json);
	sweep->event = find_event(plan, event_name);
	if (sweep->event < 0)
		return hl_error_set(err, EINVAL,
				    event_name ? "there is no event '%s'; hanglab list events shows them"
					       : "the scenario expects no report of a detector; say which "
						 "event counts with --event",
				    event_name);
	if (!plan_injects(plan))
		return hl_error_set(err, EINVAL, "the scenario injects no fault");
	json_array_foreach (json_object_get(plan->json, "timeline"), i, step)
		sweep->releasable |= releasable(step);
	if (!sweep->keep)
		sweep->keep = hold_of_scenario(plan, &sweep->arena);
	complete_holds(sweep);
	if (sweep->hold_count && !sweep->releasable)
		return hl_error_set(
			err, EINVAL,
			"the scenario's fault cannot be held for a chosen time, which --hold and the "
			"wants detect, silent, panic and no-panic need");
	return 0;
}

void sweep_clear(struct sweep *sweep)
{
	json_decref(sweep->plan);
	arena_free(&sweep->arena);
	*sweep = (struct sweep){0};
}
