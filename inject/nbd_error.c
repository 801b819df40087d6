// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nbd-error: nbdkit's error filter: the server answers every request with EIO while a file exists
 * (nbdkit-error-filter(1), error-file). harness/server/nbd.c names the file after the pause filter's socket.
 */
#include "inject/served_disk.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int error_file(struct injection *injection, char **path, struct hl_error *err)
{
	const struct disk_parameter *parameters = injection->parameters;
	const char *control = injection->vm->server_control(injection->vm->vm, parameters->disk, err);
	const char *suffix = control ? strstr(control, ".pause") : NULL;

	if (!control)
		return -ENOENT;
	if (!suffix)
		return hl_error_set(err, ENOENT, "disk %s is not served by nbdkit", parameters->disk);
	*path = file_path("%.*s.error", (int)(suffix - control), control);
	return 0;
}

static int nbd_error_inject(struct injection *injection, struct hl_error *err)
{
	cleanup_free char *path = NULL;
	cleanup_fd int fd = -1;
	int r = error_file(injection, &path, err);

	if (r)
		return r;
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	return fd < 0 ? hl_error_errno(err, errno, "create %s", path) : 0;
}

static int nbd_error_release(struct injection *injection, struct hl_error *err)
{
	cleanup_free char *path = NULL;
	int r = error_file(injection, &path, err);

	if (r)
		return r;
	return unlink(path) ? hl_error_errno(err, errno, "remove %s", path) : 0;
}

static int file_state(struct injection *injection, bool wanted, struct hl_error *err)
{
	cleanup_free char *path = NULL;
	int r = error_file(injection, &path, err);

	if (r)
		return r;
	if (!access(path, F_OK) != wanted)
		return hl_error_set(err, EIO, "the file %s %s", path,
				    wanted ? "is not there" : "is still there");
	snprintf(injection->evidence, sizeof(injection->evidence), "nbdkit's error file %s",
		 wanted ? "exists" : "is gone");
	return 0;
}

static int nbd_error_confirm(struct injection *injection, struct hl_error *err)
{
	return file_state(injection, true, err);
}

static int nbd_error_confirm_released(struct injection *injection, struct hl_error *err)
{
	return file_state(injection, false, err);
}

const struct injector injector_nbd_error = {
	.name = "nbd-error",
	.summary = "let the NBD server behind a disk answer with EIO (nbdkit's error filter)",
	.help = "Confirmed inside the guest by a request that fails; the release by one that succeeds.\n",
	.side = INJECTOR_HOST,
	.disk_vias = served_disk_nbdkit_vias,
	.parameters = served_disk_parameters,
	.parameters_size = sizeof(struct disk_parameter),
	.needs = {.real_clock = true},
	.inject = nbd_error_inject,
	.confirm = nbd_error_confirm,
	.release = nbd_error_release,
	.confirm_released = nbd_error_confirm_released,
	.guest_confirm = served_disk_fails,
	.guest_confirm_released = served_disk_moves,
};
