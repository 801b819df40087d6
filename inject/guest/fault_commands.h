/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_FAULT_COMMANDS_H
#define HANGLAB_INJECT_GUEST_FAULT_COMMANDS_H

#include "inject/guest/guest.h"

/*
 * Of an interactive plan: whoever types "fault inject NAME" in the guest's shell writes the words behind
 * "fault" into a FIFO, and reads lines up to an empty one, the answer, from another.
 */

#define FAULT_COMMANDS_FIFO   "/run/fault"
#define FAULT_COMMANDS_ANSWER "/run/fault-answer"

/** fault_commands_open() - makes the two, of an interactive plan. Return: 0 or -errno. */
int fault_commands_open(struct hl_error *err);

/** fault_commands_fd() - for poll(2); -1 for none */
int fault_commands_fd(void);

/** fault_commands_dispatch() - do what was written there */
void fault_commands_dispatch(struct guest *guest);

#endif
