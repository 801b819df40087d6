// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What depends on guest and machine. Guests without the guest program: clockwatch and images of the user's.
 * They start no workloads, and only hanglab itself can break something.
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

/* Bochs has none of QEMU's devices, and nothing to control it by. */
static int check_bochs_step(const char *path, const struct plan_step *step, struct hl_error *err)
{
	const struct injector *injector = step->inject ? injector_find(step->inject) : NULL;

	if (injector && injector->side == INJECTOR_HOST && injector->needs.vm_features != VM_RAM)
		return fail(step->source, "inject",
			    "%s needs QEMU; in Bochs only the guest's memory is within reach",
			    injector->name);
	return 0;
}

static int check_bochs(const char *path, const struct plan *plan, struct hl_error *err)
{
	const struct plan_vm *vm = plan->vm;
	int r = 0;

	if (vm->clock != PLAN_CLOCK_REAL)
		return fail(vm->source, "machine", "Bochs needs real time: write vm: {clock: real}");
	if (vm->cpus != 1 || vm->guest != PLAN_GUEST_LINUX || vm->cpu || vm->accel == PLAN_ACCEL_KVM)
		return fail(vm->source, "machine",
			    "Bochs runs Linux on one CPU of its own: write cpus: 1, and neither guest, cpu "
			    "nor accel");
	for (size_t i = 0; i < plan->disk_count; i++)
		if (!plan_via_is_inside((enum plan_via)plan->disks[i].via))
			return fail(plan->disks[i].source, "via", "Bochs has only disks inside the guest");
	for (size_t i = 0; !r && i < plan->step_count; i++)
		r = check_bochs_step(path, &plan->steps[i], err);
	return r;
}

int scenario_check_guest(const char *path, const struct plan *plan, struct hl_error *err)
{
	const char *guest = plan_guest_names[plan->vm->guest];
	int r;

	if (plan->vm->image && plan->vm->guest != PLAN_GUEST_IMAGE)
		return fail(plan->vm->source, "image", "only the guest image has one: write guest: image");
	if (plan->vm->machine == PLAN_MACHINE_BOCHS)
		return check_bochs(path, plan, err);
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
