/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_GUEST_H
#define HANGLAB_INJECT_GUEST_GUEST_H

#include "inject/guest/child.h"
#include "inject/plan.h"

/*
 * The guest program is PID 1 of the lab VM. It has the whole plan from the start and acts by itself:
 *
 *	main.c       boots: mounts, modules, plan, sysctls; then the one event loop
 *	kernel_log.c reads /dev/kmsg, forwards it, feeds the judge
 *	disks.c      sets up, unmounts and checks disks (called in children only)
 *	timeline.c   runs the steps: starts workloads, injects, releases
 *	commands.c   runs commands of the scenario: shell steps and triggers
 *	workloads.c  starts and watches workloads, finds those that stall
 *	waits.c      finds out what they wait for
 *	sysrq.c      lets the kernel report on demand
 *	aftermath.c  after the last release: recovery, file system checks, verification
 *	fault_commands.c takes commands about faults
 *	channel.c    sends everything to the host
 *
 * Time is CLOCK_MONOTONIC in nanoseconds throughout.
 */

#include <stdio.h>

enum guest_phase { PHASE_PREPARE, PHASE_TIMELINE, PHASE_RECOVERY, PHASE_STOPPING, PHASE_VERIFY, PHASE_END };

/**
 * struct guest - state of the guest program
 * @plan: what to do
 * @judge: decides when all events are decided
 * @phase: see enum guest_phase
 * @begun_at: when the timeline began
 * @phase_deadline: when the present phase gives up, 0 for never
 * @last_release: when the release of the last fault began, or the timeline
 */
struct guest {
	struct plan plan;
	struct judge *judge;
	enum guest_phase phase;
	int64_t begun_at, phase_deadline, last_release;
};

/** guest_fail() - the run cannot go on: tell the host why and stop the VM */
void guest_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** guest_end() - all is done: tell the host and stop the VM */
void guest_end(void) __attribute__((noreturn));

/* kernel_log.c */

/** kernel_log_open() - start reading /dev/kmsg. Return: 0 or -errno. */
int kernel_log_open(struct guest *guest, struct hl_error *err);

/** kernel_log_fd() - for poll(2) */
int kernel_log_fd(void);

/** kernel_log_dispatch() - forward what is there; report events once the log has been quiet for a while */
void kernel_log_dispatch(int64_t now);

/** kernel_log_next() - when kernel_log_dispatch() wants to be called again, 0 for not before new records */
int64_t kernel_log_next(void);

/**
 * kernel_log_mark() - write a line into the kernel log; what came before it is not judged
 *
 * Return: nanoseconds to add to times of the kernel log to get CLOCK_MONOTONIC.
 */
int64_t kernel_log_mark(const char *text);

/* timeline.c */

/** timeline_begin() - the timeline begins at guest->begun_at */
void timeline_begin(struct guest *guest);

/** timeline_advance() - do what is due; moves on to PHASE_RECOVERY at its end */
void timeline_advance(struct guest *guest, int64_t now);

/** timeline_next() - when it wants to be called again at the latest, 0 for never */
int64_t timeline_next(const struct guest *guest);

/** timeline_event() - the kernel reported something, or a workload stalled */
void timeline_event(struct guest *guest, const struct hl_event *event, int64_t at);

/** timeline_inject() - of an interactive plan: begin the injection whose injector is @name. Return: what to
 * say. */
const char *timeline_inject(struct guest *guest, const char *name);

/** timeline_release() - release it again. Return: what to say. */
const char *timeline_release(const char *name);

/** timeline_list_faults() - the injectors of the plan and how they stand, a line each */
void timeline_list_faults(const struct guest *guest, FILE *out);

/** timeline_refused() - the kernel refused a step in a way that the scenario names: no further steps */
void timeline_refused(struct guest *guest, const char *reason);

/* workloads.c */

/** workloads_start() - start the workload of a step in a child */
void workloads_start(struct guest *guest, size_t step);

/** workloads_moved() - has the workload of this step acknowledged anything since workloads_mark()? */
bool workloads_moved(size_t step);

/** workloads_all_moved() - have all? */
bool workloads_all_moved(void);

/** workloads_mark() - progress counts from here on */
void workloads_mark(void);

/** workloads_report_recovery() - tell the host which workloads moved again */
void workloads_report_recovery(int64_t now);

/** workloads_stop() - ask all to end after the operation in flight */
void workloads_stop(void);

/** workloads_running() - how many have not ended */
size_t workloads_running(void);

/** workloads_verify() - in a child: verify all and report each */
void workloads_verify(struct child *child);

/** workloads_find_stalls() - report each operation in flight that is older than the plan allows, once */
void workloads_find_stalls(struct guest *guest, int64_t now);

/** workloads_all_stalled() - is an operation in flight of each that is older than the plan allows? */
bool workloads_all_stalled(const struct guest *guest, int64_t now);

/** workloads_next_stall() - when an operation in flight becomes too old, 0 for none */
int64_t workloads_next_stall(const struct guest *guest);

/**
 * workloads_sample_waits() - something happened: find out what the operations in flight wait for
 * @why: for a stall each operation is sampled once; after reports of the kernel about hung tasks and storage
 *all are sampled again, but not too often; other kinds are no reason
 */
void workloads_sample_waits(enum hl_event_kind why, int64_t now);

/** workloads_heartbeat() - a new array with the progress of each */
json_t *workloads_heartbeat(int64_t now);

/* aftermath.c */

/** aftermath_advance() - PHASE_RECOVERY and later */
void aftermath_advance(struct guest *guest, int64_t now);

#endif
