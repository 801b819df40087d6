// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/time_line.h"

#include "base/cleanup.h"
#include "report/report.h"

#include <string.h>

#define NAME_WIDTH  26
#define LEAST_WIDTH 20

static const struct {
	const char *state;
	char sign;
} states[] = {
	{"injecting", '-'}, {"active", '#'},  {"releasing", '-'},
	{"waiting", '.'},   {"stalled", '='}, {"stuck", '#'},
};

static char sign_of(const char *state)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcmp(states[i].state, state))
			return states[i].sign;
	return '?';
}

/** struct axis - guest seconds to columns */
struct axis {
	double from, to;
	int width;
};

static int column_of(const struct axis *axis, double at)
{
	double share = axis->to > axis->from ? (at - axis->from) / (axis->to - axis->from) : 0;
	int column = (int)(share * axis->width);

	if (column < 0)
		return 0;
	return column < axis->width ? column : axis->width - 1;
}

static void draw_lane(const json_t *lane, const struct axis *axis, FILE *out)
{
	cleanup_free char *row = malloc((size_t)axis->width + 1);
	const json_t *item;
	size_t i;

	if (!row)
		return;
	memset(row, ' ', (size_t)axis->width);
	row[axis->width] = '\0';
	json_array_foreach (json_object_get(lane, "spans"), i, item) {
		int first = column_of(axis, result_number(item, "from"));
		int last = column_of(axis, result_number(item, "to"));

		memset(row + first, sign_of(result_text(item, "state")), (size_t)(last - first) + 1);
	}
	json_array_foreach (json_object_get(lane, "marks"), i, item)
		row[column_of(axis, result_number(item, "at"))] = json_object_get(item, "event") ? '!' : '|';
	fprintf(out, "%-8.8s %-*.*s %s\n", result_text(lane, "group"), NAME_WIDTH - 10, NAME_WIDTH - 10,
		result_text(lane, "name"), row);
}

static void draw_axis(const struct axis *axis, FILE *out)
{
	char from[32], to[32];

	snprintf(from, sizeof(from), "%.1f s", axis->from);
	snprintf(to, sizeof(to), "%.1f s", axis->to);
	fprintf(out, "%*s %s%*s\n", NAME_WIDTH - 1, "", from, axis->width - (int)strlen(from), to);
}

static int by_time(const void *left, const void *right)
{
	double a = result_number(*(json_t *const *)left, "at"),
	       b = result_number(*(json_t *const *)right, "at");

	return (a > b) - (a < b);
}

/* Marks and beginnings of spans of all lanes, each with the name of its lane. New reference. */
static json_t *happenings(const json_t *run)
{
	json_t *all = json_array();
	const json_t *lane, *item;
	size_t i, j;

	json_array_foreach (json_object_get(run, "lanes"), i, lane) {
		json_array_foreach (json_object_get(lane, "marks"), j, item)
			json_array_append_new(
				all, json_pack("{s:f, s:s, s:s}", "at", result_number(item, "at"), "lane",
					       result_text(lane, "name"), "text", result_text(item, "text")));
		json_array_foreach (json_object_get(lane, "spans"), j, item) {
			cleanup_free char *text = NULL;

			if (asprintf(&text, "%s for %.3f s%s%s", result_text(item, "state"),
				     result_number(item, "to") - result_number(item, "from"),
				     result_text(item, "text")[0] ? ": " : "", result_text(item, "text")) < 0)
				continue;
			json_array_append_new(all,
					      json_pack("{s:f, s:s, s:s}", "at", result_number(item, "from"),
							"lane", result_text(lane, "name"), "text", text));
		}
	}
	return all;
}

static void print_happenings(const json_t *run, FILE *out)
{
	json_t *all = happenings(run);
	size_t count = json_array_size(all);
	json_t **sorted = calloc(count + 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < count; i++)
		sorted[i] = json_array_get(all, i);
	if (sorted)
		qsort(sorted, count, sizeof(*sorted), by_time);
	for (size_t i = 0; sorted && i < count; i++)
		fprintf(out, "%10.3f s  %s: %s\n", result_number(sorted[i], "at"),
			result_text(sorted[i], "lane"), result_text(sorted[i], "text"));
	free(sorted);
	json_decref(all);
}

void time_line_print(const json_t *run, int width, FILE *out)
{
	const json_t *result = json_object_get(run, "result"), *lane;
	struct axis axis = {result_number(run, "from"), result_number(run, "to"), width - NAME_WIDTH};
	size_t i;

	if (axis.width < LEAST_WIDTH)
		axis.width = LEAST_WIDTH;
	fprintf(out, "%s  %s: %s\n\n", result_text(result, "verdict"), result_text(result, "scenario"),
		result_text(result, "reason"));
	draw_axis(&axis, out);
	json_array_foreach (json_object_get(run, "lanes"), i, lane)
		draw_lane(lane, &axis, out);
	fprintf(out, "\n# active or stuck  - injecting, releasing  . waiting  = stalled  ! kernel event  | "
		     "other\n\n");
	print_happenings(run, out);
}
