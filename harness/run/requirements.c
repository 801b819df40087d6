// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/requirements.h"

#include "base/cleanup.h"
#include "base/process.h"
#include "server/server.h"
#include "vm-images/modules.h"
#include "vm-images/program.h"
#include "vm/bochs.h"
#include "vm/cpu_share.h"
#include "vm/qemu.h"
#include "vm/vcpu_threads.h"

#include <string.h>

static void add_names(struct arena *arena, const char ***list, size_t *count, const char *const *names)
{
	for (; names && *names; names++) {
		bool known = false;

		for (size_t i = 0; i < *count; i++)
			known |= !strcmp((*list)[i], *names);
		if (!known)
			*(const char **)arena_append(arena, list, count, sizeof(char *)) = *names;
	}
}

static void add_needs(struct run_needs *all, const struct needs *needs, struct arena *arena)
{
	add_names(arena, &all->config, &all->config_count, needs->config);
	add_names(arena, &all->modules, &all->module_count, needs->modules);
	add_names(arena, &all->tools, &all->tool_count, needs->tools);
	all->vm_features |= needs->vm_features;
}

/* The VM has its virtio devices on PCI, whose driver is no dependency of theirs. */
static void add_virtio_bus(struct run_needs *all, struct arena *arena)
{
	static const char *const bus[] = {"virtio_pci", NULL};
	bool wanted = false;

	for (size_t i = 0; i < all->module_count; i++)
		wanted |= !strncmp(all->modules[i], "virtio_", strlen("virtio_"));
	if (wanted)
		add_names(arena, &all->modules, &all->module_count, bus);
}

void requirements_collect(const struct plan *plan, struct run_needs *needs, struct arena *arena)
{
	static const char *const sysrq[] = {"MAGIC_SYSRQ", NULL}, *const shell[] = {"sh", NULL};

	memset(needs, 0, sizeof(*needs));
	add_names(arena, &needs->config, &needs->config_count, plan->requires->config);
	for (size_t i = 0; i < plan->disk_count; i++) {
		add_needs(needs, plan_via_needs((enum plan_via)plan->disks[i].via), arena);
		add_needs(needs, plan_layer_needs((enum plan_layer)plan->disks[i].layer), arena);
		add_needs(needs, plan_fs_needs((enum plan_fs)plan->disks[i].fs), arena);
	}
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];
		const struct needs *further = plan_step_further_needs(step);

		if (further)
			add_needs(needs, further, arena);
		if (step->start)
			add_needs(needs, &workload_find(step->start)->needs, arena);
		else if (step->inject)
			add_needs(needs, &injector_find(step->inject)->needs, arena);
		else if (step->sysrq >= 0)
			add_names(arena, &needs->config, &needs->config_count, sysrq);
		else
			add_names(arena, &needs->tools, &needs->tool_count, shell);
	}
	add_names(arena, &needs->modules, &needs->module_count, plan->modules);
	add_virtio_bus(needs, arena);
	add_names(arena, &needs->tools, &needs->tool_count, plan->tools);
}

static int check_config(const struct run_needs *needs, const struct kernel *kernel, char *reason, size_t size,
			struct hl_error *err)
{
	for (size_t i = 0; i < needs->config_count; i++) {
		cleanup_free char *value = NULL;
		int r = kernel_config_value(kernel, needs->config[i], &value, err);

		if (r)
			return r;
		if (strcmp(value, "y") != 0 && strcmp(value, "m") != 0) {
			snprintf(reason, size, "kernel %s has CONFIG_%s=%s", kernel->release,
				 needs->config[i], value);
			return 0;
		}
	}
	return 0;
}

static int check_modules(const struct run_needs *needs, const struct kernel *kernel, char *reason,
			 size_t size, struct hl_error *err)
{
	struct module_list list = {0};
	struct hl_error why = HL_ERROR_INIT;
	int r = modules_resolve(kernel, needs->modules, needs->module_count, &list, &why);

	module_list_clear(&list);
	if (r == -ENOENT)
		snprintf(reason, size, "%s", why.text);
	else if (r)
		return hl_error_set(err, -r, "%s", why.text);
	return 0;
}

static void check_program(const char *name, char *reason, size_t size)
{
	cleanup_free char *path = process_find_program(name);

	if (!path && !reason[0])
		snprintf(reason, size, "the program %s is not installed (make deps installs it)", name);
}

static void check_bochs(char *reason, size_t size)
{
	for (const char *const *program = bochs_programs; *program; program++)
		check_program(*program, reason, size);
	for (const char *const *file = bochs_files; *file; file++)
		if (access(*file, R_OK) && !reason[0])
			snprintf(reason, size, "%s is not there, which Bochs needs (make deps installs it)",
				 *file);
}

static void check_programs(const struct plan *plan, const struct run_needs *needs, char *reason, size_t size)
{
	if (plan->vm->machine == PLAN_MACHINE_BOCHS)
		check_bochs(reason, size);
	for (size_t i = 0; i < needs->tool_count; i++)
		check_program(needs->tools[i], reason, size);
	if (plan->program_count)
		check_program(PROGRAM_COMPILER, reason, size);
	for (size_t i = 0; i < plan->disk_count; i++) {
		const char *server = server_program((enum plan_via)plan->disks[i].via);

		if (server)
			check_program(server, reason, size);
	}
}

int requirements_check(const struct plan *plan, const struct run_needs *needs, const struct kernel *kernel,
		       unsigned int qemu, char *reason, size_t size, struct hl_error *err)
{
	const char *oldest = plan->requires->min_kernel;
	int r = 0;

	reason[0] = '\0';
	if (kernel && oldest && kernel_release_compare(kernel->release, oldest) < 0)
		snprintf(reason, size, "kernel %s is older than %s", kernel->release, oldest);
	else if (plan->vm->clock == PLAN_CLOCK_VIRTUAL && plan->vm->cpus > 1 && qemu < QEMU_VIRTUAL_TIME_SMP)
		snprintf(reason, size,
			 "QEMU %u.%u cannot run several vCPUs in virtual time (8.1 or newer can)", qemu / 100,
			 qemu % 100);
	if (kernel && !reason[0])
		r = check_config(needs, kernel, reason, size, err);
	if (kernel && !r && !reason[0])
		r = check_modules(needs, kernel, reason, size, err);
	if (!r && !reason[0])
		check_programs(plan, needs, reason, size);
	if (!r && !reason[0] && (needs->vm_features & VM_CPU_SHARE))
		cpu_share_possible(reason, size);
	if (!r && !reason[0] && (needs->vm_features & VM_TRACE))
		vcpu_threads_possible(reason, size);
	return r;
}
