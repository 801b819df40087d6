// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/plan.h"

#include "base/units.h"
#include "inject/device_mapper.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const plan_machine_names[] = {"q35", "bochs", NULL};
const char *const plan_guest_names[] = {"linux", "clockwatch", "image", NULL};
const char *const plan_clock_names[] = {"virtual", "real", NULL};
const char *const plan_accel_names[] = {"auto", "kvm", "tcg", NULL};
const char *const plan_fs_names[] = {"none", "ext4", "xfs", "btrfs", NULL};
const char *const plan_via_names[] = {"ram",	   "virtio", "nbd",	   "nvme",     "virtio_scsi",
				      "guest_nbd", "iscsi",  "scsi_debug", "null_blk", NULL};
/* Reports only: none of these keys changes anything. */
const char *const plan_sysrq_names[] = {"w", "t", "l", "m", NULL};
const char *const plan_layer_names[] = {"none", "dm", "multipath", NULL};
const char *const plan_postmortem_names[] = {"auto", "hang", "off", NULL};

static const struct parameter vm_values[] = {
	{.name = "cpus",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct plan_vm, cpus),
	 .fallback = "2",
	 .least = 1,
	 .most = 64,
	 .help = "vCPUs"},
	{.name = "memory",
	 .type = PARAMETER_SIZE,
	 .offset = offsetof(struct plan_vm, memory),
	 .fallback = "512M",
	 .least = 128LL << 20,
	 .most = 1LL << 40,
	 .help = "memory of the guest"},
	{.name = "machine",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_vm, machine),
	 .fallback = "q35",
	 .choices = plan_machine_names,
	 .help = "bochs: the emulator Bochs, for an Intel CPU with VMX where the machine itself has none"},
	{.name = "guest",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_vm, guest),
	 .fallback = "linux",
	 .choices = plan_guest_names,
	 .help = "clockwatch: a guest that keeps Windows' rule about clock interrupts and nothing else;\n"
		 "image: whatever the firmware finds on the disk image named by 'image', e.g. Windows"},
	{.name = "clock",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_vm, clock),
	 .fallback = "virtual",
	 .choices = plan_clock_names,
	 .help = "virtual skips idle time and is exact; real is for faults that need the host"},
	{.name = "accel",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_vm, accel),
	 .fallback = "auto",
	 .choices = plan_accel_names,
	 .help = "auto takes KVM in real time when a probe boot works, else TCG"},
	{.name = "shift",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct plan_vm, shift),
	 .fallback = "4",
	 .least = 0,
	 .most = 7,
	 .help = "virtual time: one guest instruction takes 2^shift ns"},
	{.name = "cpu",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_vm, cpu),
	 .help = "CPU model and features as QEMU's -cpu takes them, e.g. EPYC,svm=on,npt=on"},
	{.name = "kernel",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_vm, kernel),
	 .fallback = "debian",
	 .help = "kernel in the store, see hanglab kernel list"},
	{.name = "boot",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_vm, boot),
	 .fallback = "",
	 .help = "further boot parameters; one of them replaces hanglab's of the same name"},
	{.name = "image",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_vm, image),
	 .help = "guest image: disk image, raw or qcow2; it is never changed"},
	{.name = NULL},
};

static const struct schema vm_schema = {"vm", sizeof(struct plan_vm), vm_values, NULL};

