// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vcpu-stall: some vCPUs stand still while the others run, as when the host does not run their threads.
 *
 * QEMU's gdb stub continues the other vCPUs only. In virtual time it does so while the guest has stopped
 * itself, at an exact instant. Evidence: after the VM has run for a while, every register of a vCPU that
 * stands still is what it was, its program counter among them, and another vCPU's are not. The release is
 * proved from inside: a process goes to each of these CPUs and runs there.
 */
#include "inject/evidence.h"

#include <inttypes.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#define MOST_VCPUS    64
/* An idle vCPU wakes up at least for the heartbeat of the guest program, every second. */
#define MOVE_LIMIT    (5 * 1000000000LL)
#define CONFIRM_AFTER (10 * 1000000LL)

struct vcpu_stall {
	uint64_t cpus;
};

/**
 * struct vcpu_stall_state - see there
 * @before, @now: registers of all, when they came to stand still and later
 */
struct vcpu_stall_state {
	struct vcpu_registers before[MOST_VCPUS], now[MOST_VCPUS];
};

static bool is_held(const struct injection *injection, size_t cpu)
{
	const struct vcpu_stall *parameters = injection->parameters;

	return parameters->cpus >> cpu & 1;
}

static int vcpu_stall_inject(struct injection *injection, struct hl_error *err)
{
	const struct vcpu_stall *parameters = injection->parameters;
	const struct injection_vm *vm = injection->vm;
	struct vcpu_stall_state *state = injection->state;
	int r = vm->vcpu_hold(vm->vm, parameters->cpus, err);

	return r ? r : vm->vcpu_registers(vm->vm, state->before, err);
}

static bool has_moved(const struct vcpu_stall_state *state, size_t cpu)
{
	return memcmp(&state->before[cpu], &state->now[cpu], sizeof(state->now[cpu])) != 0;
}

static int another_moves(void *data, struct hl_error *err)
{
	struct injection *injection = data;
	struct vcpu_stall_state *state = injection->state;
	int r = injection->vm->vcpu_registers(injection->vm->vm, state->now, err);

	for (size_t cpu = 0; !r && cpu < injection->vm->vcpu_count; cpu++)
		if (!is_held(injection, cpu) && has_moved(state, cpu))
			return 1;
	return r;
}

static int vcpu_stall_confirm(struct injection *injection, struct hl_error *err)
{
	struct vcpu_stall_state *state = injection->state;
	int r = evidence_poll(another_moves, injection, MOVE_LIMIT, err);

	if (r == -ETIMEDOUT)
		return hl_error_set(err, EIO, "no other vCPU moves");
	for (size_t cpu = 0; !r && cpu < injection->vm->vcpu_count; cpu++) {
		if (!is_held(injection, cpu)) {
			if (has_moved(state, cpu))
				evidence_add(injection, "vCPU %zu moves on from 0x%" PRIx64 " to 0x%" PRIx64,
					     cpu, state->before[cpu].rip, state->now[cpu].rip);
			continue;
		}
		if (has_moved(state, cpu))
			return hl_error_set(err, EIO,
					    "vCPU %zu goes on: its program counter was 0x%" PRIx64
					    " and is 0x%" PRIx64,
					    cpu, state->before[cpu].rip, state->now[cpu].rip);
		evidence_add(injection, "vCPU %zu stands still at 0x%" PRIx64, cpu, state->now[cpu].rip);
	}
	return r;
}

static int vcpu_stall_release(struct injection *injection, struct hl_error *err)
{
	return injection->vm->vcpu_hold(injection->vm->vm, 0, err);
}

/* In the guest: a CPU that stands still never gets as far as this. */
static int run_on(int cpu, struct hl_error *err)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return hl_error_errno(err, errno, "go to CPU %d", cpu);
	return sched_getcpu() == cpu ? 0 : hl_error_set(err, EIO, "not on CPU %d", cpu);
}

static int vcpu_stall_runs_again(struct injection *injection, struct hl_error *err)
{
	int r = 0;

	for (int cpu = 0; !r && cpu < MOST_VCPUS; cpu++) {
		if (!is_held(injection, (size_t)cpu))
			continue;
		r = run_on(cpu, err);
		if (!r)
			evidence_add(injection, "a process runs on CPU %d", cpu);
	}
	return r;
}

static const struct parameter vcpu_stall_parameters[] = {
	{.name = "cpus",
	 .type = PARAMETER_CPUS,
	 .offset = offsetof(struct vcpu_stall, cpus),
	 .required = true,
	 .help = "the vCPUs that stand still: 1 or 0,2 or 1-3; one at least must go on"},
	{.name = NULL},
};

const struct injector injector_vcpu_stall = {
	.name = "vcpu-stall",
	.summary = "let some vCPUs stand still while the others run on",
	.help = "As when the host does not run their threads; done by QEMU's gdb stub, in virtual and in "
		"real time.\n"
		"The guest program keeps off these CPUs; workloads may be hit. Confirmed by their "
		"registers,\n"
		"which do not change while another vCPU's do; the release by a process that runs there.\n",
	.side = INJECTOR_HOST,
	.holds_vcpus = true,
	.confirm_after = CONFIRM_AFTER,
	.parameters = vcpu_stall_parameters,
	.parameters_size = sizeof(struct vcpu_stall),
	.state_size = sizeof(struct vcpu_stall_state),
	.needs = {.vm_features = VM_GDB},
	.inject = vcpu_stall_inject,
	.confirm = vcpu_stall_confirm,
	.release = vcpu_stall_release,
	.guest_confirm_released = vcpu_stall_runs_again,
};
