/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_VM_H
#define HANGLAB_VM_VM_H

#include "base/process.h"
#include "inject/inject.h"
#include "vm/qemu.h"
#include "vm/qmp.h"

/**
 * struct vm - a QEMU that hanglab started; vm_end() it
 * @process: QEMU, which dies with hanglab
 * @qmp: connected before the guest runs its first instruction
 * @memory: file (memfd) that is the guest's memory: it holds what the guest left until vm_end(), also when
 *	QEMU is dead or does not answer; -1 for none
 */
struct vm {
	struct process process;
	struct qmp *qmp;
	int memory;
};

#define VM_NONE                                                                                              \
	{                                                                                                    \
		PROCESS_NONE, NULL, -1                                                                       \
	}

/**
 * vm_start() - start QEMU with the guest paused
 * @request: qmp_fd and memory_fd are filled in; the run folder gets qemu.log with what QEMU prints
 * @command: receives the command line, or NULL
 * @timeout_ms: limit of every QMP call
 * @on_event: receives QMP events
 * @err: holds what QEMU printed when it gave up
 *
 * Return: 0 or -errno.
 */
int vm_start(struct vm *vm, struct qemu_request *request, struct arena *arena, const char *const **command,
	     int timeout_ms, qmp_on_event on_event, void *data, struct hl_error *err);

/** vm_end() - kill QEMU and forget it; harmless when there is none */
void vm_end(struct vm *vm);

#endif
