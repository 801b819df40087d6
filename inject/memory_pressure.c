// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory-pressure: the guest, or a control group of it, runs out of memory.
 *
 * With "oom" a process allocates until the OOM killer ends it, again and again. It asks to be the victim
 * (oom_score_adj); the injector asks not to be one. Without, one process of a control group exceeds
 * memory.high, where the kernel slows it down instead; or one process leaves the guest only little memory.
 *
 * Evidence: oom_kill or high of the group's memory.events; oom_kill of /proc/vmstat; MemAvailable of
 * /proc/meminfo. For balloon pressure from the host there is the injector balloon.
 */
#include "inject/control_group.h"
#include "inject/counter.h"
#include "inject/evidence.h"
#include "inject/load.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUP	      "hanglab-memory"
#define CHUNK	      ((size_t)1 << 20)
#define CONFIRM_LIMIT (30 * NANOSECONDS_PER_SECOND)
#define HOLD_POLL     50000000
#define SLOWED_TO_SEE 3

enum pressure_kind { PRESSURE_CGROUP, PRESSURE_GLOBAL };

static const char *const kind_names[] = {"cgroup", "global", NULL};

struct memory_pressure {
	int kind;
	bool oom;
	uint64_t size, leave;
	int64_t interval, limit;
};

struct memory_pressure_state {
	struct load load;
	struct control_groups groups;
	const struct memory_pressure *parameters;
	int64_t before, available_before;
};

static const struct counter available = {"/proc/meminfo", "MemAvailable", 0};

static bool in_group(const struct memory_pressure_state *state)
{
	return state->parameters->kind == PRESSURE_CGROUP;
}

static void join_group(const struct memory_pressure_state *state)
{
	if (in_group(state) && control_group_join(&state->groups, GROUP, NULL))
		_exit(1);
}

/* Touched at once; NULL when there is none. */
static void *take_chunk(void)
{
	void *chunk =
		mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return chunk == MAP_FAILED ? NULL : chunk;
}

static void allocate_until_killed(const struct load_worker *worker)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (file_set("/proc/self/oom_score_adj", "1000", NULL))
		_exit(1);
	join_group(worker->data);
	while (load_goes_on(worker))
		if (!take_chunk())
			load_pause(worker, HOLD_POLL);
	_exit(0);
}

/* Counts those that were killed. */
static void be_killed_again_and_again(struct load_worker *worker)
{
	const struct memory_pressure_state *state = worker->data;

	while (load_goes_on(worker)) {
		int status;
		pid_t pid = fork();

		if (!pid)
			allocate_until_killed(worker);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || (WIFEXITED(status) && WEXITSTATUS(status)))
			_exit(1);
		if (WIFSIGNALED(status))
			load_count(worker, 1);
		load_pause(worker, state->parameters->interval);
	}
}

/* Beyond memory.high, back to nothing, and again. */
static void be_slowed_down(struct load_worker *worker)
{
	const struct memory_pressure_state *state = worker->data;
	size_t most = state->parameters->size + state->parameters->size / 4;

	join_group(state);
	while (load_goes_on(worker)) {
		char *memory = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (size_t at = 0; memory != MAP_FAILED && at < most && load_goes_on(worker); at += 4096)
			*(volatile char *)(memory + at) = 1;
		munmap(memory, most);
		load_count(worker, 1);
	}
}

static bool little_is_left(const struct memory_pressure *parameters)
{
	int64_t kilobytes;

	return counter_read(&available, &kilobytes, NULL) || kilobytes * 1024 <= (int64_t)parameters->leave;
}

static void leave_little(struct load_worker *worker)
{
	const struct memory_pressure_state *state = worker->data;

	while (load_goes_on(worker)) {
		while (!little_is_left(state->parameters) && load_goes_on(worker))
			if (!take_chunk())
				_exit(1);
		load_pause(worker, HOLD_POLL);
	}
}

static struct counter measured(const struct memory_pressure_state *state, char *events)
{
	if (!in_group(state))
		return (struct counter){"/proc/vmstat", "oom_kill", 0};
	return (struct counter){events, state->parameters->oom ? "oom_kill" : "high", 0};
}

static int make_group(struct memory_pressure_state *state, struct hl_error *err)
{
	char size[32];
	int r = control_groups_mount(&state->groups, "memory", err);

	if (!r && state->groups.version != CONTROL_GROUP_V2)
		r = hl_error_set(err, ENOTSUP, "this kernel has no memory control groups of version 2");
	if (!r)
		r = control_group_make(&state->groups, GROUP, false, err);
	snprintf(size, sizeof(size), "%" PRIu64, state->parameters->size);
	return r ? r
		 : control_group_set(&state->groups, GROUP,
				     state->parameters->oom ? "memory.max" : "memory.high", size, err);
}

