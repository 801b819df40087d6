/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_GDB_H
#define HANGLAB_VM_GDB_H

#include "base/error.h"
#include "inject/inject.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Client of QEMU's gdb stub (GDB manual, appendix E, "Remote Serial Protocol"). It does what QMP cannot: let
 * some vCPUs run while others stand still. Calls are synchronous with a limit.
 *
 * The stub stops the VM when it is attached, and whenever a byte reaches it while the VM runs. So nothing
 * is sent between gdb_continue() and the next stop, whoever causes that; gdb_await_stop() takes the stub's
 * report of it.
 */

struct gdb;

/**
 * gdb_open() - take over a connected socket; the VM stands still afterwards
 * @fd: the socket; closed by gdb_close(), also when this fails
 * @timeout_ms: limit for this and every later call
 *
 * Return: 0, -ETIMEDOUT, -EPIPE when QEMU is gone, -EPROTO.
 */
int gdb_open(struct gdb **gdb, int fd, int timeout_ms, struct hl_error *err);

/** gdb_close() - accepts NULL; the VM stays as it is */
void gdb_close(struct gdb *gdb);

/**
 * gdb_continue() - the VM goes on, but for some vCPUs
 * @count: how many vCPUs the VM has
 * @held: those that stand still, as a bit set
 *
 * Return: as gdb_open().
 */
int gdb_continue(struct gdb *gdb, int64_t count, uint64_t held, struct hl_error *err);

/** gdb_await_stop() - wait until the VM stands still; at once when it does. Return: as gdb_open(). */
int gdb_await_stop(struct gdb *gdb, struct hl_error *err);

/**
 * gdb_read_registers() - of a vCPU of a VM that stands still
 * @cpu: counted from 0
 *
 * Return: as gdb_open(); -EREMOTEIO when the stub refuses.
 */
int gdb_read_registers(struct gdb *gdb, int cpu, struct vcpu_registers *registers, struct hl_error *err);

#endif
