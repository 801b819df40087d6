// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/channel.h"
#include "inject/guest/guest.h"
#include "inject/guest/system.h"
#include "inject/guest/waits.h"
#include "inject/stall.h"

#include "base/units.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* An operation that waits for so long is worth a look when something else is found to hang. */
#define SAMPLE_AGE   NANOSECONDS_PER_SECOND
/* The kernel reports many tasks at a time, and again every interval. */
#define SAMPLE_AGAIN (10 * NANOSECONDS_PER_SECOND)

/**
 * struct running - a workload of the plan
 * @step: index of its step
 * @run: what its callbacks get
 * @pid: of its process
 * @stalled: the operation (by its start) whose stall was reported
 * @sampled: the operation of which was sampled what it waits for
 * @marked: acknowledged operations when workloads_mark() was called
 */
struct running {
	struct guest *guest;
	size_t step;
	const struct workload *workload;
	struct workload_run run;
	pid_t pid;
	bool ended;
	int64_t stalled, sampled;
	uint64_t marked;
	struct running *next;
};

static struct running *all;

static json_t *describe(const struct running *running, const char *state)
{
	return json_pack("{s:I, s:s, s:s}", "step", (json_int_t)running->step, "name", running->run.name,
			 "state", state);
}

static void run_workload(struct child *child, void *data)
{
	struct running *running = data;
	struct hl_error err = HL_ERROR_INIT;

	/* Unlike the guest program it may be hit. */
	system_keep_off_cpus(0);
	if (running->workload->run(&running->run, &err))
		child_report(child, json_pack("{s:s}", "error", err.text));
}

static void on_report(void *data, json_t *report)
{
	const struct running *running = data;
	const char *error = json_string_value(json_object_get(report, "error"));

	guest_fail("workload %s: %s", running->run.name, error ? error : "unknown error");
}

static void on_exit_of(void *data, int status)
{
	struct running *running = data;

	running->ended = true;
	if (!atomic_load(&running->run.progress->stop) || !WIFEXITED(status))
		guest_fail("workload %s ended by itself (wait status %d)", running->run.name, status);
	channel_send("workload", workload_now(), describe(running, "ended"));
}

