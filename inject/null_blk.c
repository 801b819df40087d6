// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/null_blk.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define CONFIGFS "/sys/kernel/config"

/* Newer kernels call the device as its folder: no folder may be called as another device. */
#define FOLDER "nullb-"

static char *attribute_path(const char *name, const char *attribute)
{
	return file_path(CONFIGFS "/nullb/" FOLDER "%s/%s", name, attribute);
}

int null_blk_set(const char *name, const char *attribute, const char *value, struct hl_error *err)
{
	cleanup_free char *path = attribute_path(name, attribute);

	return file_set(path, value, err);
}

int null_blk_get(const char *name, const char *attribute, char *value, size_t size, struct hl_error *err)
{
	cleanup_free char *path = attribute_path(name, attribute), *text = NULL;
	int r = file_read(path, &text, NULL, err);

	if (r)
		return r;
	snprintf(value, size, "%.*s", (int)strcspn(text, "\n"), text);
	return 0;
}

static int configure(const char *name, uint64_t size, int64_t latency, struct hl_error *err)
{
	char megabytes[32], nanoseconds[32];
	/* irqmode 2 completes from a timer, 1 at once from a soft interrupt. */
	const char *const attributes[][2] = {
		{"size", megabytes},
		{"memory_backed", "1"},
		{"irqmode", latency ? "2" : "1"},
		{"completion_nsec", nanoseconds},
		{"power", "1"},
	};
	int r = 0;

	snprintf(megabytes, sizeof(megabytes), "%" PRIu64, (size + (1 << 20) - 1) >> 20);
	snprintf(nanoseconds, sizeof(nanoseconds), "%" PRId64, latency ? latency : 10000);
	for (size_t i = 0; !r && i < sizeof(attributes) / sizeof(attributes[0]); i++)
		r = null_blk_set(name, attributes[i][0], attributes[i][1], err);
	return r;
}

static int find_device(struct disk *disk, struct hl_error *err)
{
	char index[16];

	snprintf(disk->below, sizeof(disk->below), "/dev/" FOLDER "%.40s", disk->name);
	if (!access(disk->below, F_OK))
		return 0;
	if (null_blk_get(disk->name, "index", index, sizeof(index), err))
		return -err->code;
	snprintf(disk->below, sizeof(disk->below), "/dev/nullb%s", index);
	return access(disk->below, F_OK) ? hl_error_errno(err, errno, "open %s", disk->below) : 0;
}

int null_blk_create(struct disk *disk, uint64_t size, int64_t latency, struct hl_error *err)
{
	cleanup_free char *folder = attribute_path(disk->name, "");
	int r;

	if (mount("configfs", CONFIGFS, "configfs", 0, NULL) && errno != EBUSY)
		return hl_error_errno(err, errno, "mount configfs");
	if (mkdir(folder, 0755))
		return hl_error_errno(err, errno, "make %s", folder);
	r = configure(disk->name, size, latency, err);
	return r ? r : find_device(disk, err);
}
