// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

static int buffered_write(int fd, void *state, const void *record, size_t size, off_t offset)
{
	(void)state;
	return engine_pwrite(fd, record, size, offset);
}

const struct engine engine_buffered = {
	.name = "buffered",
	.summary = "pwrite(2) alone: acknowledged means written, not durable",
	.unsynced = true,
	.write = buffered_write,
};
