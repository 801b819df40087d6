// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cgroup-throttle: control groups that are born while their parent is throttled (CFS bandwidth).
 *
 *	hanglab          CPU quota
 *	hanglab/hog      a process that uses the quota up, moved from CPU to CPU
 *	hanglab/b0 ...   one sleeping process each, made while the quota is used up
 *
 * In each round the hog uses up the quota on CPU 0 and is moved to CPU 1, so that the group is throttled on
 * CPU 0 and empty there. Then the others are woken on CPU 0 from CPU 1 and moved away at once: the scheduler
 * of CPU 0 has been told to prefer a group that has nothing to run. Kernels before commit 094f469172e0
 * (4.7), which do not pass the throttle count on to new groups, dereference NULL in pick_next_task_fair()
 * within seconds (measured with that commit undone). One more process keeps CPU 0 busy.
 *
 * Evidence: nr_throttled of the group's cpu.stat.
 */
#include "inject/control_group.h"
#include "inject/counter.h"
#include "inject/evidence.h"
#include "inject/load.h"

#include "base/cleanup.h"
#include "base/units.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PARENT		 "hanglab"
#define HOG_GROUP	 PARENT "/hog"
#define MOST_GROUPS	 100
#define PERIOD		 "100000"
#define QUOTA		 "8000"
/* Until the quota is used up, between two births, until the others sleep again, until it is used up again
 * (longer and longer, over the phases of a period). All are those of the measured reproduction. */
#define BEFORE_BIRTHS	 500000000
#define BETWEEN_BIRTHS	 9000000
#define SETTLE		 120000000
#define USE_UP		 110000000
#define PHASES		 7
#define PHASE		 9000000
#define THROTTLES_TO_SEE 5
#define CONFIRM_LIMIT	 (30 * NANOSECONDS_PER_SECOND)

struct cgroup_throttle {
	int64_t groups, limit;
};

/**
 * struct cgroup_throttle_state
 * @wake: pipe of each sleeping process: a byte wakes it
 * @hog, @sleepers: index of their processes in @load
 */
struct cgroup_throttle_state {
	struct load load;
	struct control_groups groups;
	int64_t count, made;
	int wake[MOST_GROUPS][2];
	size_t hog, sleepers;
	int64_t throttled_before;
};

static void group_name(int64_t number, char *name, size_t size)
{
	snprintf(name, size, PARENT "/b%" PRId64, number);
}

static void move_to_cpu(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(pid, sizeof(set), &set);
}

static void spin(const struct load_worker *worker)
{
	while (load_goes_on(worker))
		for (volatile int i = 0; i < 10000; i++)
			;
}

static void use_quota(struct load_worker *worker)
{
	const struct cgroup_throttle_state *state = worker->data;

	if (control_group_join(&state->groups, HOG_GROUP, NULL))
		_exit(1);
	spin(worker);
}

static void keep_cpu_busy(struct load_worker *worker)
{
	spin(worker);
}

static void sleep_until_woken(struct load_worker *worker)
{
	const struct cgroup_throttle_state *state = worker->data;
	size_t number = worker->number - state->sleepers;
	char group[64], byte;

	group_name((int64_t)number, group, sizeof(group));
	if (control_group_join(&state->groups, group, NULL))
		_exit(1);
	while (load_goes_on(worker))
		if (read(state->wake[number][0], &byte, 1) != 1)
			_exit(1);
}

static void one_round(struct load_worker *worker, uint64_t round)
{
	const struct cgroup_throttle_state *state = worker->data;
	/* Copied by fork(): it has the processes that were started before this one. */
	const pid_t *pids = state->load.pids;
	pid_t hog = pids[state->hog];

	kill(hog, SIGSTOP);
	move_to_cpu(hog, 0);
	for (int64_t i = 0; i < state->count; i++)
		move_to_cpu(pids[state->sleepers + (size_t)i], 0);
	load_pause(worker, SETTLE);
	kill(hog, SIGCONT);
	load_pause(worker, USE_UP + (int64_t)(round % PHASES) * PHASE);
	move_to_cpu(hog, 1);
	for (int64_t i = 0; i < state->count; i++) {
		if (write(state->wake[i][1], "", 1) != 1)
			_exit(1);
		move_to_cpu(pids[state->sleepers + (size_t)i], 1);
	}
	load_count(worker, (uint64_t)state->count);
}

