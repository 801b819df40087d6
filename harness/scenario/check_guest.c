// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests without the guest program: clockwatch and images of the user's. They start no workloads, and only
 * hanglab itself can break something.
 */
#include "scenario/check.h"

#include "scenario/loader.h"
#include "vm/clockwatch.h"

#include <string.h>

#define fail(source, key, ...) scenario_error(err, path, schema_position(source, key), __VA_ARGS__)

static int check_step(const char *path, const struct plan_step *step, const char *guest, struct hl_error *err)
{
	const struct injector *injector = step->inject ? injector_find(step->inject) : NULL;

	if (!injector)
		return fail(step->source, "start", "the guest %s has no workloads", guest);
	if (injector->side == INJECTOR_GUEST || injector->guest_confirm ||
	    (injector->guest_confirm_released && !injector->holds_vcpus))
		return fail(step->source, "inject", "%s works inside Linux; the guest %s has none",
			    injector->name, guest);
	if (step->after || step->until)
		return fail(step->source, step->after ? "after" : "until",
			    "the guest %s waits for no events: write 'at' and 'for'", guest);
	if (plan_step_held_vcpus(step) & 1 && !strcmp(guest, plan_guest_names[PLAN_GUEST_CLOCKWATCH]))
		return fail(step->with, "cpus",
			    "vCPU 0 of the guest clockwatch keeps the time: leave it out");
	return 0;
}

/* Each of the two has something that the other has not. */
static int check_vm(const char *path, const struct plan *plan, struct hl_error *err)
{
	const struct plan_vm *vm = plan->vm;
	bool image = vm->guest == PLAN_GUEST_IMAGE;

	if (!image && vm->cpus < 2)
		return fail(vm->source, "cpus",
			    "the guest clockwatch watches its other processors: write 2 or more");
	if (!image && plan->step_count > CLOCKWATCH_MOST_STEPS)
		return fail(plan->steps[CLOCKWATCH_MOST_STEPS].source, NULL,
			    "the guest clockwatch times at most %d injections", CLOCKWATCH_MOST_STEPS);
	if (image && !vm->image)
		return fail(vm->source, "guest", "the guest image needs 'image: FILE'");
	if (image && vm->clock != PLAN_CLOCK_REAL)
		return fail(vm->source, "guest", "the guest image needs real time: write vm: {clock: real}");
	return 0;
}

int scenario_check_guest(const char *path, const struct plan *plan, struct hl_error *err)
{
	const char *guest = plan_guest_names[plan->vm->guest];
	int r;

	if (plan->vm->image && plan->vm->guest != PLAN_GUEST_IMAGE)
		return fail(plan->vm->source, "image", "only the guest image has one: write guest: image");
	if (plan->vm->guest == PLAN_GUEST_LINUX)
		return 0;
	if (plan->disk_count)
		return fail(plan->disks[0].source, "name", "the guest %s has no disks", guest);
	if (json_object_size(plan->sysctl))
		return fail(plan->source, "sysctl", "the guest %s has no sysctls", guest);
	r = check_vm(path, plan, err);
	for (size_t i = 0; !r && i < plan->step_count; i++)
		r = check_step(path, &plan->steps[i], guest, err);
	return r;
}