static int memory_pressure_inject(struct injection *injection, struct hl_error *err)
{
	struct memory_pressure_state *state = injection->state;
	load_body body;
	int r;

	state->parameters = injection->parameters;
	r = load_open(&state->load, state->parameters->limit, err);
	if (!r)
		r = file_set("/proc/self/oom_score_adj", "-1000", err);
	if (!r)
		r = counter_read(&available, &state->available_before, err);
	if (!r && in_group(state))
		r = make_group(state, err);
	if (!r && (in_group(state) || state->parameters->oom)) {
		cleanup_free char *events = control_group_path(&state->groups, GROUP, "memory.events");
		const struct counter counter = measured(state, events);

		r = counter_read(&counter, &state->before, err);
	}
	if (state->parameters->oom)
		body = be_killed_again_and_again;
	else
		body = in_group(state) ? be_slowed_down : leave_little;
	return r ? r : load_start(&state->load, "memory-hog", -1, body, state, err);
}

static int has_little_left(void *data, struct hl_error *err)
{
	(void)err;
	return little_is_left(data);
}

static int confirm_little_left(struct injection *injection, struct hl_error *err)
{
	const struct memory_pressure_state *state = injection->state;
	int64_t kilobytes = 0;
	int r = evidence_poll(has_little_left, (void *)state->parameters, CONFIRM_LIMIT, err);

	if (r)
		return hl_error_set(err, -r, "much of the memory is still available");
	counter_read(&available, &kilobytes, NULL);
	evidence_add(injection, "MemAvailable went from %" PRId64 " kB to %" PRId64 " kB",
		     state->available_before, kilobytes);
	return 0;
}

static int memory_pressure_confirm(struct injection *injection, struct hl_error *err)
{
	const struct memory_pressure_state *state = injection->state;
	cleanup_free char *events = NULL;
	struct counter counter;
	int64_t now;
	int r;

	if (!in_group(state) && !state->parameters->oom)
		return confirm_little_left(injection, err);
	events = control_group_path(&state->groups, GROUP, "memory.events");
	counter = measured(state, events);
	r = counter_await(&counter, state->before + (state->parameters->oom ? 1 : SLOWED_TO_SEE),
			  CONFIRM_LIMIT, &now, err);
	if (!r)
		evidence_add(injection, "%s +%" PRId64 " in %s", counter.name, now - state->before,
			     in_group(state) ? "memory.events" : counter.path);
	return r;
}

static int memory_pressure_release(struct injection *injection, struct hl_error *err)
{
	struct memory_pressure_state *state = injection->state;

	return load_stop(&state->load, err);
}

/* The processes are gone and so is what they held. */
static int memory_pressure_confirm_released(struct injection *injection, struct hl_error *err)
{
	struct memory_pressure_state *state = injection->state;
	int64_t kilobytes;
	int r = load_confirm_ended(&state->load, injection, err);

	if (!r && in_group(state))
		r = control_group_remove(&state->groups, GROUP, err);
	if (!r)
		r = counter_await(&available, state->available_before * 3 / 4, CONFIRM_LIMIT, &kilobytes,
				  err);
	if (!r)
		evidence_add(injection, "MemAvailable is %" PRId64 " kB", kilobytes);
	return r;
}

static const struct parameter memory_pressure_parameters[] = {
	{.name = "kind",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct memory_pressure, kind),
	 .fallback = "global",
	 .choices = kind_names,
	 .help = "of one control group, or of the whole guest"},
	{.name = "oom",
	 .type = PARAMETER_BOOLEAN,
	 .offset = offsetof(struct memory_pressure, oom),
	 .fallback = "true",
	 .help = "until the OOM killer acts; false: a group is slowed down, the guest has little left"},
	{.name = "size",
	 .type = PARAMETER_SIZE,
	 .offset = offsetof(struct memory_pressure, size),
	 .fallback = "32M",
	 .least = 4 << 20,
	 .most = 1LL << 40,
	 .help = "cgroup: memory.max of the group, or memory.high without OOM"},
	{.name = "leave",
	 .type = PARAMETER_SIZE,
	 .offset = offsetof(struct memory_pressure, leave),
	 .fallback = "32M",
	 .least = 4 << 20,
	 .most = 1LL << 40,
	 .help = "global without OOM: how much stays available"},
	{.name = "interval",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct memory_pressure, interval),
	 .fallback = "1s",
	 .least = 1000000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "with OOM: from one kill to the next allocation"},
	LOAD_LIMIT_PARAMETER(struct memory_pressure, limit),
	{.name = NULL},
};

static const char *const config[] = {"MEMCG", NULL};

const struct injector injector_memory_pressure = {
	.name = "memory-pressure",
	.summary = "the guest or a control group of it runs out of memory",
	.help = "With OOM the kernel's killer ends one process after the other: events of the kind oom.\n"
		"Confirmed by oom_kill or high in memory.events, by oom_kill in /proc/vmstat, or by "
		"MemAvailable;\n"
		"the release by the memory that is available again. From the host's side: balloon.\n",
	.side = INJECTOR_GUEST,
	.parameters = memory_pressure_parameters,
	.parameters_size = sizeof(struct memory_pressure),
	.state_size = sizeof(struct memory_pressure_state),
	.needs = {.config = config},
	.inject = memory_pressure_inject,
	.confirm = memory_pressure_confirm,
	.release = memory_pressure_release,
	.confirm_released = memory_pressure_confirm_released,
};
