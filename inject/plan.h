/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PLAN_H
#define HANGLAB_INJECT_PLAN_H

#include "checkers/judge.h"
#include "inject/inject.h"
#include "inject/workload/workload.h"

/*
 * A plan is a scenario that was loaded, checked and completed with the options of the command line: all
 * that the guest has to know to act by itself. It travels as JSON.
 */

enum plan_clock { PLAN_CLOCK_VIRTUAL, PLAN_CLOCK_REAL };
enum plan_machine { PLAN_MACHINE_Q35, PLAN_MACHINE_BOCHS };
enum plan_guest { PLAN_GUEST_LINUX, PLAN_GUEST_CLOCKWATCH, PLAN_GUEST_IMAGE };
enum plan_accel { PLAN_ACCEL_AUTO, PLAN_ACCEL_KVM, PLAN_ACCEL_TCG };
enum plan_fs { PLAN_FS_NONE, PLAN_FS_EXT4, PLAN_FS_XFS, PLAN_FS_BTRFS };
enum plan_via {
	PLAN_VIA_RAM,
	PLAN_VIA_VIRTIO,
	PLAN_VIA_NBD,
	PLAN_VIA_NVME,
	PLAN_VIA_VIRTIO_SCSI,
	PLAN_VIA_GUEST_NBD,
	PLAN_VIA_ISCSI,
	PLAN_VIA_SCSI_DEBUG,
	PLAN_VIA_NULL_BLK
};
enum plan_postmortem { PLAN_POSTMORTEM_AUTO, PLAN_POSTMORTEM_HANG, PLAN_POSTMORTEM_OFF };
enum plan_sysrq { PLAN_SYSRQ_W, PLAN_SYSRQ_T, PLAN_SYSRQ_L, PLAN_SYSRQ_M };
enum plan_layer { PLAN_LAYER_NONE, PLAN_LAYER_DM, PLAN_LAYER_MULTIPATH };

/* The words for these, in their order, NULL-terminated. */
extern const char *const plan_machine_names[];
extern const char *const plan_guest_names[];
extern const char *const plan_clock_names[];
extern const char *const plan_accel_names[];
extern const char *const plan_fs_names[];
extern const char *const plan_via_names[];
extern const char *const plan_layer_names[];
extern const char *const plan_postmortem_names[];
extern const char *const plan_sysrq_names[];

/**
 * struct plan_vm - the lab VM
 * @machine: enum plan_machine: QEMU's q35, or Bochs
 * @guest: enum plan_guest: what runs in it
 * @cpus: vCPUs
 * @memory: bytes
 * @clock: enum plan_clock
 * @accel: enum plan_accel
 * @shift: virtual time: a guest instruction takes 2^shift nanoseconds
 * @cpu: CPU model and features, NULL for the default of the clock
 * @kernel: name in the kernel store
 * @boot: further boot parameters
 * @image: file that a guest of the user's own boots from (PLAN_GUEST_IMAGE), else NULL
 */
struct plan_vm {
	const json_t *source;
	int64_t cpus;
	uint64_t memory;
	int machine, guest, clock, accel;
	int64_t shift;
	const char *cpu, *kernel, *boot, *image;
};

/**
 * struct plan_disk - a disk of the guest
 * @via: enum plan_via: ram: a loop device on tmpfs; virtio: a file of the run; nbd: virtio-blk on a file
 *served by nbdkit; nvme, virtio_scsi: the same behind an emulated NVMe controller or SCSI host; guest_nbd:
 *the same file, but the client is the guest's own nbd driver; iscsi: a LUN of tgt, logged in to by open-iscsi
 *in the guest; scsi_debug, null_blk: drivers with memory of the guest
 * @layer: enum plan_layer: what lies between it and its file system
 * @latency: null_blk: how long each request takes
 * @noop_interval, @noop_timeout, @replacement_timeout: of the iSCSI session, -1 for open-iscsi's default
 * @device_timeout: of a SCSI, NVMe or guest_nbd request, -1 for the kernel's default
 *
 * Durations are nanoseconds.
 */
struct plan_disk {
	const json_t *source;
	const char *name;
	uint64_t size;
	int fs, via, layer;
	int64_t latency;
	const char *mount;
	int64_t noop_interval, noop_timeout, replacement_timeout, device_timeout;
};

/** struct plan_requires - what the kernel must have: CONFIG_ names and an oldest release */
struct plan_requires {
	const json_t *source;
	const char **config;
	const char *min_kernel;
};

/** struct plan_wait - an event that a step or a release waits for; @within 0: from the sysctls */
struct plan_wait {
	const json_t *source;
	struct event_pattern pattern;
	int64_t hold, within;
};

/**
 * struct plan_bug - the known bug that a scenario tests a kernel for
 * @title: of the upstream commit that fixes it
 * @cve: its number, or NULL
 * @fixed: first versions with the fix, for people to read
 */
struct plan_bug {
	const json_t *source;
	const char *title, *cve;
	const char **fixed;
};

/**
 * struct plan_program - a program that is compiled and put into the guest's PATH
 * @file: "source" of the scenario: a C file; the loader makes its path absolute
 * @name: what it is called there; default: the file's name without ".c"
 */
struct plan_program {
	const json_t *source;
	const char *file, *name;
};

