// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-flakey: writes are dropped silently, or fail; reads work.
 *
 * Evidence: the live table, and the counters: the device completed writes, the one below got none
 * (Documentation/admin-guide/device-mapper/dm-flakey.rst).
 */
#include "inject/device_mapper.h"
#include "inject/evidence.h"

#include "base/units.h"

#include <stddef.h>

static const char *const feature_names[] = {"drop_writes", "error_writes", NULL};

struct dm_flakey {
	struct disk_parameter disk;
	int writes;
};

/* Up for 0 seconds, down for an hour, again and again. */
static int dm_flakey_inject(struct injection *injection, struct hl_error *err)
{
	static const char *const arguments[] = {"% 0 0 3600 1 drop_writes", "% 0 0 3600 1 error_writes"};
	const struct dm_flakey *parameters = injection->parameters;

	return table_swap_inject(injection, "flakey", arguments[parameters->writes], err);
}

static int swallows_writes(void *data, struct hl_error *err)
{
	struct injection *injection = data;
	const struct table_swap *swap = injection->state;
	struct disk_counters now, below;
	int r = disk_read_counters(swap->disk.device, &now, err);

	if (!r)
		r = disk_read_counters(swap->disk.below, &below, err);
	if (r)
		return r;
	if (below.writes != swap->before_below.writes)
		return hl_error_set(err, EIO, "%s got a write", swap->disk.below);
	if (now.writes == swap->before.writes)
		return 0;
	evidence_add(injection, "%s completed %llu writes, %s below got none", swap->disk.device,
		     (unsigned long long)(now.writes - swap->before.writes), swap->disk.below);
	return 1;
}

static int dm_flakey_confirm(struct injection *injection, struct hl_error *err)
{
	int r = table_swap_confirm(injection, "flakey", err);

	if (!r)
		r = evidence_poll(swallows_writes, injection, 20 * NANOSECONDS_PER_SECOND, err);
	return r == -ETIMEDOUT ? hl_error_set(err, ETIMEDOUT, "nothing was written within 20 s") : r;
}

static const struct parameter dm_flakey_parameters[] = {
	DISK_PARAMETER,
	{.name = "writes",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct dm_flakey, writes),
	 .fallback = "drop_writes",
	 .choices = feature_names,
	 .help = "drop_writes loses them silently, error_writes fails them"},
	{.name = NULL},
};

static const char *const modules[] = {"dm_flakey", NULL};
static const char *const layers[] = {"dm", NULL};

const struct injector injector_dm_flakey = {
	.name = "dm-flakey",
	.summary = "lose or fail every write of a device-mapper disk",
	.help = "With drop_writes the kernel says nothing at all: only a check of the data can find it.\n"
		"Confirmed by the live table, and by writes that the device completed while the one below "
		"got none.\n",
	.side = INJECTOR_GUEST,
	.disk_layers = layers,
	.parameters = dm_flakey_parameters,
	.parameters_size = sizeof(struct dm_flakey),
	.state_size = sizeof(struct table_swap),
	.needs = {.modules = modules},
	.inject = dm_flakey_inject,
	.confirm = dm_flakey_confirm,
	.release = table_swap_release,
	.confirm_released = table_swap_confirm_released,
};
