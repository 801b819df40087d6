// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests that boot from an image of the user's, e.g. Windows, have no guest program: hanglab keeps the
 * timeline itself, by the wall clock, and says what the guest program would have said. Such a guest says one
 * thing only: how it ended, through pvpanic or the Hyper-V crash registers.
 */
#include "run/state.h"
#include "vm/clockwatch.h"

#include <string.h>

#define TICK		(NANOSECONDS_PER_SECOND / 20)
/* Seconds that Windows allows a processor without a clock interrupt: 0x61 ticks of 1/64 s, rounded up. */
#define WINDOWS_TIMEOUT 2
#define HEARTBEAT	NANOSECONDS_PER_SECOND

enum step_state { STEP_WAITING, STEP_INJECTING, STEP_ACTIVE, STEP_RELEASED };

/**
 * struct speaker - what is said so far
 * @states, @since: of each step, and since when
 * @heartbeat: when the next one is due
 */
struct speaker {
	struct run *run;
	enum step_state *states;
	int64_t *since;
	int64_t heartbeat;
	json_int_t sequence;
};

static int64_t now(const struct speaker *speaker)
{
	return workload_now() - speaker->run->started;
}

static void say(struct speaker *speaker, const char *type, json_t *message)
{
	char *text;

	json_object_set_new(message, "type", json_string(type));
	json_object_set_new(message, "ns", json_integer(now(speaker)));
	json_object_set_new(message, "sequence", json_integer(speaker->sequence++));
	text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	if (text)
		run_take_line(speaker->run, text, strlen(text));
	free(text);
}

static void say_step(struct speaker *speaker, const char *type, size_t step, const char *state)
{
	say(speaker, type,
	    json_pack("{s:I, s:s, s:s}", "step", (json_int_t)step, "injector",
		      speaker->run->plan->steps[step].inject, "state", state));
}

static void enter(struct speaker *speaker, size_t step, enum step_state state, const char *name)
{
	say_step(speaker, "injection", step, name);
	speaker->states[step] = state;
	speaker->since[step] = now(speaker);
}

/* Without "for" a fault lasts to the end. */
static int64_t hold_of(const struct speaker *speaker, const struct plan_step *step)
{
	return step->hold_for >= 0 ? step->hold_for : clockwatch_end(speaker->run->plan) - step->at;
}

static void advance_step(struct speaker *speaker, size_t index)
{
	const struct plan_step *step = &speaker->run->plan->steps[index];
	const struct injector *injector = injector_find(step->inject);
	int64_t passed = now(speaker) - speaker->since[index];

	if (speaker->states[index] == STEP_WAITING && now(speaker) >= step->at) {
		enter(speaker, index, STEP_INJECTING, "injecting");
		say_step(speaker, "host", index, "inject");
		passed = 0;
	}
	if (speaker->states[index] == STEP_INJECTING && passed >= injector->confirm_after) {
		if (injector->confirm_after)
			say_step(speaker, "host", index, "confirm");
		enter(speaker, index, STEP_ACTIVE, "active");
	} else if (speaker->states[index] == STEP_ACTIVE && passed >= hold_of(speaker, step)) {
		say_step(speaker, "host", index, "release");
		enter(speaker, index, STEP_RELEASED, "released");
	}
}

static bool all_released(const struct speaker *speaker)
{
	for (size_t i = 0; i < speaker->run->plan->step_count; i++)
		if (speaker->states[i] != STEP_RELEASED)
			return false;
	return true;
}

static void on_tick(void *data)
{
	struct speaker *speaker = data;
	struct run *run = speaker->run;

	for (size_t i = 0; i < run->plan->step_count && !run->done; i++)
		advance_step(speaker, i);
	if (now(speaker) >= speaker->heartbeat) {
		speaker->heartbeat += HEARTBEAT;
		say(speaker, "heartbeat", json_pack("{s:[]}", "workloads"));
	}
	if (now(speaker) >= clockwatch_end(run->plan) && all_released(speaker))
		say(speaker, "end", json_object());
	else if (loop_timer(run->loop, TICK, on_tick, speaker, &run->speak_timer, &run->err))
		run_finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
}

int run_speak_for_guest(struct run *run)
{
	struct speaker *speaker = arena_allocate(&run->arena, sizeof(*speaker));
	size_t count = run->plan->step_count + 1;

	speaker->run = run;
	speaker->states = arena_allocate(&run->arena, count * sizeof(*speaker->states));
	speaker->since = arena_allocate(&run->arena, count * sizeof(*speaker->since));
	say(speaker, "boot", json_pack("{s:s, s:s}", "release", run->plan->vm->image, "clocksource", ""));
	say(speaker, "ready",
	    json_pack("{s:{s:i}, s:{}}", "settings", "clockwatch.timeout_secs", WINDOWS_TIMEOUT, "sysctls"));
	say(speaker, "begin", json_pack("{s:i}", "clock_offset", 0));
	return loop_timer(run->loop, TICK, on_tick, speaker, &run->speak_timer, &run->err);
}
