/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_LIVELOCK_H
#define HANGLAB_INJECT_LIVELOCK_H

#include "checkers/checkers.h"

/*
 * A detector of our own: a process that is always runnable, uses system time all the time and never gets back
 * to user mode. A loop in the kernel that reschedules is invisible to the kernel's own detectors. The guest
 * decides, the host repeats: both make the same event of the same numbers.
 */

/**
 * livelock_event() - the event
 * @event: uninitialised; valid as long as @comm
 * @comm: name of the process
 * @pid: its number
 * @age: nanoseconds that it has been seen like that
 * @now: guest time in nanoseconds
 */
void livelock_event(struct hl_event *event, const char *comm, long pid, int64_t age, int64_t now);

#endif
