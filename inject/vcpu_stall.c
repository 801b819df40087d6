// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vcpu-stall: some vCPUs stand still while the others run, as when the host does not run their threads.
 *
 * Method stub: QEMU's gdb stub continues the other vCPUs only. In virtual time it does so while the guest has
 * stopped itself, at an exact instant. Evidence: after the VM has run for a while, every register of a vCPU
 * that stands still is what it was, its program counter among them, and another vCPU's are not.
 *
 * Method thread: the host threads of these vCPUs are stopped, and QEMU itself is not asked: it might wait for
 * them. Evidence from /proc: they are stopped by their tracer and use no CPU time, until the release and not
 * only at its beginning, while another vCPU's thread does.
 *
 * The release is proved from inside too: a process goes to each of these CPUs and runs there.
 */
#include "inject/evidence.h"
#include "inject/host_thread.h"

#include "base/units.h"

#include <inttypes.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#define MOST_VCPUS    64
/* An idle vCPU wakes up at least for the heartbeat of the guest program, every second of real time. */
#define MOVE_LIMIT    (5 * NANOSECONDS_PER_SECOND)
#define CONFIRM_AFTER (10 * 1000000LL)

enum method { METHOD_STUB, METHOD_THREAD };

/** struct vcpu_stall - parameters; @method as in enum method */
struct vcpu_stall {
	uint64_t cpus;
	int method;
};

/**
 * struct vcpu_stall_state - see there
 * @before, @now: registers of all, when they came to stand still and later
 * @threads: host thread of each vCPU
 * @threads_before, @threads_now: what these did
 */
struct vcpu_stall_state {
	struct vcpu_registers before[MOST_VCPUS], now[MOST_VCPUS];
	pid_t threads[MOST_VCPUS];
	struct host_thread threads_before[MOST_VCPUS], threads_now[MOST_VCPUS];
};

static bool is_held(const struct injection *injection, size_t cpu)
{
	const struct vcpu_stall *parameters = injection->parameters;

	return parameters->cpus >> cpu & 1;
}

