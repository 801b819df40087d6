/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_QTEST_H
#define HANGLAB_VM_QTEST_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Client of QEMU's qtest server (QEMU, system/qtest.c): it reads and writes guest-physical addresses, memory
 * as well as the registers of devices, without the guest taking part. The server works beside any
 * accelerator; it does not make the clock stand still, as the accelerator of the same name does.
 *
 * Calls are synchronous with a limit. Answers carry no number, so after a call that timed out or got
 * nonsense the connection is of no use: every later call fails at once.
 */

struct qtest;

/** Most bytes of one call. */
#define QTEST_LARGEST 4096

/**
 * qtest_open() - take over a connected socket
 * @fd: the socket; closed by qtest_close(), also when this fails
 * @timeout_ms: limit for every call
 *
 * Return: 0 or -ENOMEM.
 */
int qtest_open(struct qtest **qtest, int fd, int timeout_ms, struct hl_error *err);

/** qtest_close() - accepts NULL */
void qtest_close(struct qtest *qtest);

/**
 * qtest_read() - read guest-physical addresses
 * @address: the first
 * @data: receives what is there
 * @size: 1 to QTEST_LARGEST bytes; a register is accessed once, when it has this size and alignment
 *
 * Return: 0, -ETIMEDOUT, -EPIPE when QEMU is gone, -EREMOTEIO when QEMU refused, -EPROTO for nonsense,
 * -EMSGSIZE.
 */
int qtest_read(struct qtest *qtest, uint64_t address, void *data, size_t size, struct hl_error *err);

/** qtest_write() - write guest-physical addresses; as qtest_read() */
int qtest_write(struct qtest *qtest, uint64_t address, const void *data, size_t size, struct hl_error *err);

#endif
