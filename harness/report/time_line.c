// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/time_line.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "report/report.h"

#include <string.h>
#include <sys/stat.h>

/* An operation that took less is not worth a span. */
#define SHORTEST_WAIT 0.2

/**
 * struct builder - lanes while they are made
 * @folder: of the run
 * @run: what is made, see time_line.h
 * @from, @to: guest seconds of the first and the last thing that happened in the timeline, -1 for none yet
 * @clock_offset: seconds to add to times of the kernel log to get guest time
 */
struct builder {
	const char *folder;
	json_t *run;
	double from, to, clock_offset;
};

static double seconds_of(const json_t *message, const char *key)
{
	return (double)json_integer_value(json_object_get(message, key)) / NANOSECONDS_PER_SECOND;
}

static json_t *lane_of(struct builder *builder, const char *group, const char *name)
{
	json_t *lanes = json_object_get(builder->run, "lanes"), *lane;
	size_t i;

	json_array_foreach (lanes, i, lane)
		if (!strcmp(result_text(lane, "group"), group) && !strcmp(result_text(lane, "name"), name))
			return lane;
	lane = json_pack("{s:s, s:s, s:[], s:[], s:[]}", "group", group, "name", name, "spans", "marks",
			 "progress");
	json_array_append_new(lanes, lane);
	return lane;
}

static void add_span(json_t *lane, double from, double to, const char *state, const char *text)
{
	json_array_append_new(
		json_object_get(lane, "spans"),
		json_pack("{s:f, s:f, s:s, s:s}", "from", from, "to", to, "state", state, "text", text));
}

static json_t *add_mark(json_t *lane, double at, const char *text)
{
	json_t *mark = json_pack("{s:f, s:s}", "at", at, "text", text);

	json_array_append_new(json_object_get(lane, "marks"), mark);
	return mark;
}

static json_t *last_span(json_t *lane)
{
	json_t *spans = json_object_get(lane, "spans");

	return json_array_get(spans, json_array_size(spans) - 1);
}

/* The steps of a fault: each state lasts until the next one. */
static void on_injection(struct builder *builder, const json_t *message, double at)
{
	cleanup_free char *name = file_path("%s (step %.0f)", result_text(message, "injector"),
					    result_number(message, "step") + 1);
	json_t *lane = lane_of(builder, "fault", name), *before = last_span(lane);
	cleanup_free char *released = file_path("released: %s", result_text(message, "evidence"));
	const char *state = result_text(message, "state");

	if (before)
		json_object_set_new(before, "to", json_real(at));
	if (strcmp(state, "released") != 0)
		add_span(lane, at, -1, state, result_text(message, "evidence"));
	else
		add_mark(lane, at, released);
}

/* One operation in flight makes one span, however many heartbeats saw it. */
static void add_wait(json_t *lane, double from, double to, double stall)
{
	const char *state = to - from >= stall ? "stalled" : "waiting";
	json_t *before = last_span(lane);

	if (to - from < SHORTEST_WAIT)
		return;
	if (before && from - result_number(before, "from") < SHORTEST_WAIT) {
		json_object_set_new(before, "to", json_real(to));
		json_object_set_new(before, "state", json_string(state));
		return;
	}
	add_span(lane, from, to, state, "");
}

static void on_heartbeat(struct builder *builder, const json_t *message, double at)
{
	double stall = result_number(builder->run, "stall");
	const json_t *workload;
	size_t i;

	json_array_foreach (json_object_get(message, "workloads"), i, workload) {
		json_t *lane = lane_of(builder, "workload", result_text(workload, "name"));

		json_array_append_new(json_object_get(lane, "progress"),
				      json_pack("[f, f]", at, result_number(workload, "acknowledged")));
		add_wait(lane, at - seconds_of(workload, "in_flight"), at, stall);
	}
}

/* The heartbeats come once a second, or more rarely while all workloads stall: the exact end of a wait is
 * what "resumed" says. */
