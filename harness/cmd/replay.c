// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "cmd/command.h"
#include "cmd/scenario_options.h"
#include "report/live.h"
#include "report/report.h"
#include "run/again.h"
#include "run/pool.h"
#include "run/run.h"

#include <string.h>
#include <unistd.h>

enum { EQUAL = 0, DIFFERS = 1, COULD_NOT = 2 };

/**
 * struct replay - a run and its repetition
 * @earlier: the run
 * @settings: how to repeat it
 * @json: the answer is printed as JSON
 */
struct replay {
	struct earlier_run earlier;
	struct run_settings settings;
	bool json;
};

/* In a process of its own, as every run. */
static json_t *run_again(void *data, size_t index)
{
	struct replay *replay = data;
	const struct plan *plan = &replay->earlier.plan;
	struct live live = {.out = replay->json ? stderr : stdout,
			    .terminal = isatty(replay->json ? STDERR_FILENO : STDOUT_FILENO),
			    .name = plan->scenario};
	json_t *result = NULL;

	(void)index;
	replay->settings.observer = live_observer(&live);
	run_scenario(plan, replay->earlier.scenario, &replay->settings, &result);
	live_clear(&live);
	return result;
}

/* The value behind an option of the recorded QEMU command line, or "". */
static const char *argument_of(const json_t *result, const char *option)
{
	const json_t *command = json_object_get(result, "command"), *word;
	size_t i;

	json_array_foreach (command, i, word)
		if (!strcmp(json_string_value(word), option))
			return json_string_value(json_array_get(command, i + 1)) ?: "";
	return "";
}

static void add_change(json_t *changes, const char *what, const char *then, const char *now)
{
	if (strcmp(then, now) != 0)
		json_array_append_new(changes,
				      json_pack("{s:s, s:s, s:s}", "what", what, "then", then, "now", now));
}

/* What is not as it was then, and may be the reason for a difference. */
static json_t *list_changes(const json_t *old, const json_t *new)
{
	static const char *const keys[] = {"qemu", "accel", "release", "start"};
	json_t *changes = json_array();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		add_change(changes, keys[i], result_text(old, keys[i]), result_text(new, keys[i]));
	add_change(changes, "initramfs", argument_of(old, "-initrd"), argument_of(new, "-initrd"));
	return changes;
}

static json_t *answer_json(const struct replay *replay, const json_t *result,
			   const struct repetition *repetition)
{
	json_t *json = json_pack("{s:i, s:s, s:b, s:s, s:I, s:I, s:I, s:o, s:s, s:s}", "schema", 1, "form",
				 "replay", "equal", !repetition->where, "exact", repetition->exact, "events",
				 (json_int_t)repetition->events, "console_bytes",
				 (json_int_t)repetition->console, "kmsg_bytes", (json_int_t)repetition->kmsg,
				 "changes", list_changes(replay->earlier.result, result), "then",
				 replay->earlier.folder, "now", result_text(result, "folder"));

	if (repetition->where)
		json_object_set_new(json, "difference",
				    json_pack("{s:s, s:I, s:s?, s:s?}", "where", repetition->where, "number",
					      (json_int_t)repetition->difference.number, "then",
					      repetition->difference.first, "now",
					      repetition->difference.second));
	return json;
}

static void print_changes(const json_t *changes)
{
	const json_t *change;
	size_t i;

	json_array_foreach (changes, i, change) {
		if (!strcmp(result_text(change, "what"), "initramfs"))
			printf("note: the initramfs is another one: hanglab's guest program, or a package "
			       "whose tools are in it, has changed\n");
		else
			printf("note: %s was %s, is %s\n", result_text(change, "what"),
			       result_text(change, "then"), result_text(change, "now"));
	}
}

static void print_side(const char *when, const json_t *difference, const char *key)
{
	const char *text = json_string_value(json_object_get(difference, key));

	printf("  %s  %s\n", when, text ? text : "(nothing: it ended before)");
}

static void print_difference(const json_t *difference)
{
	const char *where = result_text(difference, "where");

	if (!strcmp(where, "verdict"))
		printf("DIFFERS: the verdict\n");
	else if (!strcmp(where, "event"))
		printf("DIFFERS: event %.0f\n", result_number(difference, "number"));
	else
		printf("DIFFERS: line %.0f of %s\n", result_number(difference, "number"), where);
	print_side("then", difference, "then");
	print_side("now ", difference, "now");
}

static void print_equal(const json_t *answer)
{
	const char *exact = result_text(answer, "exact");

	if (!strcmp(exact, "bytes"))
		printf("EQUAL to the byte: console.log, %.0f bytes, and kmsg.log, %.0f bytes\n",
		       result_number(answer, "console_bytes"), result_number(answer, "kmsg_bytes"));
	else if (!strcmp(exact, "events"))
		printf("EQUAL in events and their order: %.0f events. Bytes cannot be compared: a fault or a "
		       "disk on the host's side, a snapshot or a post-mortem took part\n",
		       result_number(answer, "events"));
	else
		printf("EQUAL in the verdict. More cannot be compared: in real time no run repeats "
		       "another\n");
}

static void print_answer(const json_t *answer)
{
	const json_t *difference = json_object_get(answer, "difference");

	print_changes(json_object_get(answer, "changes"));
	if (difference)
		print_difference(difference);
	else
		print_equal(answer);
	printf("  then in %s\n  now in  %s\n", result_text(answer, "then"), result_text(answer, "now"));
}

