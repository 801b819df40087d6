/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_ICOUNT_STATE_H
#define HANGLAB_VM_ICOUNT_STATE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/**
 * icount_state_set_shift() - let the clock of a kept guest go on from where it stood, at another instruction
 * rate
 * @state: what QEMU's migration wrote; changed in place
 * @size: of @state
 * @from: the shift of -icount under which it was written
 * @to: the one under which it is to be read
 * @err: why not
 *
 * QEMU's virtual time is a bias plus the count of instructions, shifted. It sends both numbers, but not the
 * shift (vmstate "timer/icount", accel/tcg/icount-common.c and system/cpu-timers.c in QEMU 10.0): read under
 * another shift, the time of all instructions so far would be another one, and the guest would see its clock
 * jump.
 *
 * Return: 0, or -EBADMSG when @state has no such section, or more than one.
 */
int icount_state_set_shift(void *state, size_t size, int64_t from, int64_t to, struct hl_error *err);

#endif
