// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/pin.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* More VMs than this on one CPU are not told apart any more. */
#define PLACES 64

/* An address that begins with a zero byte is in no file system, unix(7). */
static int take_place(const char *pool, int cpu, int place)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s-cpu-%d-%d", pool, cpu,
			      place);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)))
		return -errno;
	return take_fd(&fd);
}

int pin_take(const char *pool, const cpu_set_t *allowed, int *cpu)
{
	for (int place = 0; place < PLACES; place++)
		for (int candidate = 0; candidate < CPU_SETSIZE; candidate++) {
			int fd;

			if (!CPU_ISSET(candidate, allowed))
				continue;
			fd = take_place(pool, candidate, place);
			if (fd == -EADDRINUSE)
				continue;
			*cpu = candidate;
			return fd;
		}
	return -EUSERS;
}

int pin_process(void)
{
	cleanup_fd int held = -1;
	cpu_set_t allowed, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -errno;
	held = pin_take("hanglab", &allowed, &cpu);
	if (held < 0)
		return held;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -errno : take_fd(&held);
}
