// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A sweep as text: a table with a line for each point, a plot of when the reports came, the answers to the
 * wants and the advice.
 */
#include "report/report.h"
#include "report/text_table.h"
#include "sweep/sweep.h"

#include <math.h>
#include <string.h>

#define PLOT_WIDTH 60
#define NAME_SIZE  64

/* Short times need the digits. */
static void spread_text(const json_t *spread, char *text, size_t size)
{
	double least = result_number(spread, "min"), most = result_number(spread, "max");
	int digits = most < 1 ? 3 : 1;

	if (!spread)
		snprintf(text, size, "-");
	else if (most - least < 0.05)
		snprintf(text, size, "%.*f", digits, most);
	else
		snprintf(text, size, "%.*f/%.*f/%.*f", digits, least, digits, result_number(spread, "median"),
			 digits, most);
}

static void add_limits(struct text_table *table, const json_t *point)
{
	if (json_object_get(point, "latest"))
		text_table_add(table, "%g-%g", result_number(point, "earliest"),
			       result_number(point, "latest"));
	else
		text_table_add(table, "-");
}

static void add_hold(struct text_table *table, const json_t *hold, bool own_length)
{
	char length[24] = "";

	if (own_length)
		snprintf(length, sizeof(length), "%g s: ", result_number(hold, "hold"));
	if (!result_number(hold, "reported") && !result_number(hold, "panicked"))
		text_table_add(table, "%ssilent", length);
	else
		text_table_add(table, "%s%s %.0f/%.0f", length,
			       result_number(hold, "panicked") > 0 ? "panic" : "reported",
			       fmax(result_number(hold, "reported"), result_number(hold, "panicked")),
			       result_number(hold, "runs"));
}

/* Does each point hold its fault for another time? */
static bool own_lengths(const json_t *measured, size_t which)
{
	const json_t *point, *points = json_object_get(measured, "points");
	const json_t *first = json_array_get(json_object_get(json_array_get(points, 0), "holds"), which);
	size_t i;

	json_array_foreach (points, i, point)
		if (result_number(json_array_get(json_object_get(point, "holds"), which), "hold") !=
		    result_number(first, "hold"))
			return true;
	return false;
}

static void add_recovery(struct text_table *table, const json_t *held)
{
	char text[40];

	spread_text(json_object_get(held, "recovery"), text, sizeof(text));
	text_table_add(table, "%s", result_number(held, "panicked") > 0 ? "(panicked)" : text);
}

static void add_wants(struct text_table *table, const json_t *measured, const json_t *point)
{
	size_t wants = json_array_size(json_object_get(measured, "wants"));

	if (wants)
		text_table_add(table, "%.0f/%zu", (double)wants - result_number(point, "missed"), wants);
}

static void add_settings(struct text_table *table, const json_t *measured, const json_t *point)
{
	const json_t *name;
	size_t i;

	json_array_foreach (json_object_get(measured, "settings"), i, name)
		text_table_add(table, "%s",
			       result_text(json_object_get(point, "settings"), json_string_value(name)));
}

static void add_point(struct text_table *table, const json_t *measured, const json_t *point)
{
	const json_t *held = json_object_get(point, "held"), *load = json_object_get(point, "load"), *hold;
	char latency[40];
	size_t i;

	text_table_row(table);
	add_settings(table, measured, point);
	if (json_object_get(point, "unknown")) {
		text_table_add(table, "unknown");
		return;
	}
	spread_text(json_object_get(held, "latency"), latency, sizeof(latency));
	text_table_add(table, "%.0f/%.0f", result_number(held, "reported"), result_number(held, "runs"));
	text_table_add(table, "%s", latency);
	add_limits(table, point);
	text_table_add(table, "%.0f", result_number(held, "reports"));
	text_table_add(table, "%.0f", result_number(held, "panicked"));
	json_array_foreach (json_object_get(point, "holds"), i, hold)
		add_hold(table, hold, own_lengths(measured, i));
	if (load)
		text_table_add(table, "%s",
			       json_array_size(json_object_get(load, "alarms")) ? "ALARM" : "quiet");
	add_recovery(table, held);
	add_wants(table, measured, point);
}

static void add_head(struct text_table *table, const json_t *measured)
{
	const json_t *point = json_array_get(json_object_get(measured, "points"), 0), *item;
	const json_t *load = json_object_get(point, "load");
	size_t i;

	text_table_row(table);
	json_array_foreach (json_object_get(measured, "settings"), i, item)
		text_table_add(table, "%s", json_string_value(item));
	text_table_add(table, "detected");
	text_table_add(table, "after s");
	text_table_add(table, "limits s");
	text_table_add(table, "reports");
	text_table_add(table, "panics");
	json_array_foreach (json_object_get(point, "holds"), i, item) {
		if (own_lengths(measured, i))
			text_table_add(table, "short fault");
		else
			text_table_add(table, "fault of %g s", result_number(item, "hold"));
	}
	if (load)
		text_table_add(table, "load %g s", result_number(load, "seconds"));
	text_table_add(table, "recovery s");
	if (json_array_size(json_object_get(measured, "wants")))
		text_table_add(table, "wants");
}

static void print_table(const json_t *measured, FILE *out)
{
	struct text_table table = {NULL};
	const json_t *point;
	size_t i;

	add_head(&table, measured);
	json_array_foreach (json_object_get(measured, "points"), i, point)
		add_point(&table, measured, point);
	text_table_print(&table, out);
}