static void wake_and_move(struct load_worker *worker)
{
	for (uint64_t round = 0; load_goes_on(worker); round++)
		one_round(worker, round);
}

/* @quota: microseconds of each PERIOD; "-1" or "max" for no limit, in the words of the version */
static int limit_parent(const struct control_groups *groups, const char *quota, struct hl_error *err)
{
	char limit[64];
	int r;

	snprintf(limit, sizeof(limit), "%s " PERIOD, quota);
	if (groups->version == CONTROL_GROUP_V2)
		return control_group_set(groups, PARENT, "cpu.max", limit, err);
	r = control_group_set(groups, PARENT, "cpu.cfs_period_us", PERIOD, err);
	return r ? r : control_group_set(groups, PARENT, "cpu.cfs_quota_us", quota, err);
}

static int make_parent(struct cgroup_throttle_state *state, struct hl_error *err)
{
	int r = control_groups_mount(&state->groups, "cpu", err);

	if (!r)
		r = control_group_make(&state->groups, PARENT, true, err);
	if (!r)
		r = control_group_make(&state->groups, HOG_GROUP, false, err);
	return r ? r : limit_parent(&state->groups, QUOTA, err);
}

static void sleep_for(long nanoseconds)
{
	const struct timespec pause = {0, nanoseconds};

	nanosleep(&pause, NULL);
}

/* Each group is born at another moment of the period; for most of it the parent is throttled, on both CPUs.
 */
static int bear_groups(struct cgroup_throttle_state *state, int64_t limit, struct hl_error *err)
{
	struct load other_cpu = {0};
	int r = load_open(&other_cpu, limit, err), ended;

	if (!r)
		r = load_start(&other_cpu, "cgroup-hog", 1, use_quota, state, err);
	if (r)
		return r;

	sleep_for(BEFORE_BIRTHS);
	for (; !r && state->made < state->count; state->made++) {
		char name[64];

		group_name(state->made, name, sizeof(name));
		r = control_group_make(&state->groups, name, false, err);
		sleep_for(BETWEEN_BIRTHS);
	}
	ended = load_stop(&other_cpu, r ? NULL : err);
	return r ? r : ended;
}

static int start_sleepers(struct cgroup_throttle_state *state, struct hl_error *err)
{
	int r = 0;

	state->sleepers = state->load.count;
	for (int64_t i = 0; !r && i < state->count; i++) {
		if (pipe(state->wake[i]))
			return hl_error_errno(err, errno, "make a pipe");
		r = load_start(&state->load, "cgroup-sleeper", 0, sleep_until_woken, state, err);
	}
	return r;
}

static struct counter throttled(char *path)
{
	return (struct counter){path, "nr_throttled", 0};
}

static int cgroup_throttle_inject(struct injection *injection, struct hl_error *err)
{
	const struct cgroup_throttle *parameters = injection->parameters;
	struct cgroup_throttle_state *state = injection->state;
	int r = load_open(&state->load, parameters->limit, err);

	if (!r && sysconf(_SC_NPROCESSORS_ONLN) < 2)
		r = hl_error_set(err, EINVAL, "it needs two CPUs");
	if (!r)
		r = make_parent(state, err);
	if (r)
		return r;
	state->count = parameters->groups;
	state->hog = state->load.count;
	r = load_start(&state->load, "cgroup-hog", 0, use_quota, state, err);
	if (!r)
		r = bear_groups(state, parameters->limit, err);
	if (!r)
		r = start_sleepers(state, err);
	if (!r)
		r = load_start(&state->load, "cpu-hog", 0, keep_cpu_busy, state, err);
	return r ? r : load_start(&state->load, "cgroup-waker", 1, wake_and_move, state, err);
}

