// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fsfreeze: FIFREEZE, what fsfreeze(8), LVM snapshots and backup agents do.
 *
 * Evidence (fs/super.c): freeze_super() of a frozen file system fails with EBUSY, thaw_super() of one
 * that is not frozen fails with EINVAL. So a second call of the same kind tells the state without
 * changing it, and never blocks.
 */
#include "inject/inject.h"
#include "inject/lab_vm.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>

struct fsfreeze {
	const char *mount;
};

/* Opened before the freeze: opening a path on a frozen file system for writing would block. */
struct fsfreeze_state {
	int fd;
};

static int fsfreeze_inject(struct injection *injection, struct hl_error *err)
{
	const struct fsfreeze *parameters = injection->parameters;
	struct fsfreeze_state *state = injection->state;
	int r = lab_vm_require(err);

	if (r)
		return r;
	state->fd = open(parameters->mount, O_RDONLY | O_CLOEXEC);
	if (state->fd < 0)
		return hl_error_errno(err, errno, "open %s", parameters->mount);
	if (ioctl(state->fd, FIFREEZE, 0))
		return hl_error_errno(err, errno, "FIFREEZE %s", parameters->mount);
	return 0;
}

static int fsfreeze_confirm(struct injection *injection, struct hl_error *err)
{
	const struct fsfreeze *parameters = injection->parameters;
	const struct fsfreeze_state *state = injection->state;

	if (!ioctl(state->fd, FIFREEZE, 0)) {
		ioctl(state->fd, FITHAW, 0);
		return hl_error_set(err, EIO, "%s was not frozen: a second FIFREEZE succeeded",
				    parameters->mount);
	}
	if (errno != EBUSY)
		return hl_error_errno(err, errno, "second FIFREEZE of %s", parameters->mount);
	snprintf(injection->evidence, sizeof(injection->evidence), "a second FIFREEZE of %s says EBUSY",
		 parameters->mount);
	return 0;
}

static int fsfreeze_release(struct injection *injection, struct hl_error *err)
{
	const struct fsfreeze *parameters = injection->parameters;
	const struct fsfreeze_state *state = injection->state;

	if (ioctl(state->fd, FITHAW, 0))
		return hl_error_errno(err, errno, "FITHAW %s", parameters->mount);
	return 0;
}

static int fsfreeze_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct fsfreeze *parameters = injection->parameters;
	const struct fsfreeze_state *state = injection->state;

	if (!ioctl(state->fd, FITHAW, 0))
		return hl_error_set(err, EIO, "%s was still frozen: a second FITHAW succeeded",
				    parameters->mount);
	if (errno != EINVAL)
		return hl_error_errno(err, errno, "second FITHAW of %s", parameters->mount);
	snprintf(injection->evidence, sizeof(injection->evidence), "a second FITHAW of %s says EINVAL",
		 parameters->mount);
	return 0;
}

static const struct parameter fsfreeze_parameters[] = {
	{.name = "mount",
	 .type = PARAMETER_PATH,
	 .offset = offsetof(struct fsfreeze, mount),
	 .required = true,
	 .help = "where the file system is mounted"},
	{.name = NULL},
};

const struct injector injector_fsfreeze = {
	.name = "fsfreeze",
	.summary = "freeze a mounted file system (FIFREEZE), thaw it on release",
	.help = "Writers block in the freeze path until the release. Works on ext4, xfs and btrfs.\n"
		"Confirmed by a second FIFREEZE that fails with EBUSY; the release by a second FITHAW\n"
		"that fails with EINVAL.\n",
	.side = INJECTOR_GUEST,
	.parameters = fsfreeze_parameters,
	.parameters_size = sizeof(struct fsfreeze),
	.state_size = sizeof(struct fsfreeze_state),
	.inject = fsfreeze_inject,
	.confirm = fsfreeze_confirm,
	.release = fsfreeze_release,
	.confirm_released = fsfreeze_confirm_released,
};