static const struct parameter disk_values[] = {
	{.name = "name",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_disk, name),
	 .required = true,
	 .help = "what messages call it"},
	{.name = "size",
	 .type = PARAMETER_SIZE,
	 .offset = offsetof(struct plan_disk, size),
	 .required = true,
	 .least = 1 << 20,
	 .most = 1LL << 44,
	 .help = "16M at least for ext4, 128M for btrfs, 300M for xfs"},
	{.name = "fs",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_disk, fs),
	 .fallback = "none",
	 .choices = plan_fs_names,
	 .help = "file system made on it"},
	{.name = "via",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_disk, via),
	 .fallback = "ram",
	 .choices = plan_via_names,
	 .help = "virtio: a file of the run; nbd, nvme, virtio_scsi: QEMU's client of an NBD server; "
		 "guest_nbd:\n"
		 "the guest's own client; iscsi: a LUN of an iSCSI target; the others: memory of the guest,\n"
		 "which keeps a run exact"},
	{.name = "noop_interval",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_disk, noop_interval),
	 .least = 0,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "iscsi: NOP-Out interval, 0 for none"},
	{.name = "noop_timeout",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_disk, noop_timeout),
	 .least = 0,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "iscsi: wait for the answer to a NOP-Out"},
	{.name = "replacement_timeout",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_disk, replacement_timeout),
	 .least = 0,
	 .most = 86400 * NANOSECONDS_PER_SECOND,
	 .help = "iscsi: a lost session fails its I/O after this time"},
	{.name = "device_timeout",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_disk, device_timeout),
	 .least = NANOSECONDS_PER_SECOND,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "guest_nbd, iscsi, nvme, scsi_debug, virtio_scsi: the kernel's limit for one request"},
	{.name = "layer",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_disk, layer),
	 .fallback = "none",
	 .choices = plan_layer_names,
	 .help = "device mapper on top of it: dm is a linear table that the dm-... injectors change"},
	{.name = "latency",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_disk, latency),
	 .fallback = "0",
	 .least = 0,
	 .most = 4 * NANOSECONDS_PER_SECOND,
	 .help = "null_blk: how long each request takes"},
	{.name = "mount",
	 .type = PARAMETER_PATH,
	 .offset = offsetof(struct plan_disk, mount),
	 .help = "where it is mounted"},
	{.name = NULL},
};

static const struct schema disk_schema = {"a disk", sizeof(struct plan_disk), disk_values, NULL};

static const struct parameter requires_values[] = {
	{.name = "min_kernel",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_requires, min_kernel),
	 .help = "oldest kernel release, e.g. \"3.10\""},
	{.name = NULL},
};

static const struct schema_key requires_keys[] = {
	{.name = "config",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct plan_requires, config),
	 .help = "kernel options that must be y or m, without CONFIG_"},
	{.name = NULL},
};

static const struct schema requires_schema = {"requires", sizeof(struct plan_requires), requires_values,
					      requires_keys};

static const struct parameter wait_values[] = {
	{.name = "event",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_wait, pattern.kind),
	 .required = true,
	 .choices = event_kind_names,
	 .help = "kind of the event"},
	{.name = "comm",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_wait, pattern.comm),
	 .help = "name of the task, as a shell pattern"},
	{.name = "function",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_wait, pattern.function),
	 .help = "blamed function, as a shell pattern"},
	{.name = "cpu",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct plan_wait, pattern.cpu),
	 .fallback = "-1",
	 .least = -1,
	 .most = 4095,
	 .help = "CPU number"},
	{.name = "hold",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_wait, hold),
	 .help = "go on for this long after the event"},
	{.name = "within",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_wait, within),
	 .help = "wait no longer than this; default: from the sysctls in force in the guest"},
	{.name = NULL},
};

static const struct schema wait_schema = {"an event to wait for", sizeof(struct plan_wait), wait_values,
					  NULL};

static const struct parameter step_values[] = {
	{.name = "start",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_step, start),
	 .help = "start this workload, see hanglab list workloads"},
	{.name = "inject",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_step, inject),
	 .help = "inject this fault, see hanglab list injectors"},
	{.name = "sysrq",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan_step, sysrq),
	 .choices = plan_sysrq_names,
	 .help = "let the kernel report: w blocked tasks, t all tasks, l CPUs, m memory. The result gets "
		 "the\n"
		 "stacks of blocked tasks and the state of the disks"},
	{.name = "shell",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_step, shell),
	 .help = "run this command with sh, to its end"},
	{.name = "trigger",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_step, trigger),
	 .help = "run this command with sh: it is itself the fault, and need not end"},
	{.name = "name",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_step, name),
	 .help = "name of the workload's process, up to 15 characters"},
	{.name = "at",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_step, at),
	 .fallback = NULL,
	 .help = "not before this time of the timeline"},
	{.name = "for",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan_step, hold_for),
	 .help = "release the fault after this time"},
	{.name = NULL},
};

