/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_CPU_SHARE_H
#define HANGLAB_VM_CPU_SHARE_H

#include "base/process.h"
#include "inject/control_group.h"

#include <stdbool.h>

/*
 * A limit on the CPU time that a VM's vCPUs get from the host: cpu.max of cgroup v2 on QEMU's vCPU threads,
 *as libvirt does it, or cpu.cfs_quota_us where only version 1 has the cpu controller. hanglab makes two
 *control groups beside those that are there, changes no other, and removes them once QEMU has ended:
 *
 *	hanglab-PID		QEMU (version 2)
 *	hanglab-PID/vcpus	its vCPU threads, with the limit
 */

/**
 * struct cpu_share - the control groups of one QEMU; zeroed for none
 * @group: path of the outer one, newly allocated
 * @version: of control groups
 */
struct cpu_share {
	char *group;
	enum control_group_version version;
};

/**
 * cpu_share_possible() - may hanglab make such groups on this machine?
 * @reason: receives why not
 */
bool cpu_share_possible(char *reason, size_t size);

/**
 * cpu_share_parent() - the group, that of this process or one above it, in which groups with a CPU limit can
 * be made
 * @version: of control groups
 * @root: where they are mounted
 * @own: group of this process, as /proc/self/cgroup says
 * @parent: newly allocated path
 * @reason: receives why there is none
 */
bool cpu_share_parent(enum control_group_version version, const char *root, const char *own, char **parent,
		      char *reason, size_t size);

/**
 * cpu_share_limit() - limit vCPU threads, or change the limit
 * @qemu: a QEMU that hanglab started
 * @threads: @count threads of it; any other is refused
 * @percent: of one host CPU for all together
 *
 * Return: 0; -EPERM for a thread of another process; -errno.
 */
int cpu_share_limit(struct cpu_share *share, const struct process *qemu, const pid_t *threads, size_t count,
		    int percent, struct hl_error *err);

/** cpu_share_lift() - no limit any more; the groups stay until QEMU has ended. Return: 0 or -errno. */
int cpu_share_lift(const struct cpu_share *share, struct hl_error *err);

/** cpu_share_throttled() - in how many periods the threads had to wait (nr_throttled). Return: 0 or -errno.
 */
int cpu_share_throttled(const struct cpu_share *share, int64_t *periods, struct hl_error *err);

/** cpu_share_end() - QEMU has ended: remove the groups */
void cpu_share_end(struct cpu_share *share);

#endif
