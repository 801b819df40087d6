/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_VM_H
#define HANGLAB_VM_VM_H

#include "base/process.h"
#include "inject/inject.h"
#include "vm/cpu_share.h"
#include "vm/gdb.h"
#include "vm/qemu.h"
#include "vm/qmp.h"
#include "vm/qtest.h"
#include "vm/ram.h"

/** Most vCPUs of a VM: they fit into a bit set. */
#define VM_MOST_CPUS 64

/**
 * struct vm - a QEMU or Bochs that hanglab started; vm_end() it
 * @process: QEMU or Bochs, which dies with hanglab
 * @qmp: connected before the guest runs its first instruction; NULL for Bochs
 * @qtest: way to guest-physical addresses when the VM has VM_MEMORY_ACCESS, else NULL
 * @memory: file (memfd) that is the guest's memory: it holds what the guest left until vm_end(), also when
 *	QEMU is dead or does not answer; -1 for none
 * @ram: the same memory by guest-physical address, once vm_find_ram() has found it
 * @input: our end of the standard input of Bochs, -1 for none
 * @cpus: how many vCPUs it has
 * @shell_fd: our end of the second serial port of an interactive plan; -1 for none
 * @gdb_fd: connection to the gdb stub that is not used yet; -1 for none
 * @gdb: the stub once it is attached, else NULL
 * @held: vCPUs that stand still while the others run, as a bit set (vcpus_hold())
 * @held_threads: by vCPU: host threads that stand still (vcpu_threads_hold()), 0 for none
 * @cpu_share: control groups that limit it, once a fault has asked for that
 */
struct vm {
	struct process process;
	struct qmp *qmp;
	struct qtest *qtest;
	int memory;
	struct ram ram;
	int input;
	int64_t cpus;
	int gdb_fd, shell_fd;
	struct gdb *gdb;
	uint64_t held;
	pid_t held_threads[VM_MOST_CPUS];
	struct cpu_share cpu_share;
};

#define VM_NONE                                                                                              \
	{                                                                                                    \
		.process = PROCESS_NONE, .memory = -1, .ram = RAM_NONE, .input = -1, .gdb_fd = -1,           \
		.shell_fd = -1                                                                               \
	}

/**
 * vm_start() - start QEMU with the guest paused, or Bochs with the guest running
 * @request: the descriptors are filled in; the run folder gets qemu.log with what QEMU prints
 * @command: receives the command line, or NULL
 * @timeout_ms: limit of every QMP call
 * @on_event: receives QMP events
 * @err: holds what QEMU printed when it gave up
 *
 * Return: 0 or -errno.
 */
int vm_start(struct vm *vm, struct qemu_request *request, struct arena *arena, const char *const **command,
	     int timeout_ms, qmp_on_event on_event, void *data, struct hl_error *err);

/** vm_memory_size() - bytes of the guest's memory: whole MiB */
uint64_t vm_memory_size(const struct plan *plan);

/** vm_find_ram() - fill in @vm->ram, once. Return: 0 or -errno. */
int vm_find_ram(struct vm *vm, const struct plan *plan, struct hl_error *err);

/** vm_continue() - the VM goes on, but for the vCPUs that are held. Return: 0 or -errno. */
int vm_continue(struct vm *vm, struct hl_error *err);

/** vm_end() - kill QEMU and forget it; harmless when there is none */
void vm_end(struct vm *vm);

#endif