static const struct schema_key step_keys[] = {
	{.name = "exit",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct plan_step, exit),
	 .help = "exit statuses of the command that are fine; default 0"},
	{.name = "refused",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct plan_step, refused),
	 .help = "errors (EINVAL) or exit statuses of the command by which a fixed kernel refuses it"},
	{.name = "with",
	 .kind = SCHEMA_MAP,
	 .offset = offsetof(struct plan_step, with),
	 .help = "parameters"},
	{.name = "after",
	 .kind = SCHEMA_OBJECT,
	 .item = &wait_schema,
	 .offset = offsetof(struct plan_step, after),
	 .help = "wait for an event first"},
	{.name = "until",
	 .kind = SCHEMA_OBJECT,
	 .item = &wait_schema,
	 .offset = offsetof(struct plan_step, until),
	 .help = "release the fault after an event"},
	{.name = NULL},
};

static const struct schema step_schema = {"a step", sizeof(struct plan_step), step_values, step_keys};

static const struct parameter bug_values[] = {
	{.name = "title",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_bug, title),
	 .required = true,
	 .help = "of the upstream commit that fixes it"},
	{.name = "cve",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_bug, cve),
	 .help = "its CVE number"},
	{.name = NULL},
};

static const struct schema_key bug_keys[] = {
	{.name = "fixed",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct plan_bug, fixed),
	 .help = "first versions with the fix"},
	{.name = NULL},
};

static const struct schema bug_schema = {"bug", sizeof(struct plan_bug), bug_values, bug_keys};

static const struct parameter program_values[] = {
	{.name = "source",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_program, file),
	 .required = true,
	 .help = "C file, relative to the scenario's folder"},
	{.name = "name",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan_program, name),
	 .help = "what it is called in the guest; default: the file's name without .c"},
	{.name = NULL},
};

static const struct schema program_schema = {"a program", sizeof(struct plan_program), program_values, NULL};

static const struct parameter plan_values[] = {
	{.name = "scenario",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan, scenario),
	 .required = true,
	 .help = "its name"},
	{.name = "summary",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan, summary),
	 .fallback = "",
	 .help = "one sentence"},
	{.name = "case",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct plan, case_name),
	 .help = "the known case that it reproduces"},
	{.name = "seed",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct plan, seed),
	 .fallback = "1",
	 .least = 0,
	 .most = INT32_MAX,
	 .help = "of everything random; --seed wins"},
	{.name = "stall",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct plan, stall),
	 .fallback = "5s",
	 .least = 1000000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "a workload whose operation is in flight for longer is stalled"},
	{.name = "interactive",
	 .type = PARAMETER_BOOLEAN,
	 .offset = offsetof(struct plan, interactive),
	 .fallback = "false",
	 .help = "set by hanglab shell: faults wait for commands, not for the timeline"},
	{.name = "postmortem",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct plan, postmortem),
	 .fallback = "auto",
	 .choices = plan_postmortem_names,
	 .help = "when the guest's memory is kept for hanglab postmortem. auto: of a guest that panicked or "
		 "fell silent\n"
		 "unexpectedly; hang: also at the first hang that the kernel reports, while it holds; off: "
		 "never"},
	{.name = NULL},
};

