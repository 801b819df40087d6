// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/clockwatch.h"

#include "base/file.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

#define MILLISECOND (NANOSECONDS_PER_SECOND / 1000)
/* What detector_deadline() makes of the guest's 0x61 clock ticks, and one second more. */
#define LEAST_WATCH (6 * NANOSECONDS_PER_SECOND)

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t begin_of(const struct plan_step *step)
{
	return later(step->at, 0);
}

static int64_t last_release(const struct plan *plan)
{
	int64_t last = 0;

	for (size_t i = 0; i < plan->step_count; i++)
		last = later(last, begin_of(&plan->steps[i]) + later(plan->steps[i].hold_for, 0));
	return last;
}

static int64_t longest_watch(const struct plan *plan)
{
	int64_t longest = LEAST_WATCH;

	for (size_t i = 0; i < plan->check_count; i++)
		longest = later(longest, plan->checks[i].within + NANOSECONDS_PER_SECOND);
	return longest;
}

int64_t clockwatch_end(const struct plan *plan)
{
	return last_release(plan) + longest_watch(plan);
}

/* Without "for" a fault lasts to the end. */
static void print_step(FILE *out, const struct plan_step *step, size_t number, int64_t end)
{
	int64_t begin = begin_of(step), hold = step->hold_for >= 0 ? step->hold_for : end - begin;
	const struct injector *injector = injector_find(step->inject);

	fprintf(out, " step=%zu,%s,%" PRId64 ",%" PRId64 ",%" PRId64, number, injector->name,
		begin / MILLISECOND, hold / MILLISECOND, injector->confirm_after / MILLISECOND);
}

const char *clockwatch_command_line(const struct plan *plan, struct arena *arena)
{
	int64_t end = clockwatch_end(plan);
	char *text = NULL, *kept;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fprintf(out, "processors=%" PRId64 " stop=%d end=%" PRId64, plan->vm->cpus,
		plan->vm->clock == PLAN_CLOCK_VIRTUAL, end / MILLISECOND);
	for (size_t i = 0; i < plan->step_count; i++)
		print_step(out, &plan->steps[i], i, end);
	fclose(out);
	kept = arena_string(arena, text);
	free(text);
	return kept;
}

char *clockwatch_program(void)
{
	return file_shipped("build/clockwatch", "../libexec/hanglab/clockwatch");
}
