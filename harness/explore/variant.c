// SPDX-License-Identifier: GPL-2.0-or-later
#include "explore/variant.h"

#include "base/units.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

/* Around the default of 4; from 6 on a loaded guest is slow enough to be suspicious by itself. */
#define LEAST_SHIFT 3
#define MOST_SHIFT  5

/* Faults begin up to a second later, in steps of a microsecond. */
#define DELAY_STEP  1000
#define DELAY_STEPS (NANOSECONDS_PER_SECOND / DELAY_STEP)

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(uint64_t *state)
{
	uint64_t value = *state += 0x9e3779b97f4a7c15;

	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
	value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
	return value ^ (value >> 31);
}

static void set_integer(json_t *object, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	json_object_set_new(object, key, json_string(text));
}

static void vary_rate(json_t *plan, uint64_t *state)
{
	int64_t shift = LEAST_SHIFT + (int64_t)(draw(state) % (MOST_SHIFT - LEAST_SHIFT + 1));
	json_t *vm = json_object_get(plan, "vm");

	if (!vm) {
		vm = json_object();
		json_object_set_new(plan, "vm", vm);
	}
	if (!json_object_get(vm, "shift"))
		set_integer(vm, "shift", shift);
}

static void delay_faults(json_t *steps, uint64_t *state)
{
	int64_t before = 0;
	json_t *step;
	size_t i;

	json_array_foreach (steps, i, step) {
		char text[32];
		int64_t at;

		if (units_parse_duration(result_text(step, "at"), &at, NULL))
			continue;
		if (json_object_get(step, "inject"))
			at += (int64_t)(draw(state) % DELAY_STEPS) * DELAY_STEP;
		if (at < before)
			at = before;
		units_format_duration(at, text, sizeof(text));
		json_object_set_new(step, "at", json_string(text));
		before = at;
	}
}

static bool starts_at_once(const json_t *step)
{
	return json_object_get(step, "start") && !json_object_get(step, "at") &&
	       !json_object_get(step, "after");
}

static void swap(json_t *list, size_t first, size_t second)
{
	json_t *kept = json_incref(json_array_get(list, first));

	json_array_set(list, first, json_array_get(list, second));
	json_array_set_new(list, second, kept);
}

/* Fisher and Yates. */
static void shuffle(json_t *list, size_t begin, size_t end, uint64_t *state)
{
	for (size_t i = end; i > begin + 1; i--)
		swap(list, i - 1, begin + draw(state) % (i - begin));
}

static void reorder_workloads(json_t *steps, uint64_t *state)
{
	size_t count = json_array_size(steps), end;

	for (size_t begin = 0; begin < count; begin = end + 1) {
		for (end = begin; end < count && starts_at_once(json_array_get(steps, end)); end++)
			;
		shuffle(steps, begin, end, state);
	}
}

json_t *variant_of_plan(const json_t *plan, int64_t seed)
{
	json_t *variant = json_deep_copy(plan), *steps = json_object_get(variant, "timeline");
	uint64_t state = (uint64_t)seed;

	set_integer(variant, "seed", seed);
	vary_rate(variant, &state);
	delay_faults(steps, &state);
	reorder_workloads(steps, &state);
	return variant;
}

void variant_describe(const json_t *variant, char *text, size_t size)
{
	const char *shift = result_text(json_object_get(variant, "vm"), "shift");
	const json_t *step;
	size_t i, length;

	length = (size_t)snprintf(text, size, "shift %s", shift);
	json_array_foreach (json_object_get(variant, "timeline"), i, step) {
		const char *name = result_text(step, "inject"), *at = result_text(step, "at");

		if (name[0] && at[0] && length < size)
			length += (size_t)snprintf(text + length, size - length, ", %s at %s", name, at);
	}
}
