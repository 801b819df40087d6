/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_QEMU_H
#define HANGLAB_VM_QEMU_H

#include "base/arena.h"
#include "base/error.h"
#include "inject/plan.h"

/**
 * struct qemu_request - what the command line is made from
 * @plan: the plan
 * @kvm: use KVM instead of TCG (real time only)
 * @features: enum vm_feature, ored
 * @image: Linux kernel, or clockwatch
 * @initramfs: archive for Linux, else NULL
 * @run_folder: where plan.json is and console.log, channel.log and disk files go
 * @sockets: NBD socket of each disk of the plan, NULL for a disk without one; or NULL
 * @folder_fd: the run folder, inherited under this number, which the sockets' paths begin with; -1 without
 * sockets
 * @network: the guest gets a network card on QEMU's user network, and run_folder/ports.json
 * @qmp_fd: connected socket that QEMU inherits under this number
 * @memory_fd: file that is the guest's memory, inherited likewise
 * @qtest_fd: connected socket, inherited likewise; for VM_MEMORY_ACCESS
 * @gdb_fd: connected socket, inherited likewise; for VM_GDB
 * @shell_fd: connected socket, inherited likewise: the second serial port of an interactive plan
 * @start: what the guest is told about how it starts: "cold", "save" or "warm" (inject/guest/main.c)
 * @snapshot: folder of the snapshot to start from, or NULL
 */
struct qemu_request {
	const struct plan *plan;
	bool kvm;
	unsigned int features;
	const char *image, *initramfs, *run_folder;
	const char *const *sockets;
	bool network;
	int folder_fd, qmp_fd, memory_fd, qtest_fd, gdb_fd, shell_fd;
	const char *start, *snapshot;
};

/** Name of the program. */
#define QEMU_PROGRAM "qemu-system-x86_64"

/**
 * qemu_command() - the command line of a lab VM
 * @arena: holds it
 *
 * Return: NULL-terminated arguments.
 */
const char *const *qemu_command(const struct qemu_request *request, struct arena *arena);

/**
 * qemu_version() - of the installed QEMU
 * @version: receives major * 100 + minor
 * @text: receives "10.0.2", at least 32 bytes
 *
 * Return: 0, -ENOENT when it is not installed, -EIO.
 */
int qemu_version(unsigned int *version, char *text, size_t size, struct hl_error *err);

/** Oldest QEMU that shares virtual time between several vCPUs (measured: 7.2 hangs, see README). */
#define QEMU_VIRTUAL_TIME_SMP 801

#endif
