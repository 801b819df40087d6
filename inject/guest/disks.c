// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/disks.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define OUTPUT "/run/tool-output"

/* Runs a program and waits for it; its output goes to a file that read_output() reads. */
static int run_tool(const char *const *arguments, int *status, struct hl_error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return hl_error_errno(err, errno, "start %s", arguments[0]);
	if (!pid) {
		int output = open(OUTPUT, O_CREAT | O_TRUNC | O_WRONLY, 0600);

		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		execvp(arguments[0], (char *const *)arguments);
		dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
		_exit(127);
	}
	if (waitpid(pid, status, 0) < 0)
		return hl_error_errno(err, errno, "wait for %s", arguments[0]);
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
	return 0;
}

/* The end of what the last tool printed, on one line. */
static void read_output(char *output, size_t size)
{
	cleanup_free char *text = NULL;
	size_t length = 0;

	output[0] = '\0';
	if (file_read(OUTPUT, &text, &length, NULL))
		return;
	while (length && strchr("\n ", text[length - 1]))
		text[--length] = '\0';
	snprintf(output, size, "%s", text + (length >= size ? length - size + 1 : 0));
	for (char *c = output; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

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

/* The virtio disk whose serial is the disk's name (QEMU's serial= property). */
static int find_virtio(const struct plan_disk *disk, char *device, size_t size)
{
	DIR *blocks = opendir("/sys/block");
	struct dirent *entry;
	int r = -ENODEV;

	while (blocks && r && (entry = readdir(blocks))) {
		cleanup_free char *path = file_path("/sys/block/%s/serial", entry->d_name);
		cleanup_free char *serial = NULL;

		if (file_read(path, &serial, NULL, NULL))
			continue;
		serial[strcspn(serial, "\n")] = '\0';
		if (strcmp(serial, disk->name) != 0)
			continue;
		snprintf(device, size, "/dev/%.50s", entry->d_name);
		r = 0;
	}
	if (blocks)
		closedir(blocks);
	return r;
}

static int device_of(const struct plan *plan, const struct plan_disk *disk, char *device, size_t size,
		     struct hl_error *err)
{
	if (disk->via == PLAN_VIA_RAM) {
		snprintf(device, size, "/dev/loop%zu", (size_t)(disk - plan->disks));
		return 0;
	}
	if (find_virtio(disk, device, size))
		return hl_error_set(err, ENODEV, "disk %s is not there", disk->name);
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
	char output[400];
	int status, r;

	if (!commands[disk->fs])
		return 0;
	r = run_tool(commands[disk->fs], &status, err);
	if (r || !status)
		return r;
	read_output(output, sizeof(output));
	return hl_error_set(err, EIO, "%s of disk %s ended with status %d: %s", commands[disk->fs][0], disk->name, status,
			    output);
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
	if (!r)
		r = device_of(plan, disk, device, sizeof(device), err);
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
	r = run_tool(commands[disk->fs], status, err);
	if (!r)
		read_output(output, size);
	return r;
}
