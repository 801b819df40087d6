/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_VCPUS_H
#define HANGLAB_VM_VCPUS_H

#include "vm/vm.h"

/*
 * Single vCPUs of a VM. Only one that was started with VM_GDB can do this; QEMU's gdb stub is attached when
 * it is first needed, and stays attached.
 */

/**
 * vcpus_hold() - which vCPUs stand still from now on
 * @held: as a bit set, 0 for none
 * @timeout_ms: of the gdb stub's answers
 *
 * The whole VM stands still afterwards; vm_continue() lets the others go on.
 *
 * Return: 0 or -errno.
 */
int vcpus_hold(struct vm *vm, uint64_t held, int timeout_ms, struct hl_error *err);

/**
 * vcpus_read_registers() - of all vCPUs
 * @all: room for one per vCPU of the VM
 *
 * The whole VM stands still afterwards. vcpus_hold() must have been called before.
 *
 * Return: 0 or -errno.
 */
int vcpus_read_registers(struct vm *vm, struct vcpu_registers *all, struct hl_error *err);

#endif
