/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_REQUIREMENTS_H
#define HANGLAB_RUN_REQUIREMENTS_H

#include "base/arena.h"
#include "inject/plan.h"
#include "vm-images/kernel.h"

/**
 * struct run_needs - all that a plan needs in its guest, collected from disks, injectors and workloads
 * @config, @modules, @tools: without duplicates
 * @vm_features: enum vm_feature, ored
 */
struct run_needs {
	const char **config, **modules, **tools;
	size_t config_count, module_count, tool_count;
	unsigned int vm_features;
};

/** requirements_collect() - what a plan needs; lists live in @arena, names in the descriptors */
void requirements_collect(const struct plan *plan, struct run_needs *needs, struct arena *arena);

/**
 * requirements_check() - is everything there?
 * @kernel: what will be booted; NULL for a guest without a kernel of the store
 * @qemu: version as qemu_version() gives it
 * @reason: receives what is missing, at least 512 bytes; empty when nothing is
 *
 * Return: 0, also when something is missing; -errno when that could not be found out.
 */
int requirements_check(const struct plan *plan, const struct run_needs *needs, const struct kernel *kernel,
		       unsigned int qemu, char *reason, size_t size, struct hl_error *err);

#endif
