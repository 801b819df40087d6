// SPDX-License-Identifier: GPL-2.0-or-later
#include "polling.h"

#include "units.h"

#include <time.h>

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NANOSECONDS_PER_SECOND + time.tv_nsec;
}

struct polling polling_begin(int64_t limit, int64_t step)
{
	return (struct polling){now() + limit, step};
}

bool polling_over(const struct polling *polling)
{
	return now() > polling->deadline;
}

bool polling_again(const struct polling *polling)
{
	const struct timespec step = {0, (long)polling->step};

	if (polling_over(polling))
		return false;
	nanosleep(&step, NULL);
	return true;
}
