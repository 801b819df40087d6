/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_NETWORK_H
#define HANGLAB_INJECT_GUEST_NETWORK_H

#include "base/error.h"

/*
 * QEMU's user network: the guest is 10.0.2.15, and reaches the servers on the host's loopback interface at
 * 10.0.2.2.
 */

#define NETWORK_HOST "10.0.2.2"

/** network_up() - give the loopback interface and the card their addresses; once is enough. Return: 0 or
 * -errno. */
int network_up(struct hl_error *err);

/**
 * network_port() - the port of a disk's server, from fw_cfg (opt/hanglab/ports: an object of disk names)
 *
 * Return: 0, -ENOENT for a disk without one, -errno.
 */
int network_port(const char *disk, int *port, struct hl_error *err);

#endif
