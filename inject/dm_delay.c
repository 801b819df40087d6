// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-delay: every request is held back for a while, then served. Storage that is slow, not gone.
 *
 * Evidence: the live table, and the target's own count of what it holds back
 * (drivers/md/dm-delay.c, delay_status(): reads, writes, flushes).
 */
#include "inject/device_mapper.h"
#include "inject/evidence.h"

#include "base/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

enum delayed { DELAYED_WRITES, DELAYED_ALL };

struct dm_delay {
	struct disk_parameter disk;
	int64_t delay;
	int requests;
};

static int dm_delay_inject(struct injection *injection, struct hl_error *err)
{
	const struct dm_delay *parameters = injection->parameters;
	int64_t milliseconds = parameters->delay / 1000000;
	char arguments[80];

	snprintf(arguments, sizeof(arguments), "%% 0 %" PRId64 " %% 0 %" PRId64,
		 parameters->requests == DELAYED_ALL ? milliseconds : 0, milliseconds);
	return table_swap_inject(injection, "delay", arguments, err);
}

static int holds_back(void *data, struct hl_error *err)
{
	struct injection *injection = data;
	const struct table_swap *swap = injection->state;
	unsigned int reads, writes, flushes = 0;
	char status[200];
	int r = device_mapper_status(&swap->disk, status, sizeof(status), err);

	if (r)
		return r;
	/* Kernels before 5.0 do not count flushes of their own. */
	if (sscanf(status, "%*u %*u delay %u %u %u", &reads, &writes, &flushes) < 2)
		return hl_error_set(err, EIO, "the status of %s is '%s'", swap->disk.name, status);
	if (!reads && !writes && !flushes)
		return 0;
	evidence_add(injection, "it holds back %u reads, %u writes, %u flushes", reads, writes, flushes);
	return 1;
}

static int dm_delay_confirm(struct injection *injection, struct hl_error *err)
{
	int r = table_swap_confirm(injection, "delay", err);

	if (!r)
		r = evidence_poll(holds_back, injection, 20 * NANOSECONDS_PER_SECOND, err);
	return r == -ETIMEDOUT ? hl_error_set(err, ETIMEDOUT,
					      "nothing was held back within 20 s: does anybody write?")
			       : r;
}

static const char *const delayed_names[] = {"writes", "all", NULL};

static const struct parameter dm_delay_parameters[] = {
	DISK_PARAMETER,
	{.name = "delay",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct dm_delay, delay),
	 .required = true,
	 .least = 1000000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "how long each request is held back"},
	{.name = "requests",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct dm_delay, requests),
	 .fallback = "writes",
	 .choices = delayed_names,
	 .help = "which requests"},
	{.name = NULL},
};

static const char *const modules[] = {"dm_delay", NULL};
static const char *const layers[] = {"dm", NULL};

const struct injector injector_dm_delay = {
	.name = "dm-delay",
	.summary = "hold back every request of a device-mapper disk for a while: slow, not hung",
	.help = "Swaps the disk's table under load; the release swaps it back, which serves at once what "
		"was\n"
		"held back. Confirmed by the live table and by the target's count of what it holds back.\n",
	.side = INJECTOR_GUEST,
	.disk_layers = layers,
	.parameters = dm_delay_parameters,
	.parameters_size = sizeof(struct dm_delay),
	.state_size = sizeof(struct table_swap),
	.needs = {.modules = modules},
	.inject = dm_delay_inject,
	.confirm = dm_delay_confirm,
	.release = table_swap_release,
	.confirm_released = table_swap_confirm_released,
};
