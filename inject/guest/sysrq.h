/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_SYSRQ_H
#define HANGLAB_INJECT_GUEST_SYSRQ_H

#include "inject/guest/guest.h"

/*
 * Steps "sysrq": the kernel is asked for a report, which goes to its log, and the host gets the stack of
 * every task in D state and the state of every disk of the same moment.
 */

/** sysrq_start() - begin the step */
void sysrq_start(struct guest *guest, size_t step);

/** sysrq_ended() - is the last step of the kind done? */
bool sysrq_ended(void);

#endif
