// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * network-configuration: changes a setting of the loopback interface, as "ip link set" would. Each change
 * takes RTNL, the lock of all network configuration: it waits for whoever holds that.
 */
#include "base/cleanup.h"
#include "base/units.h"
#include "inject/workload/workload.h"

#include <net/if.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct network_configuration {
	int64_t interval;
};

/* The transmit queue length: no packet of the loopback interface is ever queued. */
static int change(int fd, uint64_t sequence)
{
	struct ifreq request = {.ifr_name = "lo"};

	request.ifr_qlen = 1000 + (int)(sequence % 2);
	return ioctl(fd, SIOCSIFTXQLEN, &request) ? -errno : 0;
}

static int network_configuration_run(struct workload_run *run, struct hl_error *err)
{
	const struct network_configuration *configuration = run->parameters;
	uint64_t random = run->seed * 0x9e3779b97f4a7c15ULL | 1;
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return hl_error_errno(err, errno, "open a socket");
	for (uint64_t sequence = 0; !atomic_load(&run->progress->stop); sequence++) {
		workload_begin(run->progress);
		workload_end(run->progress, change(fd, sequence));
		workload_pause(configuration->interval, &random);
	}
	return 0;
}

static const struct parameter network_configuration_parameters[] = {
	{.name = "interval",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct network_configuration, interval),
	 .fallback = "100ms",
	 .least = 1000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "mean pause between two changes"},
	{.name = NULL},
};

const struct workload workload_network_configuration = {
	.name = "network-configuration",
	.summary = "change a setting of the loopback interface, again and again",
	.help = "Each change takes RTNL, the kernel's lock of network configuration.\n",
	.parameters = network_configuration_parameters,
	.parameters_size = sizeof(struct network_configuration),
	.run = network_configuration_run,
};
