// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * steal: the host gives the VM's vCPUs only a share of its CPU time (cpu.max of cgroup v2, cpu.cfs_quota_us
 * of v1), as an overcommitted hypervisor does.
 *
 * It acts on the vCPU threads of the run's own QEMU, whatever the scenario says. Evidence: nr_throttled of
 * their control group grows. It does so only while the guest wants more than it gets: start a load first.
 */
#include "inject/evidence.h"
#include "inject/inject.h"

#include "base/units.h"

#include <inttypes.h>

#define PERIODS_TO_SEE 5
#define CONFIRM_LIMIT  (10 * NANOSECONDS_PER_SECOND)
/* Ten periods in which nobody has to wait. */
#define QUIET	       NANOSECONDS_PER_SECOND

struct steal {
	int64_t share;
};

/** struct steal_state - nr_throttled before and at the release */
struct steal_state {
	int64_t before, at_release;
};

static int steal_inject(struct injection *injection, struct hl_error *err)
{
	const struct steal *parameters = injection->parameters;
	struct steal_state *state = injection->state;
	int r = injection->vm->cpu_share(injection->vm->vm, (int)parameters->share, err);

	return r ? r : injection->vm->cpu_throttled(injection->vm->vm, &state->before, err);
}

static int was_throttled(void *data, struct hl_error *err)
{
	struct injection *injection = data;
	struct steal_state *state = injection->state;
	int r = injection->vm->cpu_throttled(injection->vm->vm, &state->at_release, err);

	return r ? r : state->at_release >= state->before + PERIODS_TO_SEE;
}

static int steal_confirm(struct injection *injection, struct hl_error *err)
{
	const struct steal_state *state = injection->state;
	int r = evidence_poll(was_throttled, injection, CONFIRM_LIMIT, err);

	if (r == -ETIMEDOUT)
		return hl_error_set(err, ETIMEDOUT,
				    "the vCPUs had to wait in %" PRId64 " periods only: is the guest busy?",
				    state->at_release - state->before);
	if (!r)
		evidence_add(injection, "the vCPUs had to wait in %" PRId64 " periods (nr_throttled)",
			     state->at_release - state->before);
	return r;
}

static int steal_release(struct injection *injection, struct hl_error *err)
{
	struct steal_state *state = injection->state;
	int r = injection->vm->cpu_share(injection->vm->vm, 0, err);

	return r ? r : injection->vm->cpu_throttled(injection->vm->vm, &state->at_release, err);
}

static int steal_confirm_released(struct injection *injection, struct hl_error *err)
{
	struct steal_state *state = injection->state;
	int64_t released = state->at_release + 1;
	struct steal_state watched = {.before = released};
	struct injection watch = {.state = &watched, .vm = injection->vm};
	/* One period may have been under way. */
	int r = evidence_poll(was_throttled, &watch, QUIET, err);

	if (r == -ETIMEDOUT) {
		evidence_add(injection, "the vCPUs had to wait in %" PRId64 " periods, and in none after it",
			     state->at_release - state->before);
		return 0;
	}
	return r ? r : hl_error_set(err, EIO, "the vCPUs still have to wait");
}

static const struct parameter steal_parameters[] = {
	{.name = "share",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct steal, share),
	 .fallback = "20",
	 .least = 1,
	 .most = 6400,
	 .help = "percent of one host CPU for all vCPUs together"},
	{.name = NULL},
};

const struct injector injector_steal = {
	.name = "steal",
	.summary = "the host gives the vCPUs only a share of its CPU time (control groups)",
	.help = "Acts on the vCPU threads of the run's own QEMU only, in a control group that hanglab makes "
		"and\n"
		"removes. Needs the cpu controller of control groups, and leave to make groups there; else "
		"the "
		"run is\n"
		"SKIPped. Confirmed by nr_throttled, which grows only while the guest is busy.\n",
	.side = INJECTOR_HOST,
	.parameters = steal_parameters,
	.parameters_size = sizeof(struct steal),
	.state_size = sizeof(struct steal_state),
	.needs = {.real_clock = true, .vm_features = VM_CPU_SHARE},
	.inject = steal_inject,
	.confirm = steal_confirm,
	.release = steal_release,
	.confirm_released = steal_confirm_released,
};
