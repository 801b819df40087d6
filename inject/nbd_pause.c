// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nbd-pause: nbdkit's pause filter: the server takes requests and answers none, until it is resumed.
 *
 * Protocol of the filter's control socket: 'p' pauses after what is in flight, 'r' resumes; it answers with
 * the capital letter (nbdkit-pause-filter(1)).
 */
#include "inject/served_disk.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define ANSWER_LIMIT_SECONDS 5

static int connect_to(const char *path, struct hl_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval limit = {ANSWER_LIMIT_SECONDS, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return hl_error_errno(err, errno, "connect to %s", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	hl_error_errno(err, errno, "connect to %s", path);
	close(fd);
	return -err->code;
}

static int command(struct injection *injection, char letter, struct hl_error *err)
{
	const struct disk_parameter *parameters = injection->parameters;
	const char *path = injection->vm->server_control(injection->vm->vm, parameters->disk, err);
	cleanup_fd int fd = path ? connect_to(path, err) : -1;
	char answer = 0;

	if (fd < 0)
		return path ? fd : -ENOENT;
	if (write(fd, &letter, 1) != 1 || read(fd, &answer, 1) != 1)
		return hl_error_errno(err, errno ? errno : EIO, "nbdkit did not answer '%c'", letter);
	/* 'p' answers 'P', 'r' answers 'R'. */
	if (answer != letter - 'a' + 'A')
		return hl_error_set(err, EPROTO, "nbdkit answered '%c' to '%c'", answer, letter);
	snprintf(injection->evidence, sizeof(injection->evidence), "nbdkit answered '%c'", answer);
	return 0;
}

static int nbd_pause_inject(struct injection *injection, struct hl_error *err)
{
	return command(injection, 'p', err);
}

/* Pausing what is paused changes nothing, and is answered by the filter itself. */
static int nbd_pause_confirm(struct injection *injection, struct hl_error *err)
{
	return command(injection, 'p', err);
}

static int nbd_pause_release(struct injection *injection, struct hl_error *err)
{
	return command(injection, 'r', err);
}

static int nbd_pause_confirm_released(struct injection *injection, struct hl_error *err)
{
	return command(injection, 'r', err);
}

const struct injector injector_nbd_pause = {
	.name = "nbd-pause",
	.summary = "pause the NBD server behind a disk (nbdkit's pause filter), resume it on release",
	.help = "Confirmed by nbdkit's answer and, inside the guest, by requests that do not complete.\n",
	.side = INJECTOR_HOST,
	.disk_vias = served_disk_nbdkit_vias,
	.parameters = served_disk_parameters,
	.parameters_size = sizeof(struct disk_parameter),
	.needs = {.real_clock = true},
	.inject = nbd_pause_inject,
	.confirm = nbd_pause_confirm,
	.release = nbd_pause_release,
	.confirm_released = nbd_pause_confirm_released,
	.guest_confirm = served_disk_stalled,
	.guest_confirm_released = served_disk_moves,
};
