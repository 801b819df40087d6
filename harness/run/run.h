/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_RUN_H
#define HANGLAB_RUN_RUN_H

#include "base/arena.h"
#include "inject/plan.h"
#include "run/verdict.h"

/**
 * struct run_progress - where a run is, for a live line
 * @phase: "boot", "prepare", "timeline", "recovery" ...
 * @awaited: what happens next, or ""
 * @guest_seconds, @wall_seconds: since the guest began to boot
 */
struct run_progress {
	const char *phase;
	char awaited[200];
	double guest_seconds, wall_seconds;
};

/**
 * struct run_observer - told what happens while a run goes on; callbacks may be NULL
 * @progress: several times a second at the most
 * @note: one line about a step: a fault confirmed, a release ...
 * @event: a kernel event that counts
 */
struct run_observer {
	void (*progress)(void *data, const struct run_progress *progress);
	void (*note)(void *data, double guest_seconds, const char *text);
	void (*event)(void *data, const struct hl_event *event);
	void *data;
};

/**
 * struct run_settings - how to run
 * @out: folder of the run folders
 * @guest_program: path of the static guest program
 * @multiplier: stretches the harness's own deadlines
 * @warm: start from a snapshot of the guest where that can be had, and make one where there is none
 * @debug: stop the guest at the first hang or panic, and wait there for a debugger
 * @observer: see there
 */
struct run_settings {
	const char *out, *guest_program;
	double multiplier;
	bool warm, debug;
	struct run_observer observer;
};

/**
 * struct run_preparation - what is known before a VM is started
 * @kernel: of a Linux guest, else NULL
 * @image: what will be booted, or for a probe of KVM: that kernel, or clockwatch
 * @initramfs: of a Linux guest, else NULL
 * @qemu: version text
 * @kvm: whether KVM is used
 * @vm_features: what the VM must have: enum vm_feature, ored
 * @skip: why the run must be skipped, or empty
 */
struct run_preparation {
	struct kernel *kernel;
	char *image, *initramfs;
	char qemu[32];
	bool kvm;
	unsigned int vm_features;
	char skip[512];
};

/**
 * run_check_requirements() - could this plan run here? Finds QEMU and kernel and checks what the plan
 * requires
 * @preparation: zeroed; receives kernel, qemu and skip; run_preparation_clear() it also after a failure
 *
 * Builds and starts nothing. Whether KVM works is only known after run_prepare().
 *
 * Return: 0, also when the run must be skipped; -errno when it would be BROKEN.
 */
int run_check_requirements(const struct plan *plan, struct run_preparation *preparation,
			   struct hl_error *err);

/**
 * run_prepare() - find the kernel, check requirements, build the initramfs
 * @preparation: zeroed; run_preparation_clear() it also after a failure
 *
 * Return: 0, also when the run must be skipped; -errno.
 */
int run_prepare(const struct plan *plan, const struct run_settings *settings,
		struct run_preparation *preparation, struct hl_error *err);

/** run_preparation_clear() - release everything */
void run_preparation_clear(struct run_preparation *preparation);

/**
 * run_scenario() - run a plan and judge it, in a process of its own: in virtual time that stays on one CPU
 * @plan: what to do
 * @path: the scenario file, copied into the run folder
 * @settings: how
 * @result: receives a new reference to the result (design, section 8); also when the run is BROKEN
 *	because something could not even be set up
 *
 * Return: the verdict.
 */
enum verdict run_scenario(const struct plan *plan, const char *path, const struct run_settings *settings,
			  json_t **result);

/** run_guest_program() - path of the guest program: beside hanglab or where it was installed; newly allocated
 */
char *run_guest_program(void);

#endif
