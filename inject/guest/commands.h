/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_COMMANDS_H
#define HANGLAB_INJECT_GUEST_COMMANDS_H

#include "inject/guest/guest.h"

/*
 * Commands of the scenario: "shell" steps, which prepare something and end, and "trigger" steps, which are to
 * upset the kernel and need not end. Each runs in a child, with a session of its own.
 */

/** commands_start() - start the command of a step */
void commands_start(struct guest *guest, size_t step);

/** commands_done() - has the shell step ended, or is the trigger confirmed? True for steps of other kinds. */
bool commands_done(size_t step);

/** commands_watch() - confirm triggers, and find those that run in the kernel without end */
void commands_watch(int64_t now);

/** commands_next() - when commands_watch() wants to be called again, 0 for never */
int64_t commands_next(void);

#endif
