/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_VM_CONSOLE_H
#define HANGLAB_INJECT_VM_CONSOLE_H

#include "inject/inject.h"

/*
 * What the guest itself said about a fault that a host-side injector brought: for confirm() of those that are
 * proved later. QEMU's own answer proves nothing: its human monitor accepts injections that never arrive.
 */

/**
 * vm_console_confirm() - one of these texts stands on the guest's serial console since the injection
 * @texts: NULL-terminated
 *
 * Return: 0 with the line in injection->evidence, -EIO when none is there.
 */
int vm_console_confirm(struct injection *injection, const char *const *texts, struct hl_error *err);

/**
 * vm_monitor() - execute a command of QEMU's human monitor, of which QMP has no counterpart
 * @command: as a person would type it
 *
 * Return: 0; -EREMOTEIO with what QEMU said against it.
 */
int vm_monitor(struct injection *injection, const char *command, struct hl_error *err);

/** vm_nothing_to_release() - release() and confirm_released() of a fault that is an event and no state */
int vm_nothing_to_release(struct injection *injection, struct hl_error *err);

#endif
