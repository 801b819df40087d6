// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include <unistd.h>

static int sync_write(int fd, void *state, const void *record, size_t size, off_t offset)
{
	ssize_t put = pwrite(fd, record, size, offset);

	(void)state;
	if (put < 0)
		return -errno;
	if ((size_t)put != size)
		return -ENOSPC;
	return fdatasync(fd) ? -errno : 0;
}

const struct engine engine_sync = {
	.name = "sync",
	.summary = "pwrite(2), then fdatasync(2)",
	.write = sync_write,
};
