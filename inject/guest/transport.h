/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_TRANSPORT_H
#define HANGLAB_INJECT_GUEST_TRANSPORT_H

#include <jansson.h>
#include <stdbool.h>

/*
 * The state of a disk and of the connection below it, read in /sys. To be called in children of the guest
 * program.
 */

/**
 * transport_is_down() - is the connection below a disk out of order?
 * @disk: name of the disk, or NULL
 *
 * In order are a SCSI device and its host that are "running", an NVMe controller that is "live", an iSCSI
 * session that is "LOGGED_IN", an NBD device with a client; what has no such file has no connection of its
 * own.
 */
bool transport_is_down(const char *disk);

/**
 * transport_describe() - a new object with what /sys says of a disk
 * @disk: its name
 *
 * Members: disk, device, below, reads_in_flight, writes_in_flight, and where there are such: state (of a SCSI
 * device or an NVMe controller), session (of iSCSI), host (of SCSI), suspended (by the device mapper). 0 in
 * flight does not mean idle: see struct disk_counters.
 */
json_t *transport_describe(const char *disk);

#endif
