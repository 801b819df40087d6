// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include <unistd.h>

static int sync_write(int fd, void *state, const void *record, size_t size, off_t offset)
{
	int r = engine_pwrite(fd, record, size, offset);

	(void)state;
	return r ? r : fdatasync(fd) ? -errno : 0;
}

const struct engine engine_sync = {
	.name = "sync",
	.summary = "pwrite(2), then fdatasync(2)",
	.write = sync_write,
};