static const struct schema_key plan_keys[] = {
	{.name = "vm",
	 .kind = SCHEMA_OBJECT,
	 .item = &vm_schema,
	 .offset = offsetof(struct plan, vm),
	 .help = "the lab VM"},
	{.name = "bug",
	 .kind = SCHEMA_OBJECT,
	 .item = &bug_schema,
	 .offset = offsetof(struct plan, bug),
	 .help = "the known bug that it tests a kernel for: its expects are the bug's signature, and\n"
		 "PASS means that the kernel does not have it"},
	{.name = "modules",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct plan, modules),
	 .help = "kernel modules to load, else SKIP"},
	{.name = "tools",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct plan, tools),
	 .help = "programs of this machine that commands need, else SKIP; sh is always there"},
	{.name = "programs",
	 .kind = SCHEMA_LIST,
	 .item = &program_schema,
	 .offset = offsetof(struct plan, programs),
	 .count_offset = offsetof(struct plan, program_count),
	 .help = "C programs that are compiled and put into the guest"},
	{.name = "disks",
	 .kind = SCHEMA_LIST,
	 .item = &disk_schema,
	 .offset = offsetof(struct plan, disks),
	 .count_offset = offsetof(struct plan, disk_count),
	 .help = "disks of the guest"},
	{.name = "sysctl",
	 .kind = SCHEMA_MAP,
	 .offset = offsetof(struct plan, sysctl),
	 .help = "set before the timeline"},
	{.name = "requires",
	 .kind = SCHEMA_OBJECT,
	 .item = &requires_schema,
	 .offset = offsetof(struct plan, requires),
	 .help = "else SKIP"},
	{.name = "timeline",
	 .kind = SCHEMA_LIST,
	 .item = &step_schema,
	 .offset = offsetof(struct plan, steps),
	 .count_offset = offsetof(struct plan, step_count),
	 .help = "what is started and broken, in order"},
	{.name = "checks",
	 .kind = SCHEMA_LIST,
	 .item = &check_schema,
	 .offset = offsetof(struct plan, checks),
	 .count_offset = offsetof(struct plan, check_count),
	 .help = "what must be true"},
	{.name = NULL},
};

const struct schema plan_schema = {"a scenario", sizeof(struct plan), plan_values, plan_keys};

/* What has no text that stands for "not given". */
static void mark_absent_in_disk(struct plan_disk *disk)
{
	static const struct {
		const char *key;
		size_t offset;
	} durations[] = {
		{"noop_interval", offsetof(struct plan_disk, noop_interval)},
		{"noop_timeout", offsetof(struct plan_disk, noop_timeout)},
		{"replacement_timeout", offsetof(struct plan_disk, replacement_timeout)},
		{"device_timeout", offsetof(struct plan_disk, device_timeout)},
	};

	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
		if (!json_object_get(disk->source, durations[i].key))
			*(int64_t *)((char *)disk + durations[i].offset) = -1;
}

static void mark_absent(struct plan_step *step)
{
	if (!json_object_get(step->source, "at"))
		step->at = -1;
	if (!json_object_get(step->source, "for"))
		step->hold_for = -1;
	if (!json_object_get(step->source, "sysrq"))
		step->sysrq = -1;
	if (!step->name)
		step->name = step->start ? step->start : step->inject ? step->inject : "command";
}

/* "folder/repro.c" -> "repro" */
static void name_program(struct plan_program *program, struct arena *arena)
{
	const char *slash = strrchr(program->file, '/'), *base = slash ? slash + 1 : program->file;
	size_t length = strlen(base), ending = length > 2 && !strcmp(base + length - 2, ".c") ? 2 : 0;
	char *name;

	if (program->name)
		return;
	name = arena_allocate(arena, length + 1);
	memcpy(name, base, length - ending);
	program->name = name;
}

/* Objects that are never absent, so that their defaults apply. */
static void complete(json_t *json)
{
	static const char *const always[] = {"vm", "requires"};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (!json_object_get(json, always[i]))
			json_object_set_new(json, always[i], json_object());
}