/**
 * struct plan_step - one entry of the timeline: starts a workload, injects a fault, runs a command or asks
 *the kernel for a report
 * @start, @inject: name of the workload or of the injector
 * @shell, @trigger: a command for sh: one that prepares something, or one that is itself the fault and need
 *not end; or NULL
 * @sysrq: enum plan_sysrq, -1 for none; one of the five is there
 * @exit: exit statuses of the command that are fine; empty: 0
 * @refused: errors (EINVAL) or exit statuses that mean that the kernel refuses: a form of "fixed"
 * @name: of the workload's process; default: the workload's name
 * @with: parameters, an object of texts
 * @at: nanoseconds after the timeline began, -1 for "when the step before is done"
 * @after: event to wait for first, or NULL
 * @hold_for: "for": nanoseconds until the release, -1 when not given
 * @until: event that brings the release, or NULL
 *
 * A fault with neither for nor until is released when all events are decided.
 */
struct plan_step {
	const json_t *source;
	const char *start, *inject, *shell, *trigger, *name;
	const char **exit, **refused;
	int sysrq;
	const json_t *with;
	int64_t at, hold_for;
	struct plan_wait *after, *until;
};

/**
 * struct plan - the whole
 * @seed: of everything random
 * @postmortem: enum plan_postmortem: when the guest's memory is taken: of a guest that ended by itself
 *	unexpectedly; also while the first hang holds; never
 * @stall: nanoseconds after which an operation in flight makes its workload stalled
 * @interactive: faults wait for commands instead of the timeline (hanglab shell)
 * @bug: the bug that it tests for: then its expects are the signature of that bug, and PASS means that the
 *	kernel does not have it; or NULL
 * @modules: kernel modules to load
 * @tools: programs of this machine that are copied into the guest
 * @json: what it was read from; a reference is held
 * @arena: holds the lists
 */
struct plan {
	const json_t *source;
	const char *scenario, *summary, *case_name;
	int64_t seed, stall;
	int postmortem;
	bool interactive;
	struct plan_vm *vm;
	struct plan_bug *bug;
	const char **modules, **tools;
	struct plan_program *programs;
	size_t program_count;
	struct plan_disk *disks;
	size_t disk_count;
	const json_t *sysctl;
	struct plan_requires *requires;
	struct plan_step *steps;
	size_t step_count;
	struct check *checks;
	size_t check_count;
	json_t *json;
	struct arena arena;
};

/** Schema of struct plan, which is the scenario format. */
extern const struct schema plan_schema;

/**
 * plan_load() - read a plan from JSON
 * @plan: zeroed; plan_free() it also after a failure
 * @json: a reference is taken
 *
 * Return: 0 or -EINVAL, -ERANGE.
 */
int plan_load(struct plan *plan, json_t *json, struct hl_error *err);

/** plan_free() - release everything; the plan is empty afterwards */
void plan_free(struct plan *plan);

/** plan_has_check() - is there a check of this kind? */
bool plan_has_check(const struct plan *plan, enum check_kind kind);

/** plan_injects() - does any step inject a fault, or trigger one? */
bool plan_injects(const struct plan *plan);

/** plan_verifies() - does any workload have something to verify afterwards? */
bool plan_verifies(const struct plan *plan);

/** plan_wants_postmortem() - is the guest's memory to be taken when an event of this kind comes? */
bool plan_wants_postmortem(const struct plan *plan, enum hl_event_kind kind);

/**
 * plan_step_blackout() - nanoseconds of guest time for which a fault keeps the guest from running
 *
 * Nothing can be reported before it is over, so deadlines count from there.
 */
int64_t plan_step_blackout(const struct plan_step *step);

/**
 * plan_step_further_needs() - what the injector of a step needs with the parameters given there
 *
 * Return: NULL for nothing, also when the parameters are wrong.
 */
const struct needs *plan_step_further_needs(const struct plan_step *step);

/** plan_step_held_vcpus() - which vCPUs a step makes stand still, as a bit set; 0 for none */
uint64_t plan_step_held_vcpus(const struct plan_step *step);

/** plan_recovery_limit() - nanoseconds that "recovers" allows, or a default for "data" alone */
int64_t plan_recovery_limit(const struct plan *plan);

/** plan_fs_needs() - what a file system needs in the guest: its module, mkfs and checker */
const struct needs *plan_fs_needs(enum plan_fs fs);

/** plan_via_needs() - what a kind of disk needs in the guest: its driver */
const struct needs *plan_via_needs(enum plan_via via);

/** plan_layer_needs() - what a layer on a disk needs in the guest */
const struct needs *plan_layer_needs(enum plan_layer layer);

/** plan_via_is_inside() - does this kind of disk live in the guest alone, so that a run stays exact? */
bool plan_via_is_inside(enum plan_via via);

/**
 * plan_disk_boot() - parameters of the disk's driver, as boot parameters (MODULE.PARAMETER=VALUE)
 * @text: receives them, "" for none
 */
void plan_disk_boot(const struct plan_disk *disk, char *text, size_t size);

/** plan_disk_find() - the disk called @name, or NULL */
const struct plan_disk *plan_disk_find(const struct plan *plan, const char *name);

/** plan_disk_of_mount() - the disk mounted at or above @path, or NULL */
const struct plan_disk *plan_disk_of_mount(const struct plan *plan, const char *path);

#endif