static void on_recovery(struct builder *builder, const json_t *message, double at)
{
	json_t *lane = lane_of(builder, "workload", result_text(message, "name")), *before = last_span(lane);

	if (strcmp(result_text(message, "state"), "resumed") != 0)
		return;
	if (before)
		json_object_set_new(before, "to", json_real(at));
	add_mark(lane, at, "resumed");
}

static void on_workload(struct builder *builder, const json_t *message, double at)
{
	add_mark(lane_of(builder, "workload", result_text(message, "name")), at,
		 result_text(message, "state"));
}

static void on_begin(struct builder *builder, const json_t *message, double at)
{
	builder->from = at;
	builder->clock_offset = seconds_of(message, "clock_offset");
}

static const struct {
	const char *type;
	void (*handle)(struct builder *builder, const json_t *message, double at);
} handlers[] = {
	{"begin", on_begin},	   {"heartbeat", on_heartbeat}, {"injection", on_injection},
	{"recovery", on_recovery}, {"workload", on_workload},
};

static void take_message(struct builder *builder, const json_t *message)
{
	double at = seconds_of(message, "ns");

	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (!strcmp(handlers[i].type, result_text(message, "type")))
			handlers[i].handle(builder, message, at);
	if (at > builder->to)
		builder->to = at;
}

/* A line that is cut, because the run was, or that is none of ours, is passed over. */
static void take_lines(struct builder *builder, const char *name,
		       void (*take)(struct builder *builder, const json_t *object))
{
	cleanup_free char *path = file_path("%s/%s", builder->folder, name), *line = NULL;
	cleanup_file FILE *file = fopen(path, "re");
	size_t size = 0;
	ssize_t length;

	while (file && (length = getline(&line, &size, file)) > 0) {
		json_t *object = line[0] == '{' ? json_loadb(line, (size_t)length, 0, NULL) : NULL;

		if (object)
			take(builder, object);
		json_decref(object);
	}
}

static bool event_is_of_cpu(const json_t *event)
{
	static const char *const kinds[] = {"soft_lockup", "hard_lockup", "rcu_stall", "csd_stall"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(result_text(event, "kind"), kinds[i]))
			return json_object_get(event, "cpu") != NULL;
	return false;
}

static void add_stuck_cpu(struct builder *builder, const json_t *event, double at)
{
	cleanup_free char *name = file_path("CPU %.0f", result_number(event, "cpu"));

	add_span(lane_of(builder, "cpu", name), at - result_number(event, "seconds"), at, "stuck",
		 result_text(event, "title"));
}

static void take_event(struct builder *builder, const json_t *event)
{
	json_t *events = json_object_get(builder->run, "events"), *kept = json_deep_copy(event), *lane, *mark;
	double at = result_number(event, "time");

	/* What hanglab itself found has guest time already, and belongs to the workload. */
	if (!strcmp(result_text(event, "kind"), "stalled")) {
		lane = lane_of(builder, "workload", result_text(event, "comm"));
	} else {
		lane = lane_of(builder, "kernel", "kernel log");
		at += builder->clock_offset;
	}
	json_object_set_new(kept, "at", json_real(at));
	mark = add_mark(lane, at, result_text(event, "title"));
	json_object_set_new(mark, "event", json_integer((json_int_t)json_array_size(events)));
	json_array_append_new(events, kept);
	if (event_is_of_cpu(event))
		add_stuck_cpu(builder, event, at);
	if (at > builder->to)
		builder->to = at;
}

/*
 * What the host does has no guest time of its own: it happens at the last one that the guest had named. The
 * guest's own messages are in the journal too, and say what time that is.
 */
static void take_journal_line(struct builder *builder, const json_t *line)
{
	static const char *const actions[] = {"inject", "confirm", "release", "confirm_released"};
	json_t *host = lane_of(builder, "host", "host");
	const char *action = result_text(line, "action");

	if (json_object_get(line, "ns"))
		json_object_set_new(host, "now", json_real(seconds_of(line, "ns")));
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(action, actions[i])) {
			cleanup_free char *text = file_path("%s %s", action, result_text(line, "injector"));

			add_mark(host, result_number(host, "now"), text);
		}
}

