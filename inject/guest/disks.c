// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/disks.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "inject/guest/iscsi.h"
#include "inject/guest/tool.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* "N" of /dev/loopN is the disk's index: they are set up in order in a guest that has no others. */
static int attach_loop(const struct plan_disk *disk, size_t index, struct hl_error *err)
{
	cleanup_free char *backing = file_path("/run/disk-%s", disk->name);
	cleanup_free char *device = file_path("/dev/loop%zu", index);
	cleanup_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	cleanup_fd int file = open(backing, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	cleanup_fd int loop = -1;

	if (control < 0 || file < 0 || ftruncate(file, (off_t)disk->size))
		return hl_error_errno(err, errno, "make disk %s in memory", disk->name);
	if (ioctl(control, LOOP_CTL_ADD, index) < 0 && errno != EEXIST)
		return hl_error_errno(err, errno, "make %s", device);
	loop = open(device, O_RDWR | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_SET_FD, file))
		return hl_error_errno(err, errno, "attach %s", device);
	return 0;
}

/* QEMU's serial= property is the disk's name; virtio-blk and NVMe show it in different places. */
static bool has_serial(const char *block, const char *wanted)
{
	static const char *const places[] = {"", "device/"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		cleanup_free char *path = file_path("/sys/block/%s/%sserial", block, places[i]);
		cleanup_free char *serial = NULL;

		if (file_read(path, &serial, NULL, NULL))
			continue;
		/* NVMe pads it with blanks. */
		serial[strcspn(serial, " \n")] = '\0';
		if (!strcmp(serial, wanted))
			return true;
	}
	return false;
}

static int find_by_serial(const struct plan_disk *disk, char *device, size_t size)
{
	DIR *blocks = opendir("/sys/block");
	struct dirent *entry;
	int r = -ENODEV;

	while (blocks && r && (entry = readdir(blocks)))
		if (has_serial(entry->d_name, disk->name)) {
			snprintf(device, size, "/dev/%.50s", entry->d_name);
			r = 0;
		}
	if (blocks)
		closedir(blocks);
	return r;
}

/* A device appears some time after its bus was set up. */
#define DEVICE_WAIT (20 * NANOSECONDS_PER_SECOND)

static int device_of(const struct plan *plan, const struct plan_disk *disk, char *device, size_t size,
		     struct hl_error *err)
{
	static const struct timespec pause = {0, 10000000};
	int64_t deadline = workload_now() + DEVICE_WAIT;

	if (disk->via == PLAN_VIA_RAM) {
		snprintf(device, size, "/dev/loop%zu", (size_t)(disk - plan->disks));
		return 0;
	}
	while (disk->via == PLAN_VIA_ISCSI ? iscsi_device(disk, device, size) : find_by_serial(disk, device, size)) {
		if (workload_now() > deadline)
			return hl_error_set(err, ENODEV, "disk %s is not there", disk->name);
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* The kernel's limit for one request: SCSI in seconds, NVMe (blk-mq io_timeout) in milliseconds. */
static int set_device_timeout(const struct plan_disk *disk, const char *device, struct hl_error *err)
{
	const char *name = device + strlen("/dev/");
	bool scsi = disk->via == PLAN_VIA_ISCSI;
	cleanup_free char *path = file_path("/sys/block/%s/%s", name, scsi ? "device/timeout" : "queue/io_timeout");
	cleanup_free char *value = file_path("%lld\n", (long long)(disk->device_timeout / (scsi ? NANOSECONDS_PER_SECOND : 1000000)));
	cleanup_fd int fd = -1;

	if (disk->device_timeout < 0)
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || file_write_all(fd, value, strlen(value)))
		return hl_error_errno(err, errno, "set %s", path);
	return 0;
}

/* Fixed identifiers: a random UUID would make two runs differ. */
static int make_file_system(const struct plan_disk *disk, const char *device, struct hl_error *err)
{
#define UUID "6e61676c-6162-4000-8000-68616e676c61"
	const char *const ext4[] = {"mkfs.ext4", "-q", "-F", "-U", UUID, "-E",
				    "nodiscard,hash_seed=" UUID ",lazy_itable_init=1,lazy_journal_init=1", device, NULL};
	const char *const xfs[] = {"mkfs.xfs", "-q", "-f", "-K", "-m", "uuid=" UUID, device, NULL};
	const char *const btrfs[] = {"mkfs.btrfs", "-q", "-f", "-K", "-U", UUID, device, NULL};
	const char *const *const commands[] = {NULL, ext4, xfs, btrfs};
	int r;

	if (!commands[disk->fs])
		return 0;
	r = tool_succeed(commands[disk->fs], err);
	return r ? hl_error_prefix(err, "disk %s", disk->name) : 0;
}

int disks_mount(const struct plan *plan, const struct plan_disk *disk, struct hl_error *err)
{
	char device[64];
	int r = device_of(plan, disk, device, sizeof(device), err);

	if (r)
		return r;
	/* The disk is all zeros: no need for ext4lazyinit, whose writes would mix with the workload's. */
	if (mount(device, disk->mount, plan_fs_names[disk->fs], 0, disk->fs == PLAN_FS_EXT4 ? "noinit_itable" : NULL))
		return hl_error_errno(err, errno, "mount %s on %s", device, disk->mount);
	return 0;
}

static int prepare(const struct plan *plan, size_t index, struct hl_error *err)
{
	const struct plan_disk *disk = &plan->disks[index];
	char device[64];
	int r = 0;

	if (disk->via == PLAN_VIA_RAM)
		r = attach_loop(disk, index, err);
	else if (disk->via == PLAN_VIA_ISCSI)
		r = iscsi_login(disk, err);
	if (!r)
		r = device_of(plan, disk, device, sizeof(device), err);
	if (!r)
		r = set_device_timeout(disk, device, err);
	if (!r)
		r = make_file_system(disk, device, err);
	if (!r && disk->mount)
		r = file_make_folders(disk->mount, err);
	return r || !disk->mount ? r : disks_mount(plan, disk, err);
}

int disks_prepare(const struct plan *plan, struct hl_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < plan->disk_count; i++)
		r = prepare(plan, i, err);
	return r;
}

int disks_unmount(const struct plan_disk *disk, struct hl_error *err)
{
	/* Something may still hold it for an instant after the workloads ended: the last close is done late. */
	static const struct timespec pause = {0, 10000000};
	int tries = 500;

	while (umount(disk->mount)) {
		if (errno != EBUSY || !tries--)
			return hl_error_errno(err, errno, "unmount %s", disk->mount);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int disks_check(const struct plan *plan, const struct plan_disk *disk, int *status, char *output, size_t size,
		struct hl_error *err)
{
	char device[64];
	const char *const ext4[] = {"e2fsck", "-fn", device, NULL};
	const char *const xfs[] = {"xfs_repair", "-n", device, NULL};
	const char *const btrfs[] = {"btrfs", "check", device, NULL};
	const char *const *const commands[] = {NULL, ext4, xfs, btrfs};
	int r = device_of(plan, disk, device, sizeof(device), err);

	*status = 0;
	output[0] = '\0';
	if (r || !commands[disk->fs])
		return r;
	r = tool_run(commands[disk->fs], status, err);
	if (!r)
		tool_output(output, size);
	return r;
}