static int tell(const struct replay *replay, const json_t *result, const struct repetition *repetition)
{
	json_t *answer = answer_json(replay, result, repetition);

	if (replay->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_answer(answer);
	}
	json_decref(answer);
	return repetition->where ? DIFFERS : EQUAL;
}

static int compare(const struct command_line *line, const struct replay *replay, const json_t *result)
{
	struct repetition repetition = {0};
	struct hl_error err = HL_ERROR_INIT;
	int code;

	/* Without a word of the guest's kernel there was no run. */
	if (!result_text(result, "release")[0] && result_text(replay->earlier.result, "release")[0]) {
		hl_error_set(&err, EIO, "the run could not be repeated: %s: %s",
			     result_text(result, "verdict"), result_text(result, "reason"));
		return command_error(line, COULD_NOT, &err);
	}
	if (earlier_run_compare(&replay->earlier, result, &repetition, &err))
		code = command_error(line, COULD_NOT, &err);
	else
		code = tell(replay, result, &repetition);
	difference_clear(&repetition.difference);
	return code;
}

static bool was_debugged(const json_t *result)
{
	return json_is_true(json_object_get(result, "debugged"));
}

static int tell_not_debugged(const struct command_line *line, const json_t *result)
{
	struct hl_error err = HL_ERROR_INIT;

	if (!strcmp(result_text(result, "verdict"), "BROKEN") || !result) {
		hl_error_set(&err, EIO, "the run could not be repeated: %s", result_text(result, "reason"));
		return command_error(line, COULD_NOT, &err);
	}
	printf("the kernel reported no hang and did not panic: nothing stopped the run\n");
	return DIFFERS;
}

/*
 * The guest stops itself where it would for a post-mortem. Whoever debugs ends the run as he likes: that it
 * did not end by itself is no failure.
 */
static int debug(const struct command_line *line, struct replay *replay)
{
	struct hl_error err = HL_ERROR_INIT;
	json_t *results = NULL;
	int r, code = EQUAL;

	replay->settings.debug = true;
	replay->earlier.plan.postmortem = PLAN_POSTMORTEM_HANG;
	json_object_set_new(replay->earlier.plan.json, "postmortem", json_string("hang"));
	r = pool_run(1, 1, run_again, replay, &results, &err);
	if (r && r != -EINTR)
		code = command_error(line, COULD_NOT, &err);
	else if (!was_debugged(json_array_get(results, 0)))
		code = tell_not_debugged(line, json_array_get(results, 0));
	json_decref(results);
	return code;
}

static int repeat(const struct command_line *line, struct replay *replay)
{
	struct hl_error err = HL_ERROR_INIT;
	json_t *results = NULL;
	int code;

	if (pool_run(1, 1, run_again, replay, &results, &err))
		code = command_error(line, COULD_NOT, &err);
	else
		code = compare(line, replay, json_array_get(results, 0));
	json_decref(results);
	return code;
}

static int run(const struct command_line *line)
{
	const char *out = command_option(line, "out"), *format = command_option(line, "format");
	cleanup_free char *guest = run_guest_program();
	struct hl_error err = HL_ERROR_INIT;
	struct replay replay = {
		.settings = {.out = out ? out : "runs", .guest_program = guest},
		.json = format && !strcmp(format, "json"),
	};
	int code = scenario_option_multiplier(line, &replay.settings.multiplier);

	if (code)
		return code;
	if (format && !replay.json && strcmp(format, "pretty") != 0)
		return command_usage_error(line, "--format: '%s' is not pretty or json", format);
	if (earlier_run_open(&replay.earlier, line->operands[0], &err)) {
		code = command_error(line, COULD_NOT, &err);
	} else {
		replay.settings.warm = !strcmp(result_text(replay.earlier.result, "start"), "warm");
		code = command_option(line, "gdb") ? debug(line, &replay) : repeat(line, &replay);
	}
	earlier_run_close(&replay.earlier);
	return code;
}

static const struct command_option options[] = {
	{"gdb", 'g', NULL, "stop at the first hang or panic with a gdb stub ready, instead of comparing"},
	{"format", 'f', "pretty|json", "form of the answer; default pretty"},
	{"out", 'o', "DIR", "where the folder of the new run goes; default runs"},
	{"timeout-multiplier", 0, "X", "stretch the harness's own deadlines on a slow machine; default 1"},
	{NULL, 0, NULL, NULL},
};

const struct command command_replay = {
	.name = "replay",
	.summary = "repeat a run and compare the two",
	.operands = "RUN",
	.help = "Repeats the run in the folder RUN: its plan with all that its command line had changed, its "
		"kernel,\n"
		"seed, clock and accelerator. Then compares what can be compared, which is what \"exact\" of "
		"the\n"
		"result says: console and kernel log byte for byte, or the kernel's events and their order, "
		"or in\n"
		"real time the verdict alone. Names the first difference, and what else has changed since: "
		"QEMU,\n"
		"the guest program.\n\n"
		"With --gdb: stops the guest when the kernel reports the first hang, or panics, says how to "
		"attach gdb,\n"
		"and waits until gdb lets it go on or kills it, or for Ctrl-C.\n\n"
		"Exit code: 0 equal (or debugged), 1 it differs (or nothing stopped it), 2 it could not be "
		"repeated.\n",
	.example = "hanglab replay runs/latest\n"
		   "hanglab replay --gdb runs/latest\n",
	.options = options,
	.fewest = 1,
	.most = 1,
	.run = run,
};
