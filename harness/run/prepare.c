// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/run.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "run/requirements.h"
#include "vm-images/fetch_debian.h"
#include "vm-images/initramfs.h"
#include "vm-images/kernel_store.h"
#include "vm-images/program.h"
#include "vm-images/vmlinux.h"
#include "vm/accel.h"
#include "vm/bochs.h"
#include "vm/clockwatch.h"
#include "vm/qemu.h"

#include <string.h>

/* The scenario's own programs, compiled; paths and content are newly allocated. */
static int compile_programs(const struct plan *plan, struct initramfs_file *files, struct hl_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < plan->program_count; i++) {
		char *image = NULL;

		r = program_compile(plan->programs[i].file, &image, &files[i].size, err);
		files[i].path = file_path("/usr/local/bin/%s", plan->programs[i].name);
		files[i].data = image;
		files[i].mode = 0755;
	}
	return r;
}

/* Bochs has no fw_cfg device: there the plan is in the initramfs. */
static int build_initramfs(const struct plan *plan, const struct run_settings *settings,
			   const struct run_needs *needs, struct run_preparation *preparation,
			   struct hl_error *err)
{
	cleanup_free char *text = json_dumps(plan->json, JSON_COMPACT);
	cleanup_free struct initramfs_file *files = calloc(plan->program_count + 1, sizeof(*files));
	struct initramfs_request request = {
		.kernel = preparation->kernel,
		.guest_program = settings->guest_program,
		.modules = needs->modules,
		.module_count = needs->module_count,
		.tools = needs->tools,
		.tool_count = needs->tool_count,
		.files = files,
		.file_count = plan->program_count + (plan->vm->machine == PLAN_MACHINE_BOCHS),
	};
	int r = files ? compile_programs(plan, files, err)
		      : hl_error_errno(err, ENOMEM, "build an initramfs");

	if (files)
		files[plan->program_count] =
			(struct initramfs_file){BOCHS_PLAN, text, text ? strlen(text) : 0, 0644};
	if (!r)
		r = initramfs_build(&request, &preparation->initramfs, err);
	for (size_t i = 0; files && i < plan->program_count; i++) {
		free((char *)files[i].path);
		free((char *)files[i].data);
	}
	return r;
}

/* Another operating system without KVM would not be up within anybody's patience. */
static bool needs_kvm(const struct plan *plan)
{
	return plan->vm->accel == PLAN_ACCEL_KVM || plan->vm->guest == PLAN_GUEST_IMAGE;
}

/* @image, @initramfs: what the probe boots */
static int choose_accelerator(const struct plan *plan, const char *image, const char *initramfs,
			      struct run_preparation *preparation, struct hl_error *err)
{
	char why[400] = "";
	int r;

	if (plan->vm->accel == PLAN_ACCEL_TCG || plan->vm->machine == PLAN_MACHINE_BOCHS ||
	    (plan->vm->clock == PLAN_CLOCK_VIRTUAL && plan->vm->accel == PLAN_ACCEL_AUTO))
		return 0;
	if (plan->vm->clock == PLAN_CLOCK_VIRTUAL) {
		snprintf(preparation->skip, sizeof(preparation->skip),
			 "KVM cannot run in virtual time: write vm: {clock: real} or use --clock real");
		return 0;
	}
	r = accel_probe_kvm(image, initramfs, &preparation->kvm, why, sizeof(why), err);
	if (!r && !preparation->kvm && needs_kvm(plan))
		snprintf(preparation->skip, sizeof(preparation->skip), "KVM is not usable here: %s", why);
	return r;
}

/* In virtual time every instruction counts, those of the kernel's decompressor too. */
static int choose_image(const struct plan *plan, struct run_preparation *preparation, struct hl_error *err)
{
	int r = 0;

	if (plan->vm->clock == PLAN_CLOCK_VIRTUAL && plan->vm->machine == PLAN_MACHINE_Q35)
		r = vmlinux_find(preparation->kernel, &preparation->image, err);
	if (!r && !preparation->image)
		preparation->image = file_path("%s", preparation->kernel->vmlinuz);
	return r;
}

static int check_requirements(const struct plan *plan, const struct run_needs *needs,
			      struct run_preparation *preparation, struct hl_error *err)
{
	unsigned int version;
	int r = qemu_version(&version, preparation->qemu, sizeof(preparation->qemu), err);

	if (r)
		return hl_error_prefix(err, "QEMU is needed (make deps installs it)");
	if (plan->vm->guest != PLAN_GUEST_LINUX) {
		preparation->image = clockwatch_program();
	} else {
		r = kernel_store_find(plan->vm->kernel, &preparation->kernel, err);
		if (!r)
			r = choose_image(plan, preparation, err);
		if (r)
			return r;
	}
	return requirements_check(plan, needs, preparation->kernel, version, preparation->skip,
				  sizeof(preparation->skip), err);
}

int run_check_requirements(const struct plan *plan, struct run_preparation *preparation, struct hl_error *err)
{
	struct arena arena cleanup_with(arena_free) = {NULL};
	cleanup_free char *probe = NULL;
	struct run_needs needs;
	int r;

	requirements_collect(plan, &needs, &arena);
	r = check_requirements(plan, &needs, preparation, err);
	if (r || preparation->skip[0] || !needs_kvm(plan))
		return r;
	/* There is no initramfs yet, and this guest needs none. */
	probe = clockwatch_program();
	return choose_accelerator(plan, probe, NULL, preparation, err);
}

int run_prepare(const struct plan *plan, const struct run_settings *settings,
		struct run_preparation *preparation, struct hl_error *err)
{
	struct arena arena cleanup_with(arena_free) = {NULL};
	struct run_needs needs;
	int r;

	requirements_collect(plan, &needs, &arena);
	preparation->vm_features = needs.vm_features;
	r = check_requirements(plan, &needs, preparation, err);
	if (r || preparation->skip[0])
		return r;
	if (preparation->kernel)
		r = build_initramfs(plan, settings, &needs, preparation, err);
	/* The probe boots what the run itself would boot. */
	return r ? r : choose_accelerator(plan, preparation->image, preparation->initramfs, preparation, err);
}

void run_preparation_clear(struct run_preparation *preparation)
{
	kernel_free(preparation->kernel);
	free(preparation->image);
	free(preparation->initramfs);
	memset(preparation, 0, sizeof(*preparation));
}

char *run_guest_program(void)
{
	return file_shipped("build/guest", "../libexec/hanglab/guest");
}