/* ---- plot ---- */

static double longest_time(const json_t *measured)
{
	const json_t *point;
	double longest = 0;
	size_t i;

	json_array_foreach (json_object_get(measured, "points"), i, point) {
		const json_t *latency = json_object_get(json_object_get(point, "held"), "latency");

		longest = fmax(longest, fmax(result_number(point, "latest"), result_number(latency, "max")));
	}
	return longest;
}

static void values_text(const json_t *measured, const json_t *point, char *text, size_t size)
{
	const json_t *name;
	size_t length = 0, i;

	text[0] = '\0';
	json_array_foreach (json_object_get(measured, "settings"), i, name)
		if (length < size)
			length += (size_t)snprintf(
				text + length, size - length, "%s%s", i ? "," : "",
				result_text(json_object_get(point, "settings"), json_string_value(name)));
}

static void print_bar(const json_t *point, double longest, FILE *out)
{
	const json_t *latency = json_object_get(json_object_get(point, "held"), "latency");
	static const char *const seen[] = {"min", "median", "max"};
	double scale = (PLOT_WIDTH - 1) / longest;
	char bar[PLOT_WIDTH + 1];

	memset(bar, ' ', PLOT_WIDTH);
	bar[PLOT_WIDTH] = '\0';
	if (json_object_get(point, "latest"))
		for (int x = (int)lround(result_number(point, "earliest") * scale);
		     x <= (int)lround(result_number(point, "latest") * scale); x++)
			bar[x] = '-';
	for (size_t i = 0; latency && i < sizeof(seen) / sizeof(seen[0]); i++)
		bar[lround(result_number(latency, seen[i]) * scale)] = '#';
	fprintf(out, "|%s|\n", bar);
}

static void print_plot(const json_t *measured, FILE *out)
{
	double longest = longest_time(measured);
	const json_t *point;
	char text[NAME_SIZE];
	size_t i, width = 0;

	if (longest <= 0)
		return;
	json_array_foreach (json_object_get(measured, "points"), i, point) {
		values_text(measured, point, text, sizeof(text));
		width = strlen(text) > width ? strlen(text) : width;
	}
	fprintf(out, "\nseconds to the first report: # seen (least, median, largest), - possible by the "
		     "sysctls\n");
	json_array_foreach (json_object_get(measured, "points"), i, point) {
		values_text(measured, point, text, sizeof(text));
		fprintf(out, "%*s ", (int)width, text);
		print_bar(point, longest, out);
	}
	fprintf(out, "%*s 0%*.4g\n", (int)width, "", PLOT_WIDTH, longest);
}

/* ---- answers ---- */

/* Why the fault was not reported as it should: something else spoke first, and may have kept it from that. */
static void print_others(const json_t *measured, const json_t *point, FILE *out)
{
	const json_t *other;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(point, "held"), "others"), i, other)
		fprintf(out, "%s: no %s, but %s\n", result_text(point, "label"),
			result_text(measured, "event"), json_string_value(other));
}

static void print_answers(const json_t *measured, FILE *out)
{
	const json_t *point, *answer;
	size_t i, k;

	json_array_foreach (json_object_get(measured, "points"), i, point) {
		if (json_object_get(point, "unknown"))
			fprintf(out, "%s: unknown: %s\n", result_text(point, "label"),
				result_text(point, "unknown"));
		else
			print_others(measured, point, out);
		json_array_foreach (json_object_get(point, "wants"), k, answer)
			if (!json_is_true(json_object_get(answer, "held")))
				fprintf(out, "%s: not %s: %s\n", result_text(point, "label"),
					result_text(answer, "want"), result_text(answer, "reason"));
		json_array_foreach (json_object_get(json_object_get(point, "load"), "alarms"), k, answer)
			fprintf(out, "%s: under load: %s\n", result_text(point, "label"),
				json_string_value(answer));
	}
}

static void print_advice(const json_t *measured, FILE *out)
{
	const json_t *advice = json_object_get(measured, "advice"), *miss;
	size_t i;

	if (!advice)
		return;
	if (json_is_true(json_object_get(advice, "satisfied"))) {
		fprintf(out, "RECOMMENDED  %s: %s\n", result_text(advice, "point"),
			result_text(advice, "rule"));
		return;
	}
	fprintf(out, "NONE  no value satisfies every want. Nearest is %s: %s\n", result_text(advice, "point"),
		result_text(advice, "rule"));
	json_array_foreach (json_object_get(advice, "misses"), i, miss)
		fprintf(out, "      %s\n", json_string_value(miss));
}

void sweep_print(const json_t *measured, FILE *out)
{
	const json_t *want;
	size_t i;

	fprintf(out, "%s on %s: %s, %.0f run%s of each kind\n\n", result_text(measured, "scenario"),
		result_text(measured, "kernel"), result_text(measured, "event"),
		result_number(measured, "repeat"), result_number(measured, "repeat") == 1 ? "" : "s");
	print_table(measured, out);
	print_plot(measured, out);
	fputc('\n', out);
	json_array_foreach (json_object_get(measured, "wants"), i, want)
		fprintf(out, "want %s\n", json_string_value(want));
	print_answers(measured, out);
	print_advice(measured, out);
}
