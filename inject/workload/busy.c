// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * busy: a thread on each CPU that computes and never sleeps. An operation is done when every CPU has finished
 * one more round, so it stays in flight while any of them stands still.
 */
#include "inject/workload/busy_cpus.h"
#include "inject/workload/workload.h"

/* The calling thread's own CPU goes on as well. */
static void one_round_each(struct busy_cpus *busy, const _Atomic bool *stop)
{
	uint64_t before[CPU_SETSIZE];

	for (size_t i = 0; i < busy->count; i++)
		before[i] = atomic_load(&busy->rounds[i]);
	busy_cpus_round();
	for (size_t i = 0; i < busy->count; i++)
		while (atomic_load(&busy->rounds[i]) == before[i] && !atomic_load(stop))
			;
}

static int busy_run(struct workload_run *run, struct hl_error *err)
{
	static struct busy_cpus others;
	int own = sched_getcpu(), r = busy_cpus_start(&others, own, err);

	if (!r)
		r = busy_cpus_bind(own, err);
	while (!r && !atomic_load(&run->progress->stop)) {
		workload_begin(run->progress);
		one_round_each(&others, &run->progress->stop);
		workload_end(run->progress, 0);
	}
	busy_cpus_stop(&others);
	return r;
}

const struct workload workload_busy = {
	.name = "busy",
	.summary = "keep every CPU busy in user space",
	.help = "An operation is done when every CPU has computed for a while; it stalls when one of them "
		"stands\n"
		"still. There is nothing to verify.\n",
	.run = busy_run,
};
