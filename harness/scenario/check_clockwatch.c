// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario/check.h"

#include "scenario/loader.h"
#include "vm/clockwatch.h"

#define fail(source, key, ...) scenario_error(err, path, schema_position(source, key), __VA_ARGS__)

static int check_step(const char *path, const struct plan_step *step, struct hl_error *err)
{
	const struct injector *injector = step->inject ? injector_find(step->inject) : NULL;

	if (!injector)
		return fail(step->source, "start", "the guest clockwatch has no workloads");
	if (injector->side == INJECTOR_GUEST || injector->guest_confirm || injector->guest_confirm_released)
		return fail(step->source, "inject", "%s works inside Linux; the guest clockwatch has none",
			    injector->name);
	if (step->after || step->until)
		return fail(step->source, step->after ? "after" : "until",
			    "the guest clockwatch waits for no events: write 'at' and 'for'");
	return 0;
}

int scenario_check_clockwatch(const char *path, const struct plan *plan, struct hl_error *err)
{
	if (plan->vm->cpus < 2)
		return fail(plan->vm->source, "cpus",
			    "the guest clockwatch watches its other processors: write 2 or more");
	if (plan->disk_count)
		return fail(plan->disks[0].source, "name", "the guest clockwatch has no disks");
	if (json_object_size(plan->sysctl))
		return fail(plan->source, "sysctl", "the guest clockwatch has no sysctls");
	if (plan->step_count > CLOCKWATCH_MOST_STEPS)
		return fail(plan->steps[CLOCKWATCH_MOST_STEPS].source, NULL,
			    "the guest clockwatch times at most %d injections", CLOCKWATCH_MOST_STEPS);
	for (size_t i = 0; i < plan->step_count; i++) {
		int r = check_step(path, &plan->steps[i], err);

		if (r)
			return r;
	}
	return 0;
}
