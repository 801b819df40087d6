// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-error: every request fails at once with EIO.
 *
 * Evidence: the live table, and a direct read that fails.
 */
#include "inject/device_mapper.h"
#include "inject/evidence.h"

static int dm_error_inject(struct injection *injection, struct hl_error *err)
{
	return table_swap_inject(injection, "error", "", err);
}

static int dm_error_confirm(struct injection *injection, struct hl_error *err)
{
	const struct table_swap *swap = injection->state;
	int r = table_swap_confirm(injection, "error", err);

	return r ? r : evidence_fails(swap->disk.name, injection, err);
}

static const struct parameter dm_error_parameters[] = {
	DISK_PARAMETER,
	{.name = NULL},
};

static const char *const layers[] = {"dm", NULL};

const struct injector injector_dm_error = {
	.name = "dm-error",
	.summary = "fail every request of a device-mapper disk with EIO",
	.help = "ext4 aborts its journal and stays read-only until it is mounted anew, also after the "
		"release.\n"
		"Confirmed by the live table and by a direct read that fails.\n",
	.side = INJECTOR_GUEST,
	.disk_layers = layers,
	.parameters = dm_error_parameters,
	.parameters_size = sizeof(struct disk_parameter),
	.state_size = sizeof(struct table_swap),
	.inject = dm_error_inject,
	.confirm = dm_error_confirm,
	.release = table_swap_release,
	.confirm_released = table_swap_confirm_released,
};
