// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/disks.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/polling.h"
#include "base/units.h"
#include "inject/device_mapper.h"
#include "inject/disk.h"
#include "inject/guest/iscsi.h"
#include "inject/guest/nbd.h"
#include "inject/null_blk.h"
#include "inject/tool.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

/* A disk in memory: a loop device on a file of tmpfs. */
static int attach_loop(const struct plan_disk *disk, struct disk *made, struct hl_error *err)
{
	cleanup_free char *backing = file_path("/run/disk-%s", disk->name);
	cleanup_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	cleanup_fd int file = open(backing, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	cleanup_fd int loop = -1;
	int number;

	if (control < 0 || file < 0 || ftruncate(file, (off_t)disk->size))
		return hl_error_errno(err, errno, "make disk %s in memory", disk->name);
	number = ioctl(control, LOOP_CTL_GET_FREE);
	if (number < 0)
		return hl_error_errno(err, errno, "find a free loop device");
	snprintf(made->below, sizeof(made->below), "/dev/loop%d", number);
	loop = open(made->below, O_RDWR | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_SET_FD, file))
		return hl_error_errno(err, errno, "attach %s", made->below);
	return 0;
}

/* A device whose sysfs attribute has this value. */
static bool find_block(const char *attribute, const char *value, struct disk *made)
{
	DIR *blocks = opendir("/sys/block");
	struct dirent *entry;
	bool found = false;
	char text[64];

	while (blocks && !found && (entry = readdir(blocks))) {
		found = !disk_attribute(entry->d_name, attribute, text, sizeof(text)) && !strcmp(text, value);
		if (found)
			snprintf(made->below, sizeof(made->below), "/dev/%.50s", entry->d_name);
	}
	if (blocks)
		closedir(blocks);
	return found;
}

/* A device appears some time after its bus was set up. */
#define DEVICE_WAIT  (20 * NANOSECONDS_PER_SECOND)
#define UNMOUNT_WAIT (5 * NANOSECONDS_PER_SECOND)
#define STEP	     10000000

static bool is_there(const struct plan_disk *disk, const char *attribute, const char *value,
		     struct disk *made)
{
	return attribute ? find_block(attribute, value, made)
			 : !iscsi_device(disk, made->below, sizeof(made->below));
}

/* @attribute NULL: the LUN of an iSCSI session. */
static int await_block(const struct plan_disk *disk, const char *attribute, const char *value,
		       struct disk *made, struct hl_error *err)
{
	const struct polling polling = polling_begin(DEVICE_WAIT, STEP);

	while (!is_there(disk, attribute, value, made))
		if (!polling_again(&polling))
			return hl_error_set(err, ENODEV, "disk %s is not there", disk->name);
	return 0;
}

static int make_lun(const struct plan_disk *disk, struct disk *made, struct hl_error *err)
{
	int r = iscsi_login(disk, err);

	return r ? r : await_block(disk, NULL, NULL, made, err);
}

/* The device that "via" stands for. */
static int make_device(const struct plan_disk *disk, struct disk *made, struct hl_error *err)
{
	switch ((enum plan_via)disk->via) {
	case PLAN_VIA_RAM:
		return attach_loop(disk, made, err);
	case PLAN_VIA_VIRTIO:
	case PLAN_VIA_NBD:
		/* QEMU's serial= property is the disk's name. */
		return await_block(disk, "serial", disk->name, made, err);
	case PLAN_VIA_NVME:
		return await_block(disk, "device/serial", disk->name, made, err);
	case PLAN_VIA_VIRTIO_SCSI:
		/* product= */
		return await_block(disk, "device/model", disk->name, made, err);
	case PLAN_VIA_GUEST_NBD:
		return nbd_connect(disk, made->below, sizeof(made->below), err);
	case PLAN_VIA_ISCSI:
		return make_lun(disk, made, err);
	case PLAN_VIA_SCSI_DEBUG:
		return await_block(disk, "device/model", "scsi_debug", made, err);
	case PLAN_VIA_NULL_BLK:
		return null_blk_create(made, disk->size, disk->latency, err);
	}
	return hl_error_set(err, EINVAL, "disk %s is of an unknown kind", disk->name);
}

/* The kernel's limit for one request of a SCSI disk, in seconds. NVMe has a boot parameter
 * (plan_disk_boot()), NBD an argument of its client.
 */
