// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/disk.h"
#include "inject/lab_vm.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <inttypes.h>
#include <string.h>

static int publish_link(const char *name, const char *link, const char *target, struct hl_error *err)
{
	cleanup_free char *path = file_path("/run/disks/%s/%s", name, link);

	if (!target[0])
		return 0;
	unlink(path);
	return symlink(target, path) ? hl_error_errno(err, errno, "link %s", path) : 0;
}

int disk_publish(const struct disk *disk, struct hl_error *err)
{
	cleanup_free char *folder = file_path("/run/disks/%s", disk->name);
	int r = file_make_folders(folder, err);

	if (!r)
		r = publish_link(disk->name, "device", disk->device, err);
	if (!r)
		r = publish_link(disk->name, "below", disk->below, err);
	return r ? r : publish_link(disk->name, "mount", disk->mount, err);
}

static int read_link(const char *name, const char *link, char *target, size_t size)
{
	cleanup_free char *path = file_path("/run/disks/%s/%s", name, link);
	ssize_t length = readlink(path, target, size - 1);

	target[length < 0 ? 0 : length] = '\0';
	return length < 0 ? -errno : 0;
}

int disk_find(const char *name, struct disk *disk, struct hl_error *err)
{
	int r = lab_vm_require(err);

	if (r)
		return r;
	snprintf(disk->name, sizeof(disk->name), "%s", name);
	read_link(name, "mount", disk->mount, sizeof(disk->mount));
	if (read_link(name, "device", disk->device, sizeof(disk->device)) ||
	    read_link(name, "below", disk->below, sizeof(disk->below)))
		return hl_error_set(err, ENODEV, "there is no disk called %s", name);
	return 0;
}

char *disk_sysfs(const char *device)
{
	const char *slash = strrchr(device, '/');

	return file_path("/sys/block/%s", slash ? slash + 1 : device);
}

static char *attribute_path(const char *device, const char *name)
{
	cleanup_free char *folder = disk_sysfs(device);

	return file_path("%s/%s", folder, name);
}

int disk_attribute(const char *device, const char *name, char *text, size_t size)
{
	cleanup_free char *path = attribute_path(device, name);
	cleanup_free char *content = NULL;
	size_t length = 0;
	int r = file_read(path, &content, &length, NULL);

	while (length && strchr(" \n", content[length - 1]))
		length--;
	snprintf(text, size, "%.*s", (int)length, r ? "" : content);
	return r;
}

int disk_set_attribute(const char *device, const char *name, const char *text, struct hl_error *err)
{
	cleanup_free char *path = attribute_path(device, name);

	return file_set(path, text, err);
}

/* Discards came with Linux 4.18, flushes with 5.5. */
enum stat_field { READS = 0, WRITES = 4, IN_FLIGHT = 8, DISCARDS = 11, FLUSHES = 15, STAT_FIELDS = 17 };

int disk_parse_counters(const char *text, struct disk_counters *counters)
{
	uint64_t fields[STAT_FIELDS] = {0};
	int count = 0, used;

	while (count < STAT_FIELDS && sscanf(text, "%" SCNu64 "%n", &fields[count], &used) == 1) {
		text += used;
		count++;
	}
	if (count <= IN_FLIGHT)
		return -EBADMSG;
	counters->reads = fields[READS];
	counters->writes = fields[WRITES];
	counters->in_flight = fields[IN_FLIGHT];
	counters->completed = fields[READS] + fields[WRITES] + fields[DISCARDS] + fields[FLUSHES];
	return 0;
}

int disk_read_counters(const char *device, struct disk_counters *counters, struct hl_error *err)
{
	char text[512];
	int r = disk_attribute(device, "stat", text, sizeof(text));

	if (!r)
		r = disk_parse_counters(text, counters);
	return r ? hl_error_errno(err, -r, "read the counters of %s", device) : 0;
}

bool disk_is_suspended(const char *device)
{
	char text[16];

	return !disk_attribute(device, "dm/suspended", text, sizeof(text)) && !strcmp(text, "1");
}
