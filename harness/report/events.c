// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/events.h"
#include "base/similar.h"
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Events are printed as they come, so that a log of any size needs no memory; only the summary and
 * the test formats, which begin with a total, keep something for each title or event.
 */

#define TIME_DIGITS    JSON_REAL_PRECISION(15) /* microseconds of a year */
#define SHOWN_FRAMES   8
#define TIMELINE_WIDTH 60
#define MOST_TITLES    10000 /* distinct ones in a summary; more are counted together */

enum format {
	PRETTY,
	JSONL,
	JSON,
	KTAP,
	JUNIT,
};

static const char *const format_names[] = {"pretty", "jsonl", "json", "ktap", "junit"};

struct timeline {
	double first, last;
	double times[4096]; /* of the first events; enough for a picture */
	enum hl_event_kind kinds[4096];
	size_t count;
};

struct event_output {
	struct event_output_options options;
	enum format format;
	bool colour;
	const char *file;
	size_t printed;
	struct hl_text text; /* one event as JSON */
	json_t *titles;	     /* summary: title -> group */
	json_t *results;     /* ktap, junit: one result per event */
	struct timeline timeline;
};

static int find_format(const char *name, enum format *format, struct hl_error *err)
{
	const size_t count = sizeof(format_names) / sizeof(*format_names);
	const char *meant;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, format_names[i]) == 0) {
			*format = (enum format)i;
			return 0;
		}
	}
	meant = similar_find(name, format_names, count);
	if (meant)
		return hl_error_set(err, EINVAL, "unknown format \"%s\", did you mean \"%s\"?", name, meant);
	return hl_error_set(err, EINVAL, "unknown format \"%s\": pretty, jsonl, json, ktap or junit", name);
}

int event_output_open(struct event_output **output, const struct event_output_options *options,
		      struct hl_error *err)
{
	bool terminal = isatty(fileno(options->out));
	struct event_output *fresh;
	enum format format = terminal ? PRETTY : JSONL;
	int status = options->format ? find_format(options->format, &format, err) : 0;

	if (status)
		return status;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return hl_error_set(err, ENOMEM, "no memory for the output");
	fresh->options = *options;
	fresh->format = format;
	fresh->colour = terminal && !getenv("NO_COLOR");
	fresh->timeline.first = fresh->timeline.last = NAN;
	if (options->summary)
		fresh->titles = json_object();
	else if (format == KTAP || format == JUNIT)
		fresh->results = json_array();
	*output = fresh;
	return 0;
}

void event_output_file(struct event_output *output, const char *path)
{
	output->file = path;
}

static const char *colour_of(const struct event_output *output, const struct hl_event *event)
{
	if (!output->colour)
		return "";
	if (event->panics || event->fatal || event->kind == HL_EVENT_PANIC)
		return "\033[1;31m";
	switch (event->kind) {
	case HL_EVENT_HUNG_TASK:
	case HL_EVENT_SOFT_LOCKUP:
	case HL_EVENT_HARD_LOCKUP:
	case HL_EVENT_RCU_STALL:
	case HL_EVENT_WORKQUEUE_LOCKUP:
	case HL_EVENT_CSD_STALL:
		return "\033[31m";
	default:
		return "\033[33m";
	}
}

static const char *colour_end(const struct event_output *output)
{
	return output->colour ? "\033[0m" : "";
}

/* 2.6.32 marks every frame of some traces as unreliable; then they are better than nothing. */
static bool has_reliable(const struct hl_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->frames[i].reliable)
			return true;
	return false;
}

static void print_frames(const struct event_output *output, const struct hl_stack *stack)
{
	bool only_reliable = !output->options.verbose && has_reliable(stack);
	size_t shown = 0;

	for (size_t i = 0; i < stack->count; i++) {
		const struct hl_frame *frame = &stack->frames[i];

		if ((only_reliable && !frame->reliable) ||
		    (!output->options.verbose && shown == SHOWN_FRAMES))
			continue;
		shown++;
		fprintf(output->options.out, "      %s%s", frame->reliable ? "" : "? ", frame->function);
		if (frame->offset && output->options.verbose)
			fprintf(output->options.out, "+0x%llx", (unsigned long long)frame->offset);
		if (frame->module)
			fprintf(output->options.out, " [%s]", frame->module);
		if (frame->file)
			fprintf(output->options.out, "  %s:%u%s", frame->file, frame->file_line,
				frame->inlined ? " (inlined)" : "");
		fputc('\n', output->options.out);
	}
	if (!output->options.verbose && stack->count > SHOWN_FRAMES)
		fprintf(output->options.out, "      (%zu frames, --verbose shows all)\n", stack->count);
}

