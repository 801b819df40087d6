// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include <unistd.h>

#define ENGINE(name) extern const struct engine engine_##name;
#include "inject/workload/engines.def"
#undef ENGINE

static const struct engine *const engines[] = {
#define ENGINE(name) &engine_##name,
#include "inject/workload/engines.def"
#undef ENGINE
	NULL,
};

/* Equal to the engines' own names: tested. A parameter table needs a constant. */
const char *const engine_names[] = {
#define ENGINE(name) #name,
#include "inject/workload/engines.def"
#undef ENGINE
	NULL,
};

int engine_pwrite(int fd, const void *record, size_t size, off_t offset)
{
	ssize_t put = pwrite(fd, record, size, offset);

	if (put < 0)
		return -errno;
	return (size_t)put == size ? 0 : -ENOSPC;
}

const struct engine *const *engine_list(void)
{
	return engines;
}