static int set_device_timeout(const struct plan_disk *disk, const struct disk *made, struct hl_error *err)
{
	bool scsi = disk->via == PLAN_VIA_ISCSI || disk->via == PLAN_VIA_SCSI_DEBUG ||
		    disk->via == PLAN_VIA_VIRTIO_SCSI;
	char value[32];

	if (disk->device_timeout < 0 || !scsi)
		return 0;
	snprintf(value, sizeof(value), "%lld", (long long)(disk->device_timeout / NANOSECONDS_PER_SECOND));
	return disk_set_attribute(made->below, "device/timeout", value, err);
}

static int make_layer(const struct plan_disk *disk, struct disk *made, struct hl_error *err)
{
	if (disk->layer != PLAN_LAYER_NONE)
		return device_mapper_create(made, disk->layer == PLAN_LAYER_MULTIPATH, err);
	memcpy(made->device, made->below, sizeof(made->device));
	return 0;
}

/* Fixed identifiers: a random UUID would make two runs differ. */
static int make_file_system(const struct plan_disk *disk, const char *device, struct hl_error *err)
{
#define UUID "6e61676c-6162-4000-8000-68616e676c61"
	const char *const ext4[] = {"mkfs.ext4",
				    "-q",
				    "-F",
				    "-U",
				    UUID,
				    "-E",
				    "nodiscard,hash_seed=" UUID ",lazy_itable_init=1,lazy_journal_init=1",
				    device,
				    NULL};
	const char *const xfs[] = {"mkfs.xfs", "-q", "-f", "-K", "-m", "uuid=" UUID, device, NULL};
	const char *const btrfs[] = {"mkfs.btrfs", "-q", "-f", "-K", "-U", UUID, device, NULL};
	const char *const *const commands[] = {NULL, ext4, xfs, btrfs};
	int r;

	if (!commands[disk->fs])
		return 0;
	r = tool_must(commands[disk->fs], NULL, 0, err);
	return r ? hl_error_prefix(err, "make the file system of disk %s", disk->name) : 0;
}

int disks_mount(const struct plan_disk *disk, struct hl_error *err)
{
	struct disk made;
	int r = disk_find(disk->name, &made, err);

	if (r)
		return r;
	/* The disk is all zeros: no need for ext4lazyinit, whose writes would mix with the workload's. */
	if (mount(made.device, disk->mount, plan_fs_names[disk->fs], 0,
		  disk->fs == PLAN_FS_EXT4 ? "noinit_itable" : NULL))
		return hl_error_errno(err, errno, "mount %s on %s", made.device, disk->mount);
	return 0;
}

static int prepare(const struct plan_disk *disk, struct hl_error *err)
{
	struct disk made = {0};
	int r;

	snprintf(made.name, sizeof(made.name), "%s", disk->name);
	snprintf(made.mount, sizeof(made.mount), "%s", disk->mount ? disk->mount : "");
	r = make_device(disk, &made, err);
	if (!r)
		r = set_device_timeout(disk, &made, err);
	if (!r)
		r = make_layer(disk, &made, err);
	if (!r)
		r = disk_publish(&made, err);
	if (!r)
		r = make_file_system(disk, made.device, err);
	if (!r && disk->mount)
		r = file_make_folders(disk->mount, err);
	return r || !disk->mount ? r : disks_mount(disk, err);
}

int disks_prepare(const struct plan *plan, struct hl_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < plan->disk_count; i++)
		r = prepare(&plan->disks[i], err);
	return r;
}

int disks_unmount(const struct plan_disk *disk, struct hl_error *err)
{
	/* Something may still hold it for an instant after the workloads ended: the last close is done late.
	 */
	const struct polling polling = polling_begin(UNMOUNT_WAIT, STEP);

	while (umount(disk->mount))
		if (errno != EBUSY || !polling_again(&polling))
			return hl_error_errno(err, errno, "unmount %s", disk->mount);
	return 0;
}

int disks_check(const struct plan_disk *disk, int *status, char *output, size_t size, struct hl_error *err)
{
	struct disk made;
	const char *const ext4[] = {"e2fsck", "-fn", made.device, NULL};
	const char *const xfs[] = {"xfs_repair", "-n", made.device, NULL};
	const char *const btrfs[] = {"btrfs", "check", made.device, NULL};
	const char *const *const commands[] = {NULL, ext4, xfs, btrfs};
	int r = disk_find(disk->name, &made, err);

	*status = 0;
	output[0] = '\0';
	return r || !commands[disk->fs] ? r : tool_run(commands[disk->fs], status, output, size, err);
}
