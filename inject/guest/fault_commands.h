/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_FAULT_COMMANDS_H
#define HANGLAB_INJECT_GUEST_FAULT_COMMANDS_H

#include "inject/guest/guest.h"

/*
 * Of an interactive plan: whoever types "fault inject NAME" in the guest's shell writes the words behind
 * "fault" into a FIFO; the answer goes to the shell's terminal.
 */

/** The FIFO, and the terminal: the second serial port. */
#define FAULT_COMMANDS_FIFO "/run/fault"
#define FAULT_COMMANDS_TTY  "/dev/ttyS1"

/** fault_commands_open() - of an interactive plan. Return: 0 or -errno. */
int fault_commands_open(struct hl_error *err);

/** fault_commands_fd() - for poll(2); -1 for none */
int fault_commands_fd(void);

/** fault_commands_dispatch() - do what was written there */
void fault_commands_dispatch(struct guest *guest);

#endif
