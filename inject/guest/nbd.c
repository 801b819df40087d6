// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own NBD client. nbd-client opens the connection, hands it to the driver (netlink) and ends.
 *
 * Without a timeout the driver waits for ever and reports "Possible stuck request" every 30 s. With one, the
 * first request that is late takes the device down for good (nbd_xmit_timeout() of drivers/block/nbd.c):
 * there is only one connection, and nobody makes another.
 */
#include "inject/guest/nbd.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "inject/disk.h"
#include "inject/guest/network.h"
#include "inject/tool.h"

#include <inttypes.h>

/* The driver makes them when it is loaded: nbds_max, 16 unless told otherwise. */
#define DEVICES 16

/* /sys/block/nbdN/pid is there as long as nbdN is connected. */
static int find_free_device(char *device, size_t size, struct hl_error *err)
{
	for (int number = 0; number < DEVICES; number++) {
		char pid[16];

		snprintf(device, size, "/dev/nbd%d", number);
		if (disk_attribute(device, "pid", pid, sizeof(pid)) == -ENOENT)
			return 0;
	}
	return hl_error_set(err, ENODEV, "every NBD device is in use");
}

int nbd_connect(const struct plan_disk *disk, char *device, size_t size, struct hl_error *err)
{
	cleanup_free char *port_text = NULL, *timeout = NULL;
	int port, r = network_up(err);

	if (!r)
		r = network_port(disk->name, &port, err);
	if (!r)
		r = find_free_device(device, size, err);
	if (r)
		return r;
	port_text = file_path("%d", port);
	if (disk->device_timeout >= 0)
		timeout = file_path("%" PRId64, disk->device_timeout / NANOSECONDS_PER_SECOND);
	return tool_must((const char *const[]){"nbd-client", NETWORK_HOST, port_text, device,
					       timeout ? "-timeout" : NULL, timeout, NULL},
			 NULL, 0, err);
}
