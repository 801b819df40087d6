// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include <unistd.h>

static int fsync_write(int fd, void *state, const void *record, size_t size, off_t offset)
{
	int r = engine_pwrite(fd, record, size, offset);

	(void)state;
	return r ? r : fsync(fd) ? -errno : 0;
}

const struct engine engine_fsync = {
	.name = "fsync",
	.summary = "pwrite(2), then fsync(2), which also waits for the file's metadata",
	.write = fsync_write,
};
