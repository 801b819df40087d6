// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/summary.h"

#include "compare/outcome.h"
#include "report/report.h"

#include <math.h>
#include <string.h>

static void print_interval(size_t held, size_t runs, FILE *out)
{
	double low, high;

	wilson_interval(held, runs, &low, &high);
	fprintf(out, "%zu of %zu PASS, %.0f to %.0f %% with 95 %% confidence", held, runs, 100 * low,
		100 * high);
}

/* "; WHAT A to B s AFTER", over the runs that have such a time. */
static void print_range(const json_t *runs, const char *key, const char *what, const char *after, FILE *out)
{
	double least = INFINITY, most = -INFINITY;
	const json_t *run;
	size_t i;

	json_array_foreach (runs, i, run) {
		if (!json_object_get(run, key))
			continue;
		least = fmin(least, result_number(run, key));
		most = fmax(most, result_number(run, key));
	}
	if (least <= most)
		fprintf(out, "; %s %.3f to %.3f s %s", what, least, most, after);
}

static void print_runs(const char *scenario, const json_t *runs, FILE *out)
{
	size_t held = 0, i;
	const json_t *run;

	json_array_foreach (runs, i, run)
		held += !strcmp(result_text(run, "verdict"), "PASS");
	fprintf(out, "%s: ", scenario);
	print_interval(held, json_array_size(runs), out);
	print_range(runs, "first_report_seconds", "first report", "after the fault", out);
	print_range(runs, "recovery_seconds", "recovery", "after the release", out);
	fputc('\n', out);
}

/* The scenarios that ran more than once, one line each. */
static void print_repeats(const json_t *results, FILE *out)
{
	json_t *by_scenario = json_object(), *runs, *result;
	const char *name;
	size_t i;

	json_array_foreach (results, i, result) {
		name = result_text(result, "scenario");
		if (!json_object_get(by_scenario, name))
			json_object_set_new(by_scenario, name, json_array());
		json_array_append(json_object_get(by_scenario, name), result);
	}
	json_object_foreach (by_scenario, name, runs)
		if (json_array_size(runs) > 1)
			print_runs(name, runs, out);
	json_decref(by_scenario);
}

static void print_counts(const json_t *results, FILE *out)
{
	static const char *const verdicts[] = {"PASS", "FAIL", "BROKEN", "SKIP"};
	const json_t *result;
	size_t i;

	fprintf(out, "%zu runs:", json_array_size(results));
	for (size_t v = 0; v < sizeof(verdicts) / sizeof(verdicts[0]); v++) {
		size_t count = 0;

		json_array_foreach (results, i, result)
			count += !strcmp(result_text(result, "verdict"), verdicts[v]);
		fprintf(out, "%s %zu %s", v ? "," : "", count, verdicts[v]);
	}
	fputc('\n', out);
}

void summary_print(const json_t *results, FILE *out)
{
	fputc('\n', out);
	print_repeats(results, out);
	print_counts(results, out);
}
