// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/waits.h"

#include "inject/guest/channel.h"
#include "inject/guest/child.h"
#include "inject/guest/task.h"
#include "inject/guest/transport.h"
#include "inject/workload/workload.h"

#include <stdlib.h>
#include <string.h>

/* A report of a child must stay short. */
#define FINDINGS_PER_REPORT 16

/**
 * struct sample - what a child looks for
 * @child: itself, while it looks
 * @found: not reported yet
 */
struct sample {
	struct waiter waiters[MOST_WAITERS];
	size_t count;
	struct child *child;
	json_t *found;
};

static void report(struct sample *sample)
{
	if (json_array_size(sample->found))
		child_report(sample->child, json_pack("{s:O}", "waits", sample->found));
	json_array_clear(sample->found);
}

static void add(struct sample *sample, const struct task *task, enum wait_layer layer, const char *key,
		const char *name)
{
	json_array_append_new(sample->found, json_pack("{s:s, s:s, s:s}", key, name, "layer",
						       wait_layer_name(layer), "function", task->function));
	if (json_array_size(sample->found) == FINDINGS_PER_REPORT)
		report(sample);
}

/*
 * A workload may wait in a thread that the kernel made for it (iou-wrk-PID): a thread in D state tells more
 * than one that sleeps until it is done, and a known layer more than none.
 */
static int weight(const struct task *task)
{
	return (task->state == 'D' ? 2 : 0) + (task->layer != WAIT_UNKNOWN ? 1 : 0);
}

static void take_weightier(void *data, const struct task *task)
{
	struct task *best = data;

	if (!best->pid || weight(task) > weight(best))
		*best = *task;
}

static void sample_workload(struct sample *sample, const struct waiter *waiter)
{
	struct task best = {0};
	bool storage;

	task_each(waiter->pid, "SDTtIKWP", take_weightier, &best);
	if (!best.pid)
		return;
	storage = best.layer == WAIT_BLOCK || best.layer == WAIT_JOURNAL;
	add(sample, &best, storage && transport_is_down(waiter->disk) ? WAIT_TRANSPORT : best.layer,
	    "workload", waiter->workload);
}

static bool is_waiter(const struct sample *sample, pid_t pid)
{
	for (size_t i = 0; i < sample->count; i++)
		if (sample->waiters[i].pid == pid)
			return true;
	return false;
}

/* Whatever else is in D state: the journal's thread, writeback, error handling ... */
static void add_other(void *data, const struct task *task)
{
	struct sample *sample = data;

	if (!is_waiter(sample, task->process))
		add(sample, task, task->layer, "task", task->comm);
}

static void take_sample(struct child *child, void *data)
{
	struct sample *sample = data;

	sample->child = child;
	sample->found = json_array();
	/* The newest comes first in a sample. */
	for (size_t i = sample->count; i-- > 0;)
		if (sample->waiters[i].wanted)
			sample_workload(sample, &sample->waiters[i]);
	task_each(0, "D", add_other, sample);
	report(sample);
}

static void on_report(void *data, json_t *message)
{
	(void)data;
	channel_send("waits", workload_now(), json_incref(message));
}

static void on_exit_of(void *data, int status)
{
	(void)status;
	free(data);
}

void waits_sample(const struct waiter *waiters, size_t count)
{
	static const struct child_watcher watcher = {on_report, on_exit_of};
	struct sample *sample = calloc(1, sizeof(*sample));

	if (!sample)
		return;
	sample->count = count < MOST_WAITERS ? count : MOST_WAITERS;
	memcpy(sample->waiters, waiters, sample->count * sizeof(*waiters));
	/* Evidence is good to have; a run does not depend on it. */
	if (child_start("hanglab-waits", take_sample, &watcher, sample, NULL, NULL))
		free(sample);
}
