/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_VCPU_THREADS_H
#define HANGLAB_VM_VCPU_THREADS_H

#include "vm/vm.h"

/*
 * The host threads that run the vCPUs of a VM; in real time each vCPU has its own. ptrace(2) can stop one
 * while QEMU's others run on, as when the host does not schedule it (a signal would stop all of them).
 *
 * The thread of hanglab that calls vcpu_threads_hold() becomes their tracer and must make every later call.
 * When it dies the kernel lets them go, and QEMU dies with hanglab all the same.
 */

/**
 * vcpu_threads_possible() - may hanglab trace its children on this machine?
 * @reason: receives why not
 */
bool vcpu_threads_possible(char *reason, size_t size);

/**
 * vcpu_threads_find() - the thread of each vCPU
 * @threads: room for one per vCPU of the VM
 *
 * What QEMU says is believed only of threads of the QEMU that hanglab started.
 *
 * Return: 0; -EPERM when one is not; -ENOTSUP when one thread runs several vCPUs; -errno.
 */
int vcpu_threads_find(const struct vm *vm, pid_t *threads, struct hl_error *err);

/**
 * vcpu_threads_hold() - stop the threads of further vCPUs; returns when they stand still
 * @cpus: vCPUs that run, as a bit set
 * @timeout_ms: limit
 *
 * Never at a moment in which one has a lock that all of QEMU needs: QEMU still answers afterwards.
 *
 * Return: 0; -EPERM when the machine forbids to trace; -ETIMEDOUT; -errno. None of @cpus is held then.
 */
int vcpu_threads_hold(struct vm *vm, uint64_t cpus, int timeout_ms, struct hl_error *err);

/**
 * vcpu_threads_let_go() - the threads of these vCPUs run again
 * @cpus: as a bit set; those that are not held do not matter
 *
 * vm_end() calls this for all: a traced thread that was killed stays until its tracer has waited for it, and
 * as long QEMU cannot be waited for. Harmless when QEMU is dead.
 */
void vcpu_threads_let_go(struct vm *vm, uint64_t cpus);

#endif