int plan_load(struct plan *plan, json_t *json, struct hl_error *err)
{
	struct arena kept = plan->arena;
	int r;

	complete(json);
	plan->json = json_incref(json);
	r = schema_load(&plan_schema, json, plan, &kept, err);
	plan->arena = kept;
	for (size_t i = 0; !r && i < plan->step_count; i++)
		mark_absent(&plan->steps[i]);
	for (size_t i = 0; !r && i < plan->program_count; i++)
		name_program(&plan->programs[i], &plan->arena);
	for (size_t i = 0; !r && i < plan->disk_count; i++)
		mark_absent_in_disk(&plan->disks[i]);
	return r;
}

void plan_free(struct plan *plan)
{
	arena_free(&plan->arena);
	json_decref(plan->json);
	memset(plan, 0, sizeof(*plan));
}

bool plan_has_check(const struct plan *plan, enum check_kind kind)
{
	for (size_t i = 0; i < plan->check_count; i++)
		if (check_kind(&plan->checks[i]) == kind)
			return true;
	return false;
}

bool plan_injects(const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].inject || plan->steps[i].trigger)
			return true;
	return false;
}

bool plan_verifies(const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct workload *workload =
			plan->steps[i].start ? workload_find(plan->steps[i].start) : NULL;

		if (workload && workload->verify)
			return true;
	}
	return false;
}

bool plan_wants_postmortem(const struct plan *plan, enum hl_event_kind kind)
{
	if (plan->postmortem != PLAN_POSTMORTEM_HANG)
		return false;
	switch (kind) {
	case HL_EVENT_HUNG_TASK:
	case HL_EVENT_SOFT_LOCKUP:
	case HL_EVENT_HARD_LOCKUP:
	case HL_EVENT_RCU_STALL:
	case HL_EVENT_WORKQUEUE_LOCKUP:
	case HL_EVENT_CSD_STALL:
		return true;
	default:
		return false;
	}
}

int64_t plan_step_blackout(const struct plan_step *step)
{
	const struct injector *injector = step->inject ? injector_find(step->inject) : NULL;

	return injector && injector->guest_clock_goes_on ? step->hold_for : 0;
}

const struct needs *plan_step_further_needs(const struct plan_step *step)
{
	const struct injector *injector = step->inject ? injector_find(step->inject) : NULL;
	const struct needs *needs = NULL;
	void *parameters;

	if (!injector || !injector->further_needs)
		return NULL;
	parameters = calloc(1, injector->parameters_size);
	if (parameters && !parameters_load(injector->parameters, step->with, parameters, NULL))
		needs = injector->further_needs(parameters);
	free(parameters);
	return needs;
}

uint64_t plan_step_held_vcpus(const struct plan_step *step)
{
	const struct injector *injector = step->inject ? injector_find(step->inject) : NULL;
	const char *text = json_string_value(json_object_get(step->with, "cpus"));
	uint64_t held = 0;

	if (injector && injector->holds_vcpus && text)
		units_parse_cpus(text, &held, NULL);
	return held;
}

int64_t plan_recovery_limit(const struct plan *plan)
{
	for (size_t i = 0; i < plan->check_count; i++)
		if (plan->checks[i].recovers)
			return plan->checks[i].recovers->within;
	return 30 * NANOSECONDS_PER_SECOND;
}

const struct needs *plan_fs_needs(enum plan_fs fs)
{
	static const char *const modules[][2] = {{NULL}, {"ext4"}, {"xfs"}, {"btrfs"}};
	static const char *const tools[][3] = {
		{NULL}, {"mkfs.ext4", "e2fsck"}, {"mkfs.xfs", "xfs_repair"}, {"mkfs.btrfs", "btrfs"}};
	static const struct needs needs[] = {
		[PLAN_FS_NONE] = {.config = NULL},
		[PLAN_FS_EXT4] = {.modules = modules[PLAN_FS_EXT4], .tools = tools[PLAN_FS_EXT4]},
		[PLAN_FS_XFS] = {.modules = modules[PLAN_FS_XFS], .tools = tools[PLAN_FS_XFS]},
		[PLAN_FS_BTRFS] = {.modules = modules[PLAN_FS_BTRFS], .tools = tools[PLAN_FS_BTRFS]},
	};

	return &needs[fs];
}

