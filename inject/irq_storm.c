// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * irq-storm: timer interrupts at a high rate on each of the chosen CPUs.
 *
 * A sampling perf event on the CPU clock is a high-resolution timer that rearms itself in interrupt context
 * (perf_swevent_hrtimer() in kernel/events/core.c, at most one in 10 us), whatever runs on that CPU; no
 * process has to be woken for it.
 *
 * Evidence: the LOC line (local timer interrupts) of /proc/interrupts.
 */
#include "inject/counter.h"
#include "inject/evidence.h"
#include "inject/load.h"
#include "inject/workload/workload.h"

#include "base/units.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONFIRM_LIMIT (4 * NANOSECONDS_PER_SECOND)
#define QUIET_LIMIT   (5 * NANOSECONDS_PER_SECOND)

struct irq_storm {
	uint64_t cpus;
	int64_t rate, limit;
};

struct irq_storm_state {
	struct load load;
};

static void storm(struct load_worker *worker)
{
	const struct irq_storm *parameters = worker->data;
	struct perf_event_attr event = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(event),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = (uint64_t)(NANOSECONDS_PER_SECOND / parameters->rate),
	};
	unsigned int cpu;

	syscall(SYS_getcpu, &cpu, NULL, NULL);
	if (syscall(SYS_perf_event_open, &event, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC) < 0)
		_exit(1);
	while (load_goes_on(worker))
		load_pause(worker, NANOSECONDS_PER_SECOND);
}

static int irq_storm_inject(struct injection *injection, struct hl_error *err)
{
	const struct irq_storm *parameters = injection->parameters;
	struct irq_storm_state *state = injection->state;
	int r = load_open(&state->load, parameters->limit, err);

	return r ? r : load_start_each(&state->load, "irq-storm", parameters->cpus, storm, parameters, err);
}

static struct counter interrupts_of(int cpu)
{
	return (struct counter){"/proc/interrupts", "LOC", (size_t)cpu};
}

/* What should take half a second comes within four: a CPU may not be able to take more. */
static int confirm_cpu(struct injection *injection, int cpu, struct hl_error *err)
{
	const struct irq_storm *parameters = injection->parameters;
	const struct counter counter = interrupts_of(cpu);
	int64_t before, after, began = workload_now();
	int r = counter_read(&counter, &before, err);

	if (!r)
		r = counter_await(&counter, before + parameters->rate / 2, CONFIRM_LIMIT, &after, err);
	if (r)
		return r;
	evidence_add(injection, "CPU %d: %" PRId64 " timer interrupts in %" PRId64 " ms", cpu, after - before,
		     (workload_now() - began) / 1000000);
	return 0;
}

static int irq_storm_confirm(struct injection *injection, struct hl_error *err)
{
	const struct irq_storm *parameters = injection->parameters;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	int r = 0;

	for (int cpu = 0; !r && cpu < online && cpu < 64; cpu++)
		if (parameters->cpus & (UINT64_C(1) << cpu))
			r = confirm_cpu(injection, cpu, err);
	return r;
}

static int irq_storm_release(struct injection *injection, struct hl_error *err)
{
	struct irq_storm_state *state = injection->state;

	return load_stop(&state->load, err);
}

/**
 * struct quiet - how many interrupts come
 * @rate: of the storm, on each CPU
 * @at, @seen: when the counter was read last, and what it was then
 */
struct quiet {
	int64_t rate, at, seen;
};

static int is_quiet(void *data, struct hl_error *err)
{
	static const struct counter all = {"/proc/interrupts", "LOC", COUNTER_SUM};
	struct quiet *quiet = data;
	int64_t now = workload_now(), elapsed = now - quiet->at, seen, most;
	int r = counter_read(&all, &seen, err);

	if (r)
		return r;
	most = quiet->rate * elapsed / NANOSECONDS_PER_SECOND / 2;
	r = quiet->at && seen - quiet->seen < most;
	quiet->at = now;
	quiet->seen = seen;
	return r;
}

static int irq_storm_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct irq_storm *parameters = injection->parameters;
	const struct irq_storm_state *state = injection->state;
	struct quiet quiet = {parameters->rate, 0, 0};
	int r = evidence_poll(is_quiet, &quiet, QUIET_LIMIT, err);

	if (r == -ETIMEDOUT)
		return hl_error_set(err, ETIMEDOUT, "the timer interrupts go on");
	return r ? r : load_confirm_ended(&state->load, injection, err);
}

static const struct parameter irq_storm_parameters[] = {
	{.name = "rate",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct irq_storm, rate),
	 .fallback = "10000",
	 .least = 2000,
	 .most = 100000,
	 .help = "interrupts per second on each CPU"},
	{.name = "cpus",
	 .type = PARAMETER_CPUS,
	 .offset = offsetof(struct irq_storm, cpus),
	 .fallback = "all",
	 .help = "which CPUs of the guest"},
	LOAD_LIMIT_PARAMETER(struct irq_storm, limit),
	{.name = NULL},
};

static const char *const config[] = {"PERF_EVENTS", "HIGH_RES_TIMERS", NULL};

const struct injector injector_irq_storm = {
	.name = "irq-storm",
	.summary = "timer interrupts at a high rate on CPUs of the guest",
	.help = "A self-rearming high-resolution timer on each CPU. Confirmed by the local timer interrupts "
		"(LOC)\n"
		"in /proc/interrupts: half a second's worth of them within four seconds. The release by "
		"their\n"
		"end.\n",
	.side = INJECTOR_GUEST,
	.parameters = irq_storm_parameters,
	.parameters_size = sizeof(struct irq_storm),
	.state_size = sizeof(struct irq_storm_state),
	.needs = {.config = config},
	.inject = irq_storm_inject,
	.confirm = irq_storm_confirm,
	.release = irq_storm_release,
	.confirm_released = irq_storm_confirm_released,
};
