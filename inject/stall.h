/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_STALL_H
#define HANGLAB_INJECT_STALL_H

#include "checkers/checkers.h"

/*
 * A detector of our own: a workload whose operation in flight is older than the scenario's "stall" is
 * stalled. The kernel's hung-task detector does not see waits for direct I/O, for completions, and storage
 * that is slow. The guest decides, the host repeats: both make the same event of the same numbers.
 */

/**
 * stall_event() - the event
 * @event: uninitialised; valid as long as @workload
 * @workload: its name
 * @pid: of its process
 * @age: nanoseconds since the operation began
 * @now: guest time in nanoseconds
 */
void stall_event(struct hl_event *event, const char *workload, long pid, int64_t age, int64_t now);

#endif