static void print_who(FILE *out, const struct hl_stack *stack)
{
	if (stack->cpu >= 0)
		fprintf(out, "  CPU %d", stack->cpu);
	if (stack->comm)
		fprintf(out, "  %s", stack->comm);
	if (stack->pid >= 0)
		fprintf(out, "%s%ld", stack->comm ? ":" : "  pid ", stack->pid);
}

static void print_fields(FILE *out, const json_t *fields)
{
	const char *name;
	const json_t *value;
	bool any = false;

	json_object_foreach ((json_t *)fields, name, value) {
		if (!json_is_string(value) && !json_is_integer(value))
			continue;
		fprintf(out, any ? ", %s " : "      %s ", name);
		if (json_is_string(value))
			fputs(json_string_value(value), out);
		else
			fprintf(out, "%lld", (long long)json_integer_value(value));
		any = true;
	}
	if (any)
		fputc('\n', out);
}

static void print_pretty(struct event_output *output, const struct hl_event *event)
{
	FILE *out = output->options.out;

	if (output->options.name_files)
		fprintf(out, "%s:", output->file);
	fprintf(out, "%llu: ", (unsigned long long)event->line);
	if (!isnan(event->time))
		fprintf(out, "[%12.6f] ", event->time);
	fprintf(out, "%s%s%s  %s", colour_of(output, event), hl_event_kind_name(event->kind),
		colour_end(output), event->title);
	print_who(out, &event->stack);
	if (!isnan(event->seconds))
		fprintf(out, "  %g s", event->seconds);
	if (event->kernel)
		fprintf(out, "  (%s)", event->kernel);
	if (event->panics && event->kind != HL_EVENT_PANIC)
		fputs("  the kernel panicked", out);
	if (event->corrupted)
		fputs("  text damaged", out);
	fputc('\n', out);
	print_fields(out, event->fields);
	print_frames(output, &event->stack);
	if (!output->options.verbose)
		return;
	for (size_t i = 0; i < event->other_count; i++) {
		fputs("    also:", out);
		print_who(out, &event->others[i]);
		fputc('\n', out);
		print_frames(output, &event->others[i]);
	}
}

static int print_json(struct event_output *output, const struct hl_event *event)
{
	struct hl_text *text = &output->text;

	text->size = 0;
	if (hl_event_write_json(event, text))
		return -ENOMEM;
	if (output->format == JSON)
		fputs(output->printed ? ",\n" : "[\n", output->options.out);
	if (output->options.name_files) {
		/* One more member, in front of the others. */
		json_t *file = json_string(output->file);

		fputs("{\"file\":", output->options.out);
		if (file)
			json_dumpf(file, output->options.out, JSON_ENCODE_ANY);
		else
			fputs("null", output->options.out);
		json_decref(file);
		fputc(',', output->options.out);
		fwrite(text->bytes + 1, 1, text->size - 1, output->options.out);
	} else {
		fwrite(text->bytes, 1, text->size, output->options.out);
	}
	if (output->format == JSONL)
		fputc('\n', output->options.out);
	return 0;
}

/* To the test formats each event is a test that failed. */
static int keep_result(struct event_output *output, const struct hl_event *event)
{
	char where[512];

	snprintf(where, sizeof(where), "%s:%llu", output->file, (unsigned long long)event->line);
	return json_array_append_new(output->results,
				     json_pack("{s:s, s:s, s:s, s:s*}", "scenario", event->title, "verdict",
					       "FAIL", "reason", where, "kernel", event->kernel))
		       ? -ENOMEM
		       : 0;
}

static int count_title(struct event_output *output, const struct hl_event *event)
{
	const char *title = json_object_size(output->titles) < MOST_TITLES ? event->title : "(other titles)";
	json_t *group = json_object_get(output->titles, title);

	if (!group) {
		group = json_pack("{s:s, s:s, s:i, s:I}", "kind", hl_event_kind_name(event->kind), "title",
				  title, "count", 0, "line", (json_int_t)event->line);
		if (!group || json_object_set_new(output->titles, title, group))
			return -ENOMEM;
		if (!isnan(event->time))
			json_object_set_new(group, "first", json_real(event->time));
	}
	json_object_set_new(group, "count",
			    json_integer(json_integer_value(json_object_get(group, "count")) + 1));
	if (!isnan(event->time))
		json_object_set_new(group, "last", json_real(event->time));
	return 0;
}

static void note_time(struct timeline *timeline, const struct hl_event *event)
{
	double time = isnan(event->time) ? event->host_time : event->time;

	if (isnan(time) || timeline->count == sizeof(timeline->times) / sizeof(*timeline->times))
		return;
	timeline->times[timeline->count] = time;
	timeline->kinds[timeline->count++] = event->kind;
	timeline->first = fmin(timeline->first, time);
	timeline->last = fmax(timeline->last, time);
}