static int stub_inject(struct injection *injection, struct hl_error *err)
{
	const struct vcpu_stall *parameters = injection->parameters;
	const struct injection_vm *vm = injection->vm;
	struct vcpu_stall_state *state = injection->state;
	int r = vm->vcpu_hold(vm->vm, parameters->cpus, true, err);

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

static int stub_confirm(struct injection *injection, struct hl_error *err)
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

static int stub_release(struct injection *injection, struct hl_error *err)
{
	const struct vcpu_stall *parameters = injection->parameters;

	return injection->vm->vcpu_hold(injection->vm->vm, parameters->cpus, false, err);
}

/* That the vCPUs run again can be seen only once the VM does. */
static int stub_confirm_released(struct injection *injection, struct hl_error *err)
{
	(void)injection;
	(void)err;
	return 0;
}

static int look_at_threads(const struct injection *injection, struct host_thread *seen, struct hl_error *err)
{
	const struct vcpu_stall_state *state = injection->state;
	pid_t process = injection->vm->process(injection->vm->vm);
	int r = 0;

	for (size_t cpu = 0; !r && cpu < injection->vm->vcpu_count; cpu++)
		r = host_thread_look(process, state->threads[cpu], &seen[cpu], err);
	return r;
}

static int thread_inject(struct injection *injection, struct hl_error *err)
{
	const struct vcpu_stall *parameters = injection->parameters;
	const struct injection_vm *vm = injection->vm;
	struct vcpu_stall_state *state = injection->state;
	int r = vm->threads(vm->vm, state->threads, err);

	if (!r)
		r = vm->thread_hold(vm->vm, parameters->cpus, true, err);
	return r ? r : look_at_threads(injection, state->threads_before, err);
}

static uint64_t used_time(const struct vcpu_stall_state *state, size_t cpu)
{
	return state->threads_now[cpu].run_nanoseconds - state->threads_before[cpu].run_nanoseconds;
}

static int another_thread_runs(void *data, struct hl_error *err)
{
	struct injection *injection = data;
	struct vcpu_stall_state *state = injection->state;
	int r = look_at_threads(injection, state->threads_now, err);

	for (size_t cpu = 0; !r && cpu < injection->vm->vcpu_count; cpu++)
		if (!is_held(injection, cpu) && used_time(state, cpu))
			return 1;
	return r;
}

static int check_held_threads(const struct injection *injection, struct hl_error *err)
{
	const struct vcpu_stall_state *state = injection->state;

	for (size_t cpu = 0; cpu < injection->vm->vcpu_count; cpu++)
		if (is_held(injection, cpu) &&
		    (state->threads_now[cpu].state != 't' || used_time(state, cpu)))
			return hl_error_set(
				err, EIO, "the thread of vCPU %zu goes on: its state is %c, it used %.3f ms",
				cpu, state->threads_now[cpu].state, (double)used_time(state, cpu) / 1e6);
	return 0;
}

static int thread_confirm(struct injection *injection, struct hl_error *err)
{
	struct vcpu_stall_state *state = injection->state;
	int r = evidence_poll(another_thread_runs, injection, MOVE_LIMIT, err);

	if (r == -ETIMEDOUT)
		return hl_error_set(err, EIO, "no other vCPU's thread runs");
	if (!r)
		r = check_held_threads(injection, err);
	for (size_t cpu = 0; !r && cpu < injection->vm->vcpu_count; cpu++)
		if (is_held(injection, cpu))
			evidence_add(injection, "the thread of vCPU %zu is stopped and used no CPU time",
				     cpu);
	for (size_t cpu = 0; !r && cpu < injection->vm->vcpu_count; cpu++)
		if (used_time(state, cpu))
			evidence_add(injection, "that of vCPU %zu used %.3f ms", cpu,
				     (double)used_time(state, cpu) / 1e6);
	return r;
}

static int thread_release(struct injection *injection, struct hl_error *err)
{
	const struct vcpu_stall *parameters = injection->parameters;
	struct vcpu_stall_state *state = injection->state;
	int r = look_at_threads(injection, state->threads_now, err);

	if (!r)
		r = check_held_threads(injection, err);
	return r ? r : injection->vm->thread_hold(injection->vm->vm, parameters->cpus, false, err);
}

static int held_threads_run(void *data, struct hl_error *err)
{
	struct injection *injection = data;
	struct vcpu_stall_state *state = injection->state;
	int r = look_at_threads(injection, state->threads_now, err);

	for (size_t cpu = 0; !r && cpu < injection->vm->vcpu_count; cpu++)
		if (is_held(injection, cpu) &&
		    (state->threads_now[cpu].state == 't' || !used_time(state, cpu)))
			return 0;
	return r ? r : 1;
}

static int thread_confirm_released(struct injection *injection, struct hl_error *err)
{
	int r = evidence_poll(held_threads_run, injection, MOVE_LIMIT, err);

	if (r == -ETIMEDOUT)
		return hl_error_set(err, EIO, "not every thread that was stopped runs again");
	if (!r)
		evidence_add(injection, "the threads that were stopped use CPU time again");
	return r;
}

static const struct method_steps {
	int (*inject)(struct injection *injection, struct hl_error *err);
	int (*confirm)(struct injection *injection, struct hl_error *err);
	int (*release)(struct injection *injection, struct hl_error *err);
	int (*confirm_released)(struct injection *injection, struct hl_error *err);
} methods[] = {
	[METHOD_STUB] = {stub_inject, stub_confirm, stub_release, stub_confirm_released},
	[METHOD_THREAD] = {thread_inject, thread_confirm, thread_release, thread_confirm_released},
};

static const struct method_steps *method_of(const struct injection *injection)
{
	const struct vcpu_stall *parameters = injection->parameters;

	return &methods[parameters->method];
}

static int vcpu_stall_inject(struct injection *injection, struct hl_error *err)
{
	return method_of(injection)->inject(injection, err);
}

static int vcpu_stall_confirm(struct injection *injection, struct hl_error *err)
{
	return method_of(injection)->confirm(injection, err);
}

static int vcpu_stall_release(struct injection *injection, struct hl_error *err)
{
	return method_of(injection)->release(injection, err);
}

static int vcpu_stall_confirm_released(struct injection *injection, struct hl_error *err)
{
	return method_of(injection)->confirm_released(injection, err);
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

static const struct needs *vcpu_stall_further_needs(const void *parameters)
{
	static const struct needs needs[] = {
		[METHOD_STUB] = {.vm_features = VM_GDB},
		[METHOD_THREAD] = {.real_clock = true, .vm_features = VM_TRACE},
	};
	const struct vcpu_stall *given = parameters;

	return &needs[given->method];
}

static const char *const method_names[] = {
	[METHOD_STUB] = "stub",
	[METHOD_THREAD] = "thread",
	NULL,
};

static const struct parameter vcpu_stall_parameters[] = {
	{.name = "cpus",
	 .type = PARAMETER_CPUS,
	 .offset = offsetof(struct vcpu_stall, cpus),
	 .required = true,
	 .help = "the vCPUs that stand still: 1 or 0,2 or 1-3; one at least must go on"},
	{.name = "method",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct vcpu_stall, method),
	 .fallback = "stub",
	 .choices = method_names,
	 .help = "what holds them: QEMU's gdb stub, or their host threads are stopped (real time)"},
	{.name = NULL},
};

const struct injector injector_vcpu_stall = {
	.name = "vcpu-stall",
	.summary = "let some vCPUs stand still while the others run on",
	.help = "As when the host does not run their threads. Done by QEMU's gdb stub, in virtual and in "
		"real "
		"time;\n"
		"or, in real time, by stopping their threads on the host (ptrace), of the run's own QEMU "
		"only.\n"
		"The guest program keeps off these CPUs; workloads may be hit. Confirmed by their "
		"registers,\n"
		"which do not change while another vCPU's do, or by their threads, which are stopped and use "
		"no\n"
		"CPU time while another vCPU's does; the release by a process that runs there.\n",
	.side = INJECTOR_HOST,
	.holds_vcpus = true,
	.confirm_after = CONFIRM_AFTER,
	.parameters = vcpu_stall_parameters,
	.parameters_size = sizeof(struct vcpu_stall),
	.state_size = sizeof(struct vcpu_stall_state),
	.further_needs = vcpu_stall_further_needs,
	.inject = vcpu_stall_inject,
	.confirm = vcpu_stall_confirm,
	.release = vcpu_stall_release,
	.confirm_released = vcpu_stall_confirm_released,
	.guest_confirm_released = vcpu_stall_runs_again,
};
