/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_SNAPSHOT_H
#define HANGLAB_VM_SNAPSHOT_H

#include "base/hash.h"
#include "vm/vm.h"

/*
 * A guest that has just become ready, kept for later runs: the state of the devices as QEMU's migration
 * writes it (without the memory: x-ignore-shared), and the memory as a sparse file. Snapshots lie in the
 * cache, one folder each, named after all that the guest is made from; they are never changed once they are
 * there, so any number of VMs can start from one at the same time.
 */

/** Oldest QEMU that migrates to "file:" (8.2). */
#define SNAPSHOT_QEMU 802

/**
 * snapshot_path() - where the snapshot of such a guest is, or would be
 * @request: as for vm_start(); the run's own names, descriptors, seed and instruction rate make no difference
 * @qemu: QEMU's version text
 * @path: receives the folder, newly allocated
 *
 * The key is a hash of QEMU's version, its command line and the disks of the plan. Kernel and initramfs are
 * in the command line, under names that hold hashes of theirs.
 *
 * Return: 0 or -errno.
 */
int snapshot_path(const struct qemu_request *request, const char *qemu, char **path, struct hl_error *err);

/** snapshot_exists() - is there a complete snapshot at @path? */
bool snapshot_exists(const char *path);

/**
 * snapshot_identity() - which snapshot is at @path: one that was made anew has another identity
 * @hash: receives the hash of the devices' state
 *
 * Return: 0 or -errno.
 */
int snapshot_identity(const char *path, char hash[HASH_TEXT_SIZE], struct hl_error *err);

/**
 * snapshot_save() - keep the guest of @vm, which must stand still
 * @path: from snapshot_path(); when somebody else made it meanwhile, theirs stays
 * @settings: of the VM
 * @run_folder: where its channel ends
 *
 * Return: 0 or -errno.
 */
int snapshot_save(struct vm *vm, const char *path, const struct plan_vm *settings, const char *run_folder,
		  struct hl_error *err);

/**
 * snapshot_load_channel() - put what the guest had said when it was kept into the channel of a new run
 * @run_folder: has an empty channel.log
 *
 * Return: 0 or -errno.
 */
int snapshot_load_channel(const char *path, const char *run_folder, struct hl_error *err);

/**
 * snapshot_load() - bring a VM that was started with "-incoming defer" to the state of a snapshot
 * @request: which one, and the instruction rate at which it goes on; its run folder takes a copy meanwhile
 *
 * Return: 0, with the VM still stopped; or -errno.
 */
int snapshot_load(struct vm *vm, const struct qemu_request *request, struct hl_error *err);

#endif
