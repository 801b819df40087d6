/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_LAB_VM_H
#define HANGLAB_INJECT_LAB_VM_H

#include "base/error.h"

/*
 * Injectors that run inside the guest would work on any Linux, so also on the machine that hanglab runs on.
 * They ask here first. Only the guest program knows that it is in a lab VM: it is the first process
 * and QEMU gave it a plan.
 */

/*
 * I/O port of QEMU's isa-debugcon, the guest program's way out: the port that Bochs uses for the same (0x402
 * is that of SeaBIOS). It takes a byte per write, at once, and needs no driver and no interrupt of the guest.
 */
#define LAB_VM_CHANNEL_PORT 0xe9

/** lab_vm_entered() - the guest program has got its plan from QEMU: this process is inside a lab VM */
void lab_vm_entered(void);

/**
 * lab_vm_require() - refuse to go on outside a lab VM
 *
 * Return: 0, or -EPERM.
 */
int lab_vm_require(struct hl_error *err);

#endif
