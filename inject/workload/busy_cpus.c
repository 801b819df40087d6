// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/busy_cpus.h"

#include <stdlib.h>

/*
 * Nothing but instructions that do nothing, many in a row: in virtual time each takes its time, and emulating
 * it costs next to none. A "pause" or a clock read would leave the translated code, and a busy guest second
 * would be many times as dear (measured).
 */
#define ROUND_TURNS 4096
#define TURN	    ".rept 256\n\tnop\n\t.endr"

/**
 * struct place - what a new thread has to know
 */
struct place {
	struct busy_cpus *busy;
	size_t index;
	int cpu;
};

int busy_cpus_bind(int cpu, struct hl_error *err)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? hl_error_errno(err, errno, "go to CPU %d", cpu) : 0;
}

void busy_cpus_round(void)
{
	for (int turn = 0; turn < ROUND_TURNS; turn++)
		__asm__ volatile(TURN ::: "memory");
}

static void *keep_busy(void *data)
{
	struct place *place = data;
	struct busy_cpus *busy = place->busy;
	size_t index = place->index;

	/* The CPU is one of those that the process may use: it cannot fail. */
	busy_cpus_bind(place->cpu, NULL);
	free(place);
	while (!atomic_load(&busy->stop)) {
		busy_cpus_round();
		atomic_fetch_add(&busy->rounds[index], 1);
	}
	return NULL;
}

static int start_thread(struct busy_cpus *busy, int cpu)
{
	struct place *place = malloc(sizeof(*place));
	int code;

	if (!place)
		return ENOMEM;
	*place = (struct place){busy, busy->count, cpu};
	code = pthread_create(&busy->threads[busy->count], NULL, keep_busy, place);
	if (code)
		free(place);
	else
		busy->count++;
	return code;
}

int busy_cpus_start(struct busy_cpus *busy, int except, struct hl_error *err)
{
	cpu_set_t allowed;
	int code = sched_getaffinity(0, sizeof(allowed), &allowed) ? errno : 0;

	for (int cpu = 0; !code && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && cpu != except)
			code = start_thread(busy, cpu);
	if (!code)
		return 0;
	busy_cpus_stop(busy);
	return hl_error_errno(err, code, "start a thread on every CPU");
}

void busy_cpus_stop(struct busy_cpus *busy)
{
	atomic_store(&busy->stop, true);
	while (busy->count)
		pthread_join(busy->threads[--busy->count], NULL);
}
