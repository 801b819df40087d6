/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_PORT_H
#define HANGLAB_INJECT_GUEST_PORT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The x86 I/O ports of QEMU that the guest program uses directly, so that no driver is needed: fw_cfg carries
 * the plan in, debugcon its messages out, pvpanic stops the VM.
 */

/** port_open() - get access to I/O ports (iopl(2)). Return: 0 or -errno. */
int port_open(struct hl_error *err);

/** port_is_qemu() - are QEMU's devices there? */
bool port_is_qemu(void);

/**
 * port_read_firmware_file() - a file given to QEMU with -fw_cfg name=NAME (docs/specs/fw_cfg)
 * @data: newly allocated, NUL-terminated; the caller frees it
 * @size: without the NUL
 *
 * Return: 0, -ENODEV without fw_cfg, -ENOENT without such a file.
 */
int port_read_firmware_file(const char *name, char **data, size_t *size, struct hl_error *err);

/** port_send() - the bytes appear in the VM's channel before this returns */
void port_send(const void *data, size_t size);

/**
 * port_stop_vm() - stop the VM before the next instruction (pvpanic with "-action panic=pause", measured)
 *
 * Returns when hanglab continues the VM.
 */
void port_stop_vm(void);

#endif
