// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-suspend: dmsetup suspend, what LVM does around every snapshot and resize. With lockfs (dmsetup's
 * default) the file system is frozen first, so its writers wait there; without, they wait for the disk.
 *
 * Evidence: /sys/block/dm-N/dm/suspended, a direct read that waits, and with lockfs a FIFREEZE that says
 * EBUSY (fs/super.c, as in fsfreeze).
 */
#include "inject/device_mapper.h"
#include "inject/evidence.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct dm_suspend {
	struct disk_parameter disk;
	bool lockfs;
};

/* The mount is opened before: opening it could block afterwards. */
struct dm_suspend_state {
	struct disk disk;
	int mount;
};

static int dm_suspend_inject(struct injection *injection, struct hl_error *err)
{
	const struct dm_suspend *parameters = injection->parameters;
	struct dm_suspend_state *state = injection->state;
	int r = disk_find(parameters->disk.disk, &state->disk, err);

	if (r)
		return r;
	state->mount = state->disk.mount[0] ? open(state->disk.mount, O_RDONLY | O_CLOEXEC) : -1;
	if (state->disk.mount[0] && state->mount < 0)
		return hl_error_errno(err, errno, "open %s", state->disk.mount);
	return device_mapper_suspend(&state->disk, parameters->lockfs, err);
}

/* A second freeze of a frozen file system changes nothing and says so. */
static int confirm_frozen(struct injection *injection, const struct dm_suspend_state *state,
			  struct hl_error *err)
{
	if (!ioctl(state->mount, FIFREEZE, 0)) {
		ioctl(state->mount, FITHAW, 0);
		return hl_error_set(err, EIO, "%s is not frozen", state->disk.mount);
	}
	if (errno != EBUSY)
		return hl_error_errno(err, errno, "FIFREEZE %s", state->disk.mount);
	evidence_add(injection, "FIFREEZE of %s says EBUSY", state->disk.mount);
	return 0;
}

static int dm_suspend_confirm(struct injection *injection, struct hl_error *err)
{
	const struct dm_suspend *parameters = injection->parameters;
	const struct dm_suspend_state *state = injection->state;
	int r;

	if (!disk_is_suspended(state->disk.device))
		return hl_error_set(err, EIO, "%s is not suspended", state->disk.device);
	r = evidence_stalled(state->disk.name, injection, err);
	return r || !parameters->lockfs || state->mount < 0 ? r : confirm_frozen(injection, state, err);
}

static int dm_suspend_release(struct injection *injection, struct hl_error *err)
{
	const struct dm_suspend_state *state = injection->state;

	return device_mapper_resume(&state->disk, err);
}

static int dm_suspend_confirm_released(struct injection *injection, struct hl_error *err)
{
	struct dm_suspend_state *state = injection->state;

	if (disk_is_suspended(state->disk.device))
		return hl_error_set(err, EIO, "%s is still suspended", state->disk.device);
	if (state->mount >= 0)
		close(state->mount);
	return evidence_moves(state->disk.name, injection, err);
}

static const struct parameter dm_suspend_parameters[] = {
	DISK_PARAMETER,
	{.name = "lockfs",
	 .type = PARAMETER_BOOLEAN,
	 .offset = offsetof(struct dm_suspend, lockfs),
	 .fallback = "true",
	 .help = "freeze the file system first, as dmsetup does by itself; false stalls the disk under it"},
	{.name = NULL},
};

static const char *const layers[] = {"dm", "multipath", NULL};

const struct injector injector_dm_suspend = {
	.name = "dm-suspend",
	.summary = "suspend a device-mapper disk (dmsetup suspend), resume it on release",
	.help = "With lockfs the writers wait for the frozen file system, without it for the disk.\n"
		"Confirmed by the suspended flag in sysfs, by a direct read that waits, and with lockfs by\n"
		"a FIFREEZE that fails with EBUSY; the release by a direct read that returns.\n",
	.side = INJECTOR_GUEST,
	.disk_layers = layers,
	.parameters = dm_suspend_parameters,
	.parameters_size = sizeof(struct dm_suspend),
	.state_size = sizeof(struct dm_suspend_state),
	.inject = dm_suspend_inject,
	.confirm = dm_suspend_confirm,
	.release = dm_suspend_release,
	.confirm_released = dm_suspend_confirm_released,
};