/* From here on, and not only of the time in which the groups were made. */
static int cgroup_throttle_confirm(struct injection *injection, struct hl_error *err)
{
	struct cgroup_throttle_state *state = injection->state;
	cleanup_free char *path = control_group_path(&state->groups, PARENT, "cpu.stat");
	const struct counter counter = throttled(path);
	int64_t now;
	int r = counter_read(&counter, &state->throttled_before, err);

	if (!r)
		r = counter_await(&counter, state->throttled_before + THROTTLES_TO_SEE, CONFIRM_LIMIT, &now,
				  err);
	if (!r)
		evidence_add(injection,
			     "nr_throttled +%" PRId64 " with %" PRId64 " groups born while it was throttled",
			     now - state->throttled_before, state->made);
	return r;
}

/*
 * Without the quota they end sooner. A process that sleeps sees that the load was stopped when it is woken.
 */
static int cgroup_throttle_release(struct injection *injection, struct hl_error *err)
{
	struct cgroup_throttle_state *state = injection->state;
	cleanup_free char *path = control_group_path(&state->groups, PARENT, "cpu.stat");
	const struct counter counter = throttled(path);
	int64_t now = 0;
	int r = counter_read(&counter, &now, err);

	evidence_add(injection, "nr_throttled +%" PRId64, now - state->throttled_before);
	if (!r)
		r = limit_parent(&state->groups, state->groups.version == CONTROL_GROUP_V2 ? "max" : "-1",
				 err);
	if (!r)
		r = load_ask_to_end(&state->load, err);
	for (int64_t i = 0; !r && i < state->count; i++)
		if (write(state->wake[i][1], "", 1) != 1)
			r = hl_error_errno(err, errno, "wake a process of the load");
	return r ? r : load_stop(&state->load, err);
}

static int remove_groups(struct cgroup_throttle_state *state, struct hl_error *err)
{
	int r = control_group_remove(&state->groups, HOG_GROUP, err);

	for (int64_t i = 0; !r && i < state->made; i++) {
		char name[64];

		group_name(i, name, sizeof(name));
		r = control_group_remove(&state->groups, name, err);
	}
	return r ? r : control_group_remove(&state->groups, PARENT, err);
}

/* The kernel removes only groups without processes. */
static int cgroup_throttle_confirm_released(struct injection *injection, struct hl_error *err)
{
	struct cgroup_throttle_state *state = injection->state;
	int r = load_confirm_ended(&state->load, injection, err);

	if (!r)
		r = remove_groups(state, err);
	if (!r)
		evidence_add(injection, "its groups are removed");
	return r;
}

static const struct parameter cgroup_throttle_parameters[] = {
	{.name = "groups",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct cgroup_throttle, groups),
	 .fallback = "40",
	 .least = 1,
	 .most = MOST_GROUPS,
	 .help = "control groups born while their parent is throttled"},
	LOAD_LIMIT_PARAMETER(struct cgroup_throttle, limit),
	{.name = NULL},
};

static const char *const config[] = {"CFS_BANDWIDTH", NULL};

const struct injector injector_cgroup_throttle = {
	.name = "cgroup-throttle",
	.summary = "CPU quotas of nested control groups that are born while throttled",
	.help = "Tasks of such groups are woken on a CPU where the quota is used up, and moved away at "
		"once.\n"
		"Uses version 2 of control groups, or version 1 on a kernel that has no other. Confirmed by\n"
		"nr_throttled in cpu.stat; the release by the removal of the groups.\n",
	.side = INJECTOR_GUEST,
	.parameters = cgroup_throttle_parameters,
	.parameters_size = sizeof(struct cgroup_throttle),
	.state_size = sizeof(struct cgroup_throttle_state),
	.needs = {.config = config},
	.inject = cgroup_throttle_inject,
	.confirm = cgroup_throttle_confirm,
	.release = cgroup_throttle_release,
	.confirm_released = cgroup_throttle_confirm_released,
};
