// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the guest of a run starts: cold, or warm from a snapshot that an earlier run made when its guest was
 * ready.
 */
#include "run/state.h"

#include "base/file.h"
#include "base/hash.h"
#include "vm/snapshot.h"

#include <string.h>

/* What is in QEMU and in the guest's memory can be kept; a file or a server of a disk would have to be kept
 * too. */
static bool can_be_kept(const struct run *run)
{
	unsigned int major = 0, minor = 0;

	sscanf(run->preparation.qemu, "%u.%u", &major, &minor);
	if (major * 100 + minor < SNAPSHOT_QEMU || run->preparation.kvm || run->preparation.vm_features ||
	    run->plan->vm->guest != PLAN_GUEST_LINUX || run->plan->vm->machine != PLAN_MACHINE_Q35)
		return false;
	for (size_t i = 0; i < run->plan->disk_count; i++)
		if (!plan_via_is_inside((enum plan_via)run->plan->disks[i].via))
			return false;
	return true;
}

static int choose_start(struct run *run, struct qemu_request *request)
{
	int r;

	request->start = "cold";
	if (!run->settings->warm || !can_be_kept(run))
		return 0;
	r = snapshot_path(request, run->preparation.qemu, &run->snapshot, &run->err);
	if (r)
		return r;
	request->start = snapshot_exists(run->snapshot) ? "warm" : "save";
	if (!strcmp(request->start, "warm"))
		request->snapshot = run->snapshot;
	return 0;
}

static int start_vm(struct run *run, struct qemu_request *request, qmp_on_event on_event,
		    const char *const **command)
{
	return vm_start(&run->vm, request, &run->arena, command, (int)run_stretched(run, QMP_LIMIT_MS),
			on_event, run, &run->err);
}

/* A snapshot that cannot be used, because it was cut or QEMU thinks otherwise, is made again. */
static int start_cold_instead(struct run *run, struct qemu_request *request, qmp_on_event on_event,
			      const char *const **command)
{
	run_note(run, "the snapshot is made again: %s", run->err.text);
	vm_end(&run->vm);
	file_remove_tree(run->snapshot, NULL);
	run->err = (struct hl_error)HL_ERROR_INIT;
	request->snapshot = NULL;
	request->start = "save";
	return start_vm(run, request, on_event, command);
}

static int tell_start(struct run *run, const struct qemu_request *request)
{
	char identity[HASH_TEXT_SIZE];
	int r = 0;

	if (request->snapshot)
		r = snapshot_identity(request->snapshot, identity, &run->err);
	if (!r)
		record_start(run->record, request->start, request->snapshot ? identity : NULL);
	return r;
}

int run_start_warm_or_cold(struct run *run, struct qemu_request *request, qmp_on_event on_event,
			   const char *const **command)
{
	int r = choose_start(run, request);

	if (!r)
		r = start_vm(run, request, on_event, command);
	if (!r && request->snapshot)
		r = snapshot_load_channel(request->snapshot, run->folder, &run->err);
	if (r && request->snapshot)
		r = start_cold_instead(run, request, on_event, command);
	run->warm = request->snapshot;
	return r ? r : tell_start(run, request);
}

void run_save_snapshot(struct run *run)
{
	struct hl_error err = HL_ERROR_INIT;

	run->snapshot_offered = false;
	/* This run goes on all the same. */
	if (snapshot_save(&run->vm, run->snapshot, run->plan->vm, run->folder, &err))
		run_note(run, "no snapshot was made: %s", err.text);
	run_journal(run, "snapshot", json_pack("{s:s}", "folder", run->snapshot));
	if (qmp_execute(run->vm.qmp, "cont", NULL, NULL, &err))
		run_finish(run, GUEST_DIED, "%s", err.text);
}
