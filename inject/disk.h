/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_DISK_H
#define HANGLAB_INJECT_DISK_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A disk of the guest, by the name that the scenario gave it. Whoever sets a disk up leaves links in the
 * guest:
 *
 *	/run/disks/NAME/device	what carries the file system: /dev/dm-0, or the same as "below"
 *	/run/disks/NAME/below	what "via" gave: /dev/loop0, /dev/vda, /dev/sda ...
 *	/run/disks/NAME/mount	where it is mounted, if it is
 *
 * Injectors and evidence find everything from there. Device nodes are named as in /sys/block.
 */

struct disk {
	char name[64];
	char device[64], below[64];
	char mount[256];
};

/**
 * struct disk_parameter - what the parameters of every injector that acts on a disk begin with
 * @disk: its name
 */
struct disk_parameter {
	const char *disk;
};

/** DISK_PARAMETER - the entry of the parameter table for it */
#define DISK_PARAMETER                                                                                       \
	{                                                                                                    \
		.name = "disk", .type = PARAMETER_STRING, .offset = offsetof(struct disk_parameter, disk),   \
		.required = true, .help = "name of the disk"                                                 \
	}

/** disk_publish() - leave the links of a disk; empty members get none. Return: 0 or -errno. */
int disk_publish(const struct disk *disk, struct hl_error *err);

/** disk_find() - read the links of the disk called @name. Return: 0, -ENODEV for an unknown disk. */
int disk_find(const char *name, struct disk *disk, struct hl_error *err);

/** disk_sysfs() - "/sys/block/dm-0" of "/dev/dm-0", newly allocated */
char *disk_sysfs(const char *device);

/**
 * disk_attribute() - a file below a device's /sys/block folder, without white space at its end
 * @text: receives it, or "" when there is no such file
 *
 * Return: 0 or -errno.
 */
int disk_attribute(const char *device, const char *name, char *text, size_t size);

/** disk_set_attribute() - write such a file. Return: 0 or -errno. */
int disk_set_attribute(const char *device, const char *name, const char *text, struct hl_error *err);

/**
 * struct disk_counters - /sys/block/DEVICE/stat (Documentation/block/stat.rst)
 * @reads, @writes: that completed
 * @completed: all that completed, with discards and flushes
 * @in_flight: what the driver has. Requests that wait to be sent again and bios that a suspended device
 *	mapper holds back are not counted, so 0 does not mean idle.
 */
struct disk_counters {
	uint64_t reads, writes, completed, in_flight;
};

/** disk_read_counters() - Return: 0 or -errno. */
int disk_read_counters(const char *device, struct disk_counters *counters, struct hl_error *err);

/** disk_parse_counters() - the same from the text of that file. Return: 0 or -EBADMSG. */
int disk_parse_counters(const char *text, struct disk_counters *counters);

/** disk_is_suspended() - does the device mapper hold this device back? */
bool disk_is_suspended(const char *device);

#endif
