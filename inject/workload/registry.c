// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/workload.h"

#include "base/units.h"

#include <string.h>
#include <time.h>

#define WORKLOAD(name) extern const struct workload workload_##name;
#include "inject/workload/list.def"
#undef WORKLOAD

static const struct workload *const workloads[] = {
#define WORKLOAD(name) &workload_##name,
#include "inject/workload/list.def"
#undef WORKLOAD
	NULL,
};

const struct workload *const *workload_list(void)
{
	return workloads;
}

const struct workload *workload_find(const char *name)
{
	for (size_t i = 0; workloads[i]; i++)
		if (!strcmp(workloads[i]->name, name))
			return workloads[i];
	return NULL;
}

uint64_t workload_next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void workload_pause(int64_t interval, uint64_t *state)
{
	int64_t wait = interval / 2 + (int64_t)(workload_next_random(state) % (uint64_t)(interval + 1));
	struct timespec pause = {wait / NANOSECONDS_PER_SECOND, wait % NANOSECONDS_PER_SECOND};

	nanosleep(&pause, NULL);
}

int64_t workload_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

void workload_begin(struct workload_progress *progress)
{
	atomic_store(&progress->started_at, workload_now());
}

void workload_end(struct workload_progress *progress, int result)
{
	int64_t now = workload_now(), took = now - atomic_exchange(&progress->started_at, 0);

	if (took > atomic_load(&progress->longest)) {
		atomic_store(&progress->longest, took);
		atomic_store(&progress->longest_ended, now);
	}
	if (result) {
		if (!atomic_fetch_add(&progress->errors, 1))
			atomic_store(&progress->first_errno, -result);
	} else if (!atomic_load(&progress->errors)) {
		atomic_fetch_add(&progress->acknowledged, 1);
	}
}
