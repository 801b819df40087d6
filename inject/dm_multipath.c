// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-multipath: every path of a multipath disk is down; with queue_if_no_path its I/O waits for one.
 *
 * Evidence: the target's status ("F" for a failed path, "A" for an active one, drivers/md/dm-mpath.c,
 * multipath_status()) and a direct read that waits.
 */
#include "inject/device_mapper.h"
#include "inject/evidence.h"

#include <stdio.h>
#include <string.h>

struct dm_multipath_state {
	struct disk disk;
	char path[16];
};

static int send_message(const struct dm_multipath_state *state, const char *what, struct hl_error *err)
{
	char message[40];

	snprintf(message, sizeof(message), "%s %s", what, state->path);
	return device_mapper_message(&state->disk, message, err);
}

static int dm_multipath_inject(struct injection *injection, struct hl_error *err)
{
	const struct disk_parameter *parameters = injection->parameters;
	struct dm_multipath_state *state = injection->state;
	int r = disk_find(parameters->disk, &state->disk, err);

	if (r)
		return r;
	r = disk_attribute(state->disk.below, "dev", state->path, sizeof(state->path));
	return r ? hl_error_errno(err, -r, "find the number of %s", state->disk.below)
		 : send_message(state, "fail_path", err);
}

/* The path stands in the status as "MAJOR:MINOR STATE FAILURES". */
static int confirm_path(struct injection *injection, char wanted, struct hl_error *err)
{
	const struct dm_multipath_state *state = injection->state;
	char status[200], path[20];
	const char *found;
	int r = device_mapper_status(&state->disk, status, sizeof(status), err);

	if (r)
		return r;
	snprintf(path, sizeof(path), " %s ", state->path);
	found = strstr(status, path);
	if (!found || found[strlen(path)] != wanted)
		return hl_error_set(err, EIO, "path %s is not %c: '%s'", state->path, wanted, status);
	evidence_add(injection, "path %s is %s", state->path, wanted == 'F' ? "failed" : "active");
	return 0;
}

static int dm_multipath_confirm(struct injection *injection, struct hl_error *err)
{
	const struct dm_multipath_state *state = injection->state;
	int r = confirm_path(injection, 'F', err);

	return r ? r : evidence_stalled(state->disk.name, injection, err);
}

static int dm_multipath_release(struct injection *injection, struct hl_error *err)
{
	return send_message(injection->state, "reinstate_path", err);
}

static int dm_multipath_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct dm_multipath_state *state = injection->state;
	int r = confirm_path(injection, 'A', err);

	return r ? r : evidence_moves(state->disk.name, injection, err);
}

static const struct parameter dm_multipath_parameters[] = {
	DISK_PARAMETER,
	{.name = NULL},
};

static const char *const layers[] = {"multipath", NULL};

const struct injector injector_dm_multipath = {
	.name = "dm-multipath",
	.summary = "take down every path of a multipath disk, reinstate them on release",
	.help = "I/O queues in the device mapper until a path comes back (queue_if_no_path).\n"
		"Confirmed by the state of the path and by a direct read that waits.\n",
	.side = INJECTOR_GUEST,
	.disk_layers = layers,
	.parameters = dm_multipath_parameters,
	.parameters_size = sizeof(struct disk_parameter),
	.state_size = sizeof(struct dm_multipath_state),
	.inject = dm_multipath_inject,
	.confirm = dm_multipath_confirm,
	.release = dm_multipath_release,
	.confirm_released = dm_multipath_confirm_released,
};
