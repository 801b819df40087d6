// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cpu-hog: a process that never sleeps on each of the chosen CPUs.
 *
 * Evidence: /proc/stat. The CPU's time in user space (or in the kernel) grows while its idle time does not.
 *
 * A realtime hog keeps everything else off its CPU, so also what watches the run. The guest program and the
 * injector therefore get a higher realtime priority than the hogs while these are there.
 */
#include "inject/counter.h"
#include "inject/evidence.h"
#include "inject/load.h"
#include "inject/setting.h"

#include "base/units.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define RT_RUNTIME	 "/proc/sys/kernel/sched_rt_runtime_us"
#define HOG_PRIORITY	 50
#define WATCHER_PRIORITY 99
/* A system call this long takes tens of milliseconds. */
#define READ_SIZE	 (16 << 20)
/* /proc/stat counts hundredths of a second (USER_HZ). */
#define TICKS_TO_SEE	 50
#define SEE_LIMIT	 (20 * NANOSECONDS_PER_SECOND)

enum hog_kind { HOG_USER, HOG_REALTIME, HOG_KERNEL };
/* proc_stat(5): user, nice, system, idle ... */
enum stat_column { STAT_USER = 0, STAT_SYSTEM = 2, STAT_IDLE = 3 };

static const char *const kind_names[] = {"user", "realtime", "kernel", NULL};
/* The kernel's default share, and no limit. */
static const char *const runtimes[] = {"-1", "950000"};

struct cpu_hog {
	int kind;
	uint64_t cpus;
	bool throttled;
	int64_t limit;
};

struct cpu_hog_state {
	struct load load;
	struct setting runtime;
};

static void hog_user(struct load_worker *worker)
{
	while (load_goes_on(worker))
		for (volatile int i = 0; i < 10000; i++)
			;
}

static void hog_realtime(struct load_worker *worker)
{
	struct sched_param priority = {.sched_priority = HOG_PRIORITY};

	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		_exit(1);
	hog_user(worker);
}

static void hog_kernel(struct load_worker *worker)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	void *block = mmap(NULL, READ_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	while (load_goes_on(worker)) {
		if (read(zero, block, READ_SIZE) <= 0)
			_exit(1);
		load_count(worker, 1);
	}
}

/* The guest program and this process; what they start does not inherit it. */
static int prefer_watchers(bool on, struct hl_error *err)
{
	struct sched_param priority = {.sched_priority = on ? WATCHER_PRIORITY : 0};
	int policy = on ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER;

	if (sched_setscheduler(1, policy, &priority) || sched_setscheduler(0, policy, &priority))
		return hl_error_errno(err, errno, "change the priority of the guest program");
	return 0;
}

static int cpu_hog_inject(struct injection *injection, struct hl_error *err)
{
	static const load_body bodies[] = {hog_user, hog_realtime, hog_kernel};
	const struct cpu_hog *parameters = injection->parameters;
	struct cpu_hog_state *state = injection->state;
	int r = load_open(&state->load, parameters->limit, err);

	if (!r && parameters->kind == HOG_REALTIME)
		r = setting_change(&state->runtime, RT_RUNTIME, runtimes[parameters->throttled], err);
	if (!r && parameters->kind == HOG_REALTIME)
		r = prefer_watchers(true, err);
	return r ? r
		 : load_start_each(&state->load, "cpu-hog", parameters->cpus, bodies[parameters->kind], NULL,
				   err);
}

/* Its busy time grows by half a second, and its idle time meanwhile by less than a quarter of that. */
static int confirm_busy(struct injection *injection, int cpu, struct hl_error *err)
{
	const struct cpu_hog *parameters = injection->parameters;
	char name[16];
	struct counter busy = {"/proc/stat", name, parameters->kind == HOG_KERNEL ? STAT_SYSTEM : STAT_USER};
	struct counter idle = {"/proc/stat", name, STAT_IDLE};
	int64_t busy_before, idle_before, now = 0, idle_now = 0;
	int r;

	snprintf(name, sizeof(name), "cpu%d", cpu);
	r = counter_read(&busy, &busy_before, err);
	if (!r)
		r = counter_read(&idle, &idle_before, err);
	if (!r)
		r = counter_await(&busy, busy_before + TICKS_TO_SEE, SEE_LIMIT, &now, err);
	if (!r)
		r = counter_read(&idle, &idle_now, err);
	if (r)
		return r;
	if (idle_now - idle_before > TICKS_TO_SEE / 4)
		return hl_error_set(err, EIO, "CPU %d is not busy: it was idle for %" PRId64 " ms", cpu,
				    (idle_now - idle_before) * 10);
	evidence_add(injection, "CPU %d: %" PRId64 " ms of %s time, %" PRId64 " ms idle", cpu,
		     (now - busy_before) * 10, parameters->kind == HOG_KERNEL ? "system" : "user",
		     (idle_now - idle_before) * 10);
	return 0;
}

static int cpu_hog_confirm(struct injection *injection, struct hl_error *err)
{
	const struct cpu_hog *parameters = injection->parameters;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	int r = 0;

	for (int cpu = 0; !r && cpu < online && cpu < 64; cpu++)
		if (parameters->cpus & (UINT64_C(1) << cpu))
			r = confirm_busy(injection, cpu, err);
	return r;
}

static int cpu_hog_release(struct injection *injection, struct hl_error *err)
{
	const struct cpu_hog *parameters = injection->parameters;
	struct cpu_hog_state *state = injection->state;
	int r = load_stop(&state->load, err);

	if (!r)
		r = setting_restore(&state->runtime, err);
	if (!r && parameters->kind == HOG_REALTIME)
		r = prefer_watchers(false, err);
	return r;
}

static int cpu_hog_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct cpu_hog_state *state = injection->state;

	return load_confirm_ended(&state->load, injection, err);
}

static const struct parameter cpu_hog_parameters[] = {
	{.name = "kind",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct cpu_hog, kind),
	 .fallback = "user",
	 .choices = kind_names,
	 .help = "realtime: SCHED_FIFO; kernel: system calls that take long"},
	{.name = "cpus",
	 .type = PARAMETER_CPUS,
	 .offset = offsetof(struct cpu_hog, cpus),
	 .fallback = "all",
	 .help = "which CPUs of the guest"},
	{.name = "throttled",
	 .type = PARAMETER_BOOLEAN,
	 .offset = offsetof(struct cpu_hog, throttled),
	 .fallback = "true",
	 .help = "realtime: the kernel leaves 5 % to others (kernel.sched_rt_runtime_us); false: none"},
	LOAD_LIMIT_PARAMETER(struct cpu_hog, limit),
	{.name = NULL},
};

const struct injector injector_cpu_hog = {
	.name = "cpu-hog",
	.summary = "keep CPUs of the guest busy: user space, realtime or kernel",
	.help = "One process that never sleeps on each CPU. Beside a realtime one, the guest program goes "
		"on\n"
		"with a higher priority. Confirmed by the CPU's times in /proc/stat; the release by the end "
		"of\n"
		"all its processes.\n",
	.side = INJECTOR_GUEST,
	.parameters = cpu_hog_parameters,
	.parameters_size = sizeof(struct cpu_hog),
	.state_size = sizeof(struct cpu_hog_state),
	.inject = cpu_hog_inject,
	.confirm = cpu_hog_confirm,
	.release = cpu_hog_release,
	.confirm_released = cpu_hog_confirm_released,
};
