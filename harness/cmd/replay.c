// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "cmd/command.h"
#include "cmd/scenario_options.h"
#include "report/live.h"
#include "report/report.h"
#include "run/again.h"
#include "run/pool.h"
#include "run/run.h"
#include "vm/pin.h"

#include <string.h>
#include <unistd.h>

enum { EQUAL = 0, DIFFERS = 1, COULD_NOT = 2 };

/**
 * struct replay - a run and its repetition
 * @earlier: the run
 * @settings: how to repeat it
 */
struct replay {
	struct earlier_run earlier;
	struct run_settings settings;
};

/* In a process of its own, as every run. */
static json_t *run_again(void *data, size_t index)
{
	struct replay *replay = data;
	const struct plan *plan = &replay->earlier.plan;
	struct live live = {.out = stdout, .terminal = isatty(STDOUT_FILENO), .name = plan->scenario};
	cleanup_fd int place = -1;
	json_t *result = NULL;

	(void)index;
	replay->settings.observer = live_observer(&live);
	if (plan->vm->clock == PLAN_CLOCK_VIRTUAL)
		place = pin_process();
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

/* What is not as it was then, and may be the reason for a difference. */
static void print_changes(const json_t *old, const json_t *new)
{
	static const char *const keys[] = {"qemu", "accel", "release", "start"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(result_text(old, keys[i]), result_text(new, keys[i])) != 0)
			printf("note: %s was %s, is %s\n", keys[i], result_text(old, keys[i]),
			       result_text(new, keys[i]));
	if (strcmp(argument_of(old, "-initrd"), argument_of(new, "-initrd")) != 0)
		printf("note: the initramfs is another one: hanglab's guest program, or a package whose "
		       "tools "
		       "are in it, has changed\n");
}

static void print_side(const char *when, const char *text)
{
	printf("  %s  %s\n", when, text ? text : "(nothing: it ended before)");
}

static int tell_difference(const struct repetition *repetition)
{
	const char *where = repetition->where;

	if (!strcmp(where, "verdict"))
		printf("DIFFERS: the verdict\n");
	else if (!strcmp(where, "event"))
		printf("DIFFERS: event %zu\n", repetition->difference.number);
	else
		printf("DIFFERS: line %zu of %s\n", repetition->difference.number, where);
	print_side("then", repetition->difference.first);
	print_side("now ", repetition->difference.second);
	return DIFFERS;
}

static int tell(const struct repetition *repetition)
{
	if (repetition->where)
		return tell_difference(repetition);
	if (!strcmp(repetition->exact, "bytes"))
		printf("EQUAL to the byte: console.log, %zu bytes, and kmsg.log, %zu bytes\n",
		       repetition->console, repetition->kmsg);
	else if (!strcmp(repetition->exact, "events"))
		printf("EQUAL in events and their order: %zu events. Bytes cannot be compared: a fault or a "
		       "disk "
		       "on the host's side, a snapshot or a post-mortem took part\n",
		       repetition->events);
	else
		printf("EQUAL in the verdict. More cannot be compared: in real time no run repeats "
		       "another\n");
	return EQUAL;
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
	print_changes(replay->earlier.result, result);
	if (earlier_run_compare(&replay->earlier, result, &repetition, &err))
		code = command_error(line, COULD_NOT, &err);
	else
		code = tell(&repetition);
	difference_clear(&repetition.difference);
	printf("  then in %s\n  now in  %s\n", replay->earlier.folder, result_text(result, "folder"));
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
	const char *out = command_option(line, "out");
	cleanup_free char *guest = run_guest_program();
	struct hl_error err = HL_ERROR_INIT;
	struct replay replay = {
		.settings = {.out = out ? out : "runs", .guest_program = guest},
	};
	int code = scenario_option_multiplier(line, &replay.settings.multiplier);

	if (code)
		return code;
	if (earlier_run_open(&replay.earlier, line->operands[0], &err)) {
		code = command_error(line, COULD_NOT, &err);
	} else {
		replay.settings.warm = !strcmp(result_text(replay.earlier.result, "start"), "warm");
		code = repeat(line, &replay);
	}
	earlier_run_close(&replay.earlier);
	return code;
}

static const struct command_option options[] = {
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
		"Exit code: 0 equal, 1 it differs, 2 it could not be repeated.\n",
	.example = "hanglab replay runs/latest\n",
	.options = options,
	.fewest = 1,
	.most = 1,
	.run = run,
};