const struct needs *plan_via_needs(enum plan_via via)
{
	static const char *const loop[] = {"loop", NULL}, *const virtio[] = {"virtio_blk", NULL};
	static const char *const nvme[] = {"nvme", NULL}, *const virtio_scsi[] = {"sd_mod", "virtio_scsi",
										  NULL};
	static const char *const guest_nbd[] = {"virtio_net", "nbd", NULL}, *const nbd_client[] = {
										    "nbd-client", NULL};
	static const char *const iscsi[] = {"virtio_net", "iscsi_tcp", "sd_mod", NULL};
	static const char *const open_iscsi[] = {"iscsid", "iscsiadm", NULL};
	static const char *const scsi_debug[] = {"sd_mod", "scsi_debug", NULL}, *const null_blk[] = {
											"null_blk", NULL};
	static const struct needs needs[] = {
		[PLAN_VIA_RAM] = {.modules = loop},
		[PLAN_VIA_VIRTIO] = {.modules = virtio},
		[PLAN_VIA_NBD] = {.modules = virtio, .real_clock = true},
		[PLAN_VIA_NVME] = {.modules = nvme, .real_clock = true},
		[PLAN_VIA_VIRTIO_SCSI] = {.modules = virtio_scsi, .real_clock = true},
		[PLAN_VIA_GUEST_NBD] = {.modules = guest_nbd, .tools = nbd_client, .real_clock = true},
		[PLAN_VIA_ISCSI] = {.modules = iscsi, .tools = open_iscsi, .real_clock = true},
		[PLAN_VIA_SCSI_DEBUG] = {.modules = scsi_debug},
		[PLAN_VIA_NULL_BLK] = {.modules = null_blk},
	};

	return &needs[via];
}

const struct needs *plan_layer_needs(enum plan_layer layer)
{
	static const struct needs nothing = {.config = NULL};
	static const struct needs *const needs[] = {
		[PLAN_LAYER_NONE] = &nothing,
		[PLAN_LAYER_DM] = &device_mapper_needs,
		[PLAN_LAYER_MULTIPATH] = &device_mapper_multipath_needs,
	};

	return needs[layer];
}

bool plan_via_is_inside(enum plan_via via)
{
	return via == PLAN_VIA_RAM || via == PLAN_VIA_SCSI_DEBUG || via == PLAN_VIA_NULL_BLK;
}

void plan_disk_boot(const struct plan_disk *disk, char *text, size_t size)
{
	text[0] = '\0';
	if (disk->via == PLAN_VIA_SCSI_DEBUG)
		snprintf(text, size, "scsi_debug.dev_size_mb=%" PRIu64 " scsi_debug.ndelay=100000",
			 (disk->size + (1 << 20) - 1) >> 20);
	else if (disk->via == PLAN_VIA_NULL_BLK)
		snprintf(text, size, "null_blk.nr_devices=0");
	else if (disk->via == PLAN_VIA_NVME && disk->device_timeout > 0)
		snprintf(text, size, "nvme_core.io_timeout=%" PRId64,
			 disk->device_timeout / NANOSECONDS_PER_SECOND);
}

const struct plan_disk *plan_disk_find(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->disk_count; i++)
		if (!strcmp(plan->disks[i].name, name))
			return &plan->disks[i];
	return NULL;
}

const struct plan_disk *plan_disk_of_mount(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->disk_count; i++) {
		const char *mount = plan->disks[i].mount;
		size_t length = mount ? strlen(mount) : 0;

		if (length && !strncmp(path, mount, length) && (!path[length] || path[length] == '/'))
			return &plan->disks[i];
	}
	return NULL;
}
