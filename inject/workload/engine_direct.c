// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include <fcntl.h>

static int direct_write(int fd, void *state, const void *record, size_t size, off_t offset)
{
	(void)state;
	return engine_pwrite(fd, record, size, offset);
}

const struct engine engine_direct = {
	.name = "direct",
	.summary = "pwrite(2) with O_DIRECT and O_DSYNC",
	.open_flags = O_DIRECT | O_DSYNC,
	.write = direct_write,
};