/* What was still going on at the end ends there; lanes in which nothing happened go. */
static void close_lanes(struct builder *builder)
{
	json_t *lanes = json_object_get(builder->run, "lanes");

	for (size_t i = json_array_size(lanes); i-- > 0;) {
		json_t *lane = json_array_get(lanes, i), *open = last_span(lane);

		json_object_del(lane, "now");
		if (open && result_number(open, "to") < 0)
			json_object_set_new(open, "to", json_real(builder->to));
		if (!open && !json_array_size(json_object_get(lane, "marks")) &&
		    !json_array_size(json_object_get(lane, "progress")))
			json_array_remove(lanes, i);
	}
}

static void sort_lanes(struct builder *builder)
{
	static const char *const order[] = {"fault", "workload", "kernel", "cpu", "host"};
	json_t *lanes = json_object_get(builder->run, "lanes"), *sorted = json_array(), *lane;
	size_t i;

	for (size_t group = 0; group < sizeof(order) / sizeof(order[0]); group++)
		json_array_foreach (lanes, i, lane)
			if (!strcmp(result_text(lane, "group"), order[group]))
				json_array_append(sorted, lane);
	json_object_set_new(builder->run, "lanes", sorted);
}

/* Parsed, or NULL with the reason in @err, which may be NULL. */
static json_t *read_json(const char *folder, const char *name, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", folder, name), *text = NULL;
	json_error_t why;
	json_t *json;
	size_t size;

	if (file_read(path, &text, &size, err))
		return NULL;
	json = json_loadb(text, size, 0, &why);
	if (!json)
		hl_error_set(err, EINVAL, "%s:%d: %s", path, why.line, why.text);
	return json;
}

static json_t *result_of(const char *folder, const json_t *plan)
{
	json_t *result = read_json(folder, "result.json", NULL);

	return json_is_object(result)
		       ? result
		       : json_pack("{s:s, s:s, s:s}", "scenario", result_text(plan, "scenario"), "verdict",
				   "BROKEN", "reason", "the run was cut off: it left no result");
}

static json_t *scenario_text(const char *folder)
{
	cleanup_free char *path = file_path("%s/scenario.yaml", folder), *text = NULL;
	size_t size = 0;
	json_t *json = file_read(path, &text, &size, NULL) ? NULL : json_stringn(text, size);

	return json ? json : json_string("");
}

/* Seconds after which an operation in flight counts as a stall. */
static double stall_of(const json_t *plan)
{
	int64_t stall = 5 * NANOSECONDS_PER_SECOND;
	const char *text = result_text(plan, "stall");

	if (text[0])
		units_parse_duration(text, &stall, NULL);
	return (double)stall / NANOSECONDS_PER_SECOND;
}

static void build(struct builder *builder)
{
	take_lines(builder, "channel.log", take_message);
	take_lines(builder, "events.jsonl", take_event);
	take_lines(builder, "journal.jsonl", take_journal_line);
	close_lanes(builder);
	sort_lanes(builder);
	json_object_set_new(builder->run, "from", json_real(builder->from < 0 ? 0 : builder->from));
	json_object_set_new(builder->run, "to", json_real(builder->to < 0 ? 0 : builder->to));
}

int time_line_load(const char *folder, json_t **run, struct hl_error *err)
{
	struct builder builder = {.folder = folder, .from = -1, .to = -1};
	cleanup_free char *absolute = realpath(folder, NULL);
	json_t *plan;

	if (!absolute)
		return hl_error_errno(err, errno, "open the run %s", folder);
	plan = read_json(folder, "plan.json", err);
	if (!plan)
		return hl_error_prefix(err, "%s is no run folder", folder);
	builder.run = json_pack("{s:s, s:o, s:o, s:f, s:[], s:[]}", "folder", absolute, "result",
				result_of(folder, plan), "scenario_text", scenario_text(folder), "stall",
				stall_of(plan), "events", "lanes");
	json_decref(plan);
	build(&builder);
	*run = builder.run;
	return 0;
}
