// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * After the last release: do the workloads move again, is the file system clean, is the data there, and is it
 * the same on the host?
 * Only done when a check asks for it.
 */
#include "inject/guest/channel.h"
#include "inject/guest/disks.h"
#include "inject/guest/guest.h"

#include "base/hash.h"
#include "base/units.h"
#include "inject/disk.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

/* A workload that moved again ends after one operation; fsck and verification of the small disks are quick.
 */
#define STOP_LIMIT   (30 * NANOSECONDS_PER_SECOND)
#define VERIFY_LIMIT (600 * NANOSECONDS_PER_SECOND)

static bool wanted(const struct guest *guest)
{
	return plan_has_check(&guest->plan, CHECK_RECOVERS) || plan_has_check(&guest->plan, CHECK_DATA);
}

static int check_again(const struct plan_disk *disk, int *status, char *output, size_t size,
		       struct hl_error *err)
{
	int r = disks_mount(disk, err);

	if (!r)
		r = disks_unmount(disk, err);
	return r ? r : disks_check(disk, status, output, size, err);
}

static void check_disk(struct child *child, const struct plan_disk *disk)
{
	struct hl_error err = HL_ERROR_INIT;
	char output[400];
	int status, r;

	if (!disk->mount)
		return;
	r = disks_unmount(disk, &err);
	if (!r)
		r = disks_check(disk, &status, output, sizeof(output), &err);
	/* As after a reboot: a mount replays what a journal still holds, a checker that may not write cannot.
	 */
	if (!r && status)
		r = check_again(disk, &status, output, sizeof(output), &err);
	if (!r)
		child_report(child, json_pack("{s:s, s:s, s:i, s:s}", "type", "fsck", "disk", disk->name,
					      "status", status, "output", output));
	if (!r)
		r = disks_mount(disk, &err);
	if (r)
		child_report(child, json_pack("{s:s, s:s, s:i, s:s}", "type", "fsck", "disk", disk->name,
					      "status", -1, "output", err.text));
}

/* The last that is done with a disk: hanglab compares it with the file that the disk is on the host. */
static void hash_of_disk(struct child *child, const struct plan_disk *planned)
{
	struct hl_error err = HL_ERROR_INIT;
	char sum[HASH_TEXT_SIZE] = "";
	struct disk disk;
	int r;

	if (plan_via_is_inside((enum plan_via)planned->via))
		return;
	r = planned->mount ? disks_unmount(planned, &err) : 0;
	if (!r)
		r = disk_find(planned->name, &disk, &err);
	if (!r)
		r = hash_disk(disk.below, O_DIRECT, sum, &err);
	child_report(child, json_pack("{s:s, s:s, s:s, s:s}", "type", "checksum", "disk", planned->name,
				      "sha256", sum, "error", r ? err.text : ""));
}

static void verify(struct child *child, void *data)
{
	const struct guest *guest = data;

	for (size_t i = 0; i < guest->plan.disk_count; i++)
		check_disk(child, &guest->plan.disks[i]);
	workloads_verify(child);
	for (size_t i = 0; i < guest->plan.disk_count; i++)
		hash_of_disk(child, &guest->plan.disks[i]);
}

static void on_report(void *data, json_t *report)
{
	const char *error = json_string_value(json_object_get(report, "error"));
	const char *type = json_string_value(json_object_get(report, "type"));

	(void)data;
	if (!type)
		guest_fail("verification: %s", error);
	channel_send(type, workload_now(), json_incref(report));
}

static void on_exit_of(void *data, int status)
{
	struct guest *guest = data;

	if (status)
		guest_fail("verification ended with wait status %d", status);
	guest->phase = PHASE_END;
}

static void enter(struct guest *guest, enum guest_phase phase, int64_t now, int64_t limit)
{
	guest->phase = phase;
	guest->phase_deadline = now + limit;
}

static void advance_recovery(struct guest *guest, int64_t now)
{
	int64_t deadline = guest->last_release + plan_recovery_limit(&guest->plan);

	guest->phase_deadline = deadline;
	if (!workloads_all_moved() && now <= deadline)
		return;
	workloads_report_recovery(now);
	workloads_stop();
	enter(guest, PHASE_STOPPING, now, STOP_LIMIT);
}

static void advance_stopping(struct guest *guest, int64_t now)
{
	static const struct child_watcher watcher = {on_report, on_exit_of};
	struct hl_error err = HL_ERROR_INIT;

	if (workloads_running() && now <= guest->phase_deadline)
		return;
	/* Data behind a workload that hangs cannot be verified; hanglab says so. */
	if (workloads_running()) {
		guest->phase = PHASE_END;
		return;
	}
	if (child_start("hanglab-verify", verify, &watcher, guest, NULL, &err))
		guest_fail("verification: %s", err.text);
	enter(guest, PHASE_VERIFY, now, VERIFY_LIMIT);
}

void aftermath_advance(struct guest *guest, int64_t now)
{
	if (!wanted(guest))
		guest->phase = PHASE_END;
	if (guest->phase == PHASE_RECOVERY)
		advance_recovery(guest, now);
	if (guest->phase == PHASE_STOPPING)
		advance_stopping(guest, now);
	if (guest->phase == PHASE_VERIFY && now > guest->phase_deadline)
		guest_fail("verification did not end within %d s",
			   (int)(VERIFY_LIMIT / NANOSECONDS_PER_SECOND));
}
