// SPDX-License-Identifier: GPL-2.0-or-later
#include "explore/minimize.h"

#include "base/units.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of an event that no detector of the scenario times: longer than any default. */
#define OTHER_LIMIT "300s"

/* A hold is short enough when it is known to this part of itself, or to so many nanoseconds. */
#define HOLD_PART  8
#define HOLD_LEAST 100000000

/**
 * struct minimizer - a plan while it gets smaller
 * @plan: the smallest that is known to lock up the same way
 */
struct minimizer {
	json_t *plan;
	minimize_test test;
	void *data;
};

/* The candidate becomes the plan if it locks up the same way. */
static bool accept(struct minimizer *minimizer, json_t *candidate)
{
	if (!minimizer->test(minimizer->data, candidate)) {
		json_decref(candidate);
		return false;
	}
	json_decref(minimizer->plan);
	minimizer->plan = candidate;
	return true;
}

/* Backwards: what came last is most likely to have no one that depends on it. */
static bool remove_one(struct minimizer *minimizer, const char *list)
{
	for (size_t i = json_array_size(json_object_get(minimizer->plan, list)); i-- > 0;) {
		json_t *candidate = json_deep_copy(minimizer->plan);

		json_array_remove(json_object_get(candidate, list), i);
		if (accept(minimizer, candidate))
			return true;
	}
	return false;
}

static json_t *step_of(json_t *plan, size_t index)
{
	return json_array_get(json_object_get(plan, "timeline"), index);
}

/* Where a step says how long its fault is held, and in @key under which name; NULL for nowhere. */
static json_t *hold_of(json_t *step, const char **key)
{
	json_t *until = json_object_get(step, "until");

	*key = until ? "hold" : "for";
	if (!json_object_get(step, "inject"))
		return NULL;
	return json_object_get(until ? until : step, *key) ? (until ? until : step) : NULL;
}

static bool try_hold(struct minimizer *minimizer, size_t index, int64_t hold)
{
	json_t *candidate = json_deep_copy(minimizer->plan), *place;
	char text[32];
	const char *key;

	place = hold_of(step_of(candidate, index), &key);
	units_format_duration(hold, text, sizeof(text));
	json_object_set_new(place, key, json_string(text));
	return accept(minimizer, candidate);
}

static void shorten_hold(struct minimizer *minimizer, size_t index)
{
	const char *key;
	json_t *place = hold_of(step_of(minimizer->plan, index), &key);
	int64_t shortest, too_short = 0;

	if (!place || units_parse_duration(result_text(place, key), &shortest, NULL))
		return;
	if (!strcmp(key, "hold") && shortest && try_hold(minimizer, index, 0))
		return;
	while (shortest - too_short > HOLD_LEAST && shortest - too_short > shortest / HOLD_PART) {
		int64_t middle = too_short + (shortest - too_short) / 2;

		middle -= middle % (HOLD_LEAST / 10);
		if (try_hold(minimizer, index, middle))
			shortest = middle;
		else
			too_short = middle;
	}
}

static void take_vcpus(struct minimizer *minimizer)
{
	const char *text = result_text(json_object_get(minimizer->plan, "vm"), "cpus");
	int64_t cpus = 2;

	if (text[0] && units_parse_integer(text, &cpus, NULL))
		return;
	for (int64_t fewer = 1; fewer < cpus; fewer++) {
		json_t *candidate = json_deep_copy(minimizer->plan), *vm = json_object_get(candidate, "vm");
		char number[24];

		if (!vm) {
			vm = json_object();
			json_object_set_new(candidate, "vm", vm);
		}
		snprintf(number, sizeof(number), "%" PRId64, fewer);
		json_object_set_new(vm, "cpus", json_string(number));
		if (accept(minimizer, candidate))
			return;
	}
}

json_t *minimize_plan(const json_t *plan, minimize_test test, void *data)
{
	struct minimizer minimizer = {json_deep_copy(plan), test, data};

	while (remove_one(&minimizer, "timeline"))
		;
	while (remove_one(&minimizer, "disks"))
		;
	/* Before the hold is as short as this very timing allows. */
	take_vcpus(&minimizer);
	for (size_t i = 0; step_of(minimizer.plan, i); i++)
		shorten_hold(&minimizer, i);
	return minimizer.plan;
}

/* The title is a pattern there, so what would be special in it matches any character. */
static json_t *expect(const char *kind, const char *title)
{
	json_t *check = json_pack("{s:s, s:s, s:s}", "expect", kind, "title", title, "within", OTHER_LIMIT);
	char *pattern = strdup(title);

	if (!pattern)
		return check;
	for (char *special = pattern; (special = strpbrk(special, "*?[]\\")); special++)
		*special = '?';
	json_object_set_new(check, "title", json_string(pattern));
	free(pattern);
	return check;
}

json_t *minimize_checks(const json_t *plan, const char *kind, const char *title)
{
	json_t *copy = json_deep_copy(plan), *checks = json_array(), *check;
	size_t i;

	json_array_foreach (json_object_get(copy, "checks"), i, check)
		if (!json_array_size(checks) && !strcmp(result_text(check, "expect"), kind))
			json_array_append(checks, check);
	if (!json_array_size(checks))
		json_array_append_new(checks, expect(kind, title));
	json_object_set_new(copy, "checks", checks);
	return copy;
}
