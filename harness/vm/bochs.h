/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_BOCHS_H
#define HANGLAB_VM_BOCHS_H

#include "vm/qemu.h"

/*
 * Lab VMs in Bochs, which emulates an Intel CPU with VMX and EPT where the machine itself has none (QEMU does
 * SVM only). It has none of QEMU's devices: the guest boots from a CD-ROM that holds kernel and initramfs,
 * finds the plan in the initramfs (BOCHS_PLAN) and speaks on its second serial port. Real time, one CPU.
 */

/** Name of the program, and the programs and files that it needs, NULL-terminated. */
#define BOCHS_PROGRAM "bochs-bin"
extern const char *const bochs_programs[], *const bochs_files[];

/** Where the guest program looks for the plan when there is no fw_cfg device: inject/guest/main.c. */
#define BOCHS_PLAN "/hanglab/plan.json"

/**
 * bochs_command() - write configuration and CD-ROM, and tell the command line
 * @request: the run folder gets bochsrc, bochs.rc, and boot.iso
 * @command: receives NULL-terminated arguments, held by @arena
 *
 * Return: 0 or -errno.
 */
int bochs_command(const struct qemu_request *request, struct arena *arena, const char *const **command,
		  struct hl_error *err);

#endif
