// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/report.h"
#include "sweep/sweep.h"

#include <math.h>

/* Satisfies all; otherwise how many wants it misses, and by how much together. */
static void judge_point(const struct sweep *sweep, json_t *point)
{
	json_t *answers = json_array();
	double missed = 0, distance = 0;

	for (size_t i = 0; i < sweep->want_count && !json_object_get(point, "unknown"); i++) {
		struct want_answer answer;

		want_judge(&sweep->wants[i], point, &answer);
		missed += !answer.held;
		distance += answer.miss;
		json_array_append_new(answers,
				      json_pack("{s:s, s:b, s:f, s:s}", "want", sweep->wants[i].text, "held",
						answer.held, "miss", answer.miss, "reason", answer.reason));
	}
	json_object_set_new(point, "missed", json_real(missed));
	json_object_set_new(point, "distance", json_real(distance));
	json_object_set_new(point, "wants", answers);
}

static double median_latency(const json_t *point)
{
	const json_t *latency = json_object_get(json_object_get(point, "held"), "latency");

	return latency ? result_number(latency, "median") : INFINITY;
}

/* Fewer wants missed, then nearer, then reported sooner. */
static bool is_better(const json_t *point, const json_t *best)
{
	static const char *const keys[] = {"missed", "distance"};

	if (json_object_get(point, "unknown"))
		return false;
	if (!best)
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (result_number(point, keys[i]) != result_number(best, keys[i]))
			return result_number(point, keys[i]) < result_number(best, keys[i]);
	return median_latency(point) < median_latency(best);
}

static json_t *list_misses(const json_t *point)
{
	json_t *misses = json_array();
	const json_t *answer;
	size_t i;

	json_array_foreach (json_object_get(point, "wants"), i, answer)
		if (!json_is_true(json_object_get(answer, "held")))
			json_array_append_new(misses, json_sprintf("%s: %s", result_text(answer, "want"),
								   result_text(answer, "reason")));
	return misses;
}

void advise(const struct sweep *sweep, json_t *measured)
{
	const json_t *best = NULL;
	json_t *point, *advice;
	bool satisfied;
	size_t i;

	json_array_foreach (json_object_get(measured, "points"), i, point) {
		judge_point(sweep, point);
		if (is_better(point, best))
			best = point;
	}
	if (!sweep->want_count || !best)
		return;
	satisfied = result_number(best, "missed") == 0;
	advice = json_pack("{s:s, s:b, s:s, s:o}", "point", result_text(best, "label"), "satisfied",
			   satisfied, "rule",
			   satisfied ? "of the values that satisfy every want, it is reported soonest"
				     : "it misses the fewest wants, and those by least",
			   "misses", list_misses(best));
	json_object_set_new(measured, "advice", advice);
}