void workloads_start(struct guest *guest, size_t step)
{
	static const struct child_watcher watcher = {on_report, on_exit_of};
	const struct plan_step *planned = &guest->plan.steps[step];
	struct running *running = arena_allocate(&guest->plan.arena, sizeof(*running));
	struct hl_error err = HL_ERROR_INIT;
	struct child *child;
	void *parameters;

	running->guest = guest;
	running->step = step;
	running->workload = workload_find(planned->start);
	if (!running->workload)
		guest_fail("there is no workload %s", planned->start);
	parameters = arena_allocate(&guest->plan.arena, running->workload->parameters_size + 1);
	running->run.name = planned->name;
	running->run.parameters = parameters;
	running->run.seed = (uint64_t)guest->plan.seed * 1000 + step + 1;
	running->run.progress = mmap(NULL, sizeof(struct workload_progress), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (running->run.progress == MAP_FAILED)
		guest_fail("no memory for workload %s", planned->name);
	if (parameters_load(running->workload->parameters, planned->with, parameters, &err) ||
	    child_start(planned->name, run_workload, &watcher, running, &child, &err))
		guest_fail("workload %s: %s", planned->name, err.text);
	running->pid = child_pid(child);
	running->next = all;
	all = running;
	channel_send("workload", workload_now(), describe(running, "started"));
}

static bool moved(const struct running *running)
{
	return atomic_load(&running->run.progress->acknowledged) > running->marked;
}

bool workloads_moved(size_t step)
{
	for (const struct running *running = all; running; running = running->next)
		if (running->step == step)
			return moved(running);
	return true;
}

bool workloads_all_moved(void)
{
	for (const struct running *running = all; running; running = running->next)
		if (!moved(running))
			return false;
	return true;
}

void workloads_mark(void)
{
	for (struct running *running = all; running; running = running->next)
		running->marked = atomic_load(&running->run.progress->acknowledged);
}

void workloads_report_recovery(int64_t now)
{
	for (const struct running *running = all; running; running = running->next) {
		json_t *message = describe(running, moved(running) ? "resumed" : "stuck");

		json_object_set_new(message, "errors",
				    json_integer((json_int_t)atomic_load(&running->run.progress->errors)));
		channel_send("recovery", now, message);
	}
}

void workloads_stop(void)
{
	for (const struct running *running = all; running; running = running->next)
		atomic_store(&running->run.progress->stop, true);
}

size_t workloads_running(void)
{
	size_t count = 0;

	for (const struct running *running = all; running; running = running->next)
		count += !running->ended;
	return count;
}

static const char *disk_of(const struct running *running)
{
	const struct plan_step *planned = &running->guest->plan.steps[running->step];
	const char *folder = json_string_value(json_object_get(planned->with, "dir"));
	const struct plan_disk *disk = folder ? plan_disk_of_mount(&running->guest->plan, folder) : NULL;

	return disk ? disk->name : NULL;
}

/* Has its operation been in flight for a while? @again: also when that one was sampled before. */
static bool is_wanted(struct running *running, bool again, int64_t now)
{
	int64_t started = atomic_load(&running->run.progress->started_at);

	if (!started || now - started < SAMPLE_AGE || (started == running->sampled && !again))
		return false;
	running->sampled = started;
	return true;
}

static bool is_worth_a_sample(enum hl_event_kind kind)
{
	static const enum hl_event_kind kinds[] = {HL_EVENT_STALLED, HL_EVENT_HUNG_TASK, HL_EVENT_ISCSI_ERROR,
						   HL_EVENT_BLOCK_ERROR, HL_EVENT_BLOCK_TIMEOUT};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

void workloads_sample_waits(enum hl_event_kind why, int64_t now)
{
	static int64_t last[HL_EVENT_KIND_COUNT];
	bool again = why != HL_EVENT_STALLED;
	struct waiter waiters[MOST_WAITERS];
	size_t count = 0, wanted = 0;

	if (!is_worth_a_sample(why) || (again && last[why] && now < last[why] + SAMPLE_AGAIN))
		return;
	for (struct running *running = all; running && count < MOST_WAITERS; running = running->next) {
		waiters[count] = (struct waiter){running->run.name, running->pid, disk_of(running),
						 is_wanted(running, again, now)};
		wanted += waiters[count++].wanted;
	}
	if (!wanted)
		return;
	waits_sample(waiters, count);
	last[why] = now;
}

static void report_stall(struct running *running, int64_t age, int64_t now)
{
	struct hl_event event;

	channel_send("stalled", now,
		     json_pack("{s:s, s:I, s:I}", "name", running->run.name, "pid", (json_int_t)running->pid,
			       "age", (json_int_t)age));
	stall_event(&event, running->run.name, running->pid, age, now);
	judge_event(running->guest->judge, &event, now);
	timeline_event(running->guest, &event, now);
	workloads_sample_waits(HL_EVENT_STALLED, now);
}

void workloads_find_stalls(struct guest *guest, int64_t now)
{
	for (struct running *running = all; running; running = running->next) {
		int64_t started = atomic_load(&running->run.progress->started_at);

		if (!started || started == running->stalled || now - started < guest->plan.stall)
			continue;
		running->stalled = started;
		report_stall(running, now - started, now);
	}
}

bool workloads_all_stalled(const struct guest *guest, int64_t now)
{
	for (const struct running *running = all; running; running = running->next) {
		int64_t started = atomic_load(&running->run.progress->started_at);

		if (!started || now - started < guest->plan.stall)
			return false;
	}
	return true;
}

int64_t workloads_next_stall(const struct guest *guest)
{
	int64_t next = 0;

	for (const struct running *running = all; running; running = running->next) {
		int64_t started = atomic_load(&running->run.progress->started_at);

		if (started && started != running->stalled && (!next || started + guest->plan.stall < next))
			next = started + guest->plan.stall;
	}
	return next;
}

static json_t *describe_progress(const struct running *running, int64_t now)
{
	struct workload_progress *progress = running->run.progress;
	int64_t started = atomic_load(&progress->started_at), longest = atomic_load(&progress->longest);
	int64_t age = started ? now - started : 0;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:i}", "name", running->run.name, "acknowledged",
			 (json_int_t)atomic_load(&progress->acknowledged), "in_flight", (json_int_t)age,
			 "longest", (json_int_t)(age > longest ? age : longest), "longest_ended",
			 (json_int_t)(age > longest ? 0 : atomic_load(&progress->longest_ended)), "errors",
			 (json_int_t)atomic_load(&progress->errors), "first_errno",
			 atomic_load(&progress->first_errno));
}

json_t *workloads_heartbeat(int64_t now)
{
	json_t *array = json_array();

	for (const struct running *running = all; running; running = running->next)
		json_array_insert_new(array, 0, describe_progress(running, now));
	return array;
}

void workloads_verify(struct child *child)
{
	for (const struct running *running = all; running; running = running->next) {
		struct workload_verification found = {0};
		struct hl_error err = HL_ERROR_INIT;
		json_t *report;

		if (running->workload->verify && running->workload->verify(&running->run, &found, &err)) {
			child_report(child, json_pack("{s:s}", "error", err.text));
			return;
		}
		report = describe_progress(running, workload_now());
		json_object_set_new(report, "type", json_string("verification"));
		json_object_set_new(report, "checked", json_integer((json_int_t)found.checked));
		json_object_set_new(report, "lost", json_integer((json_int_t)found.lost));
		json_object_set_new(report, "unsynced", json_integer((json_int_t)found.unsynced));
		json_object_set_new(report, "detail", json_string(found.detail));
		child_report(child, report);
	}
}