int event_output_add(struct event_output *output, const struct hl_event *event)
{
	int status = 0;

	if (output->titles)
		status = count_title(output, event);
	else if (output->results)
		status = keep_result(output, event);
	else if (output->format == PRETTY)
		print_pretty(output, event);
	else
		status = print_json(output, event);
	if (output->format == PRETTY)
		note_time(&output->timeline, event);
	output->printed++;
	if (output->options.live)
		fflush(output->options.out);
	/* A reader that went away (head, a closed pager) ends the scan. */
	return status ? status : ferror(output->options.out) ? -EPIPE : 0;
}

/* One row for each kind, one column for each part of the time: how many events fell into it. */
static void print_timeline(const struct event_output *output)
{
	const struct timeline *timeline = &output->timeline;
	double width = timeline->last - timeline->first;

	if (output->format != PRETTY || timeline->count < 2 || !(width > 0))
		return;
	fprintf(output->options.out, "\n%-21s%-*.3f%*.3f s\n", "time line", TIMELINE_WIDTH / 2,
		timeline->first, TIMELINE_WIDTH / 2, timeline->last);
	for (int kind = 0; kind < HL_EVENT_KIND_COUNT; kind++) {
		unsigned int counts[TIMELINE_WIDTH] = {0};
		bool any = false;

		for (size_t i = 0; i < timeline->count; i++) {
			if ((int)timeline->kinds[i] != kind)
				continue;
			counts[(int)((timeline->times[i] - timeline->first) / width *
				     (TIMELINE_WIDTH - 1))]++;
			any = true;
		}
		if (!any)
			continue;
		fprintf(output->options.out, "%-20s ", hl_event_kind_name((enum hl_event_kind)kind));
		for (int i = 0; i < TIMELINE_WIDTH; i++)
			fputc(!counts[i]       ? '.'
			      : counts[i] < 10 ? (char)('0' + counts[i])
					       : '+',
			      output->options.out);
		fputc('\n', output->options.out);
	}
}

static int compare_groups(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "count"));
	json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "count"));

	return x < y ? 1 : x > y ? -1 : 0;
}

static void print_groups(struct event_output *output, json_t **groups, size_t count)
{
	FILE *out = output->options.out;
	json_t *results = json_array();

	for (size_t i = 0; i < count; i++) {
		const char *kind = json_string_value(json_object_get(groups[i], "kind"));
		const char *title = json_string_value(json_object_get(groups[i], "title"));
		json_int_t times = json_integer_value(json_object_get(groups[i], "count"));

		if (output->format == PRETTY)
			fprintf(out, "%8lld  %-20s  %s\n", (long long)times, kind, title);
		else if (output->format == JSONL || output->format == JSON)
			json_array_append(results, groups[i]);
		else
			json_array_append_new(
				results, json_pack("{s:s, s:s, s:o}", "scenario", title, "verdict", "FAIL",
						   "reason", json_sprintf("%lld events", (long long)times)));
	}
	if (output->format == JSON) {
		json_dumpf(results, out, JSON_INDENT(2) | TIME_DIGITS);
		fputc('\n', out);
	} else if (output->format == JSONL) {
		for (size_t i = 0; i < json_array_size(results); i++) {
			json_dumpf(json_array_get(results, i), out, JSON_COMPACT | TIME_DIGITS);
			fputc('\n', out);
		}
	} else if (output->format != PRETTY) {
		report_format_find(format_names[output->format])->print(results, out);
	}
	json_decref(results);
}

static void print_summary(struct event_output *output)
{
	json_t **groups = calloc(json_object_size(output->titles) + 1, sizeof(*groups));
	const char *title;
	json_t *group;
	size_t count = 0;

	if (!groups)
		return;
	json_object_foreach (output->titles, title, group)
		groups[count++] = group;
	qsort(groups, count, sizeof(*groups), compare_groups);
	print_groups(output, groups, count);
	free(groups);
}

static void print_results(struct event_output *output)
{
	if (!json_array_size(output->results))
		json_array_append_new(output->results,
				      json_pack("{s:s, s:s}", "scenario", "no events", "verdict", "PASS"));
	report_format_find(format_names[output->format])->print(output->results, output->options.out);
}

void event_output_close(struct event_output *output)
{
	if (!output)
		return;
	if (output->titles)
		print_summary(output);
	else if (output->results)
		print_results(output);
	else if (output->format == JSON)
		fputs(output->printed ? "\n]\n" : "[]\n", output->options.out);
	else
		print_timeline(output);
	fflush(output->options.out);
	json_decref(output->titles);
	json_decref(output->results);
	free(output->text.bytes);
	free(output);
}
