/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_STATE_H
#define HANGLAB_RUN_STATE_H

#include "base/units.h"
#include "run/journal.h"
#include "run/loop.h"
#include "run/record.h"
#include "run/run.h"
#include "run/stream.h"
#include "server/server.h"
#include "vm/vm.h"

/* Limit of a QMP call, in wall time, before it is stretched. */
#define QMP_LIMIT_MS 10000

/*
 * The state of one run, shared by the files that make it up:
 *
 *	run.c         the loop: what wakes it, how it ends, the verdict
 *	setup.c       run folder, disks, servers, VM
 *	messages.c    what the guest says
 *	image_guest.c speaks for a guest that cannot
 *	host_fault.c  injectors on the host's side
 *	postmortem.c  takes the guest's memory
 *	terminal.c    the shell of an interactive plan
 *	debugger.c    stops for gdb
 *	warm.c        a guest from a snapshot
 *	state.c       ending, notes, journal, progress
 */

/** What the guest may ask for; the names in its messages are those of the injector's functions. */
enum host_action { HOST_INJECT, HOST_CONFIRM, HOST_RELEASE, HOST_ACTION_COUNT };

/**
 * struct host_call - what the guest asked the host to do before it stopped itself
 * @step: of the plan; -1 for nothing
 * @action: what to do
 */
struct host_call {
	int step;
	enum host_action action;
};

/**
 * struct host_fault - an injection on the host side that is in force
 * @unproved: injected, but confirm() is still to come (struct injector, proved_later)
 */
struct host_fault {
	struct injection injection;
	struct injection_vm vm;
	bool unproved;
};

/**
 * struct run - state of a run
 * @folder, @folder_fd: the run folder, and the same opened; see struct server_folder
 * @done: the loop may end
 * @servers: one per disk of the plan
 * @call: see struct host_call
 * @hold_step: the step that @hold_timer releases
 * @ended: the guest said that it is done ("end"), or why not ("broken")
 * @qmp_events: the last QMP event of each name
 * @shut_down: QEMU reported a shutdown or reset of the guest
 * @postmortem_due: the guest stopped itself for a post-mortem, because of this; "" for not
 * @debugged: the guest stands still for a debugger, or did
 * @postmortem_taken: it was taken, or could not be: there is one per run
 * @snapshot: folder of the snapshot that this run starts from or makes, or NULL
 * @warm: it starts from there
 * @snapshot_offered: the guest stopped itself so that a snapshot can be made
 * @guest_now: guest time of the last message
 * @clock_offset: nanoseconds to add to times of the kernel log to get guest time
 * @last_kmsg_event: kernel time of the last event seen in the kmsg stream
 * @next_sequence: expected of the next message
 * @input_source: our standard input, once the guest's shell has said something
 * @checksums: names of disks to the hash_disk() of the guest
 * @seen: bytes that had come from the guest when the silence timer last looked
 * @silent_looks: how often in a row it found nothing new
 */
struct run {
	const struct plan *plan;
	const struct run_settings *settings;
	struct arena arena;
	char *folder;
	int folder_fd;
	struct run_preparation preparation;
	struct journal journal;
	struct record *record;
	struct loop *loop;
	struct vm vm;
	struct stream channel, console;
	int inotify, signals;
	FILE *kmsg_log, *events_log;
	struct hl_log *log;
	struct run_facts facts;
	struct host_fault *host_faults;
	struct server *servers;
	json_t *qmp_events;
	bool done, end_known, shut_down, watchdog_ended, stopped;
	char *snapshot;
	bool warm, snapshot_offered;
	struct host_call call;
	char postmortem_due[64];
	bool postmortem_taken, debugged;
	size_t hold_step;
	int64_t guest_now, started, last_progress, clock_offset;
	double last_kmsg_event;
	json_int_t next_sequence;
	size_t seen;
	unsigned int silent_looks;
	struct loop_source *input_source;
	struct loop_source *boot_timer, *silence_timer, *hold_timer, *speak_timer;
	struct run_progress progress;
	json_t *checksums;
	struct hl_error err;
};

/* state.c */

/** run_finish() - the run is over; the first reason stands */
void run_finish(struct run *run, enum guest_end end, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** run_data_problem() - the data is not what it should be, in words; the first reason stands */
void run_data_problem(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** run_note() - tell the observer about a step */
void run_note(const struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** run_await() - what the run waits for now, for the live line */
void run_await(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** run_show_progress() - show the live line, unless it was shown just now */
void run_show_progress(struct run *run);

/** run_journal() - a line of the journal; a run that cannot be journalled ends. Return: 0 or -errno. */
int run_journal(struct run *run, const char *action, json_t *details);

/** run_stretched() - a limit of the harness's own, stretched for a slow machine */
int64_t run_stretched(const struct run *run, int64_t nanoseconds);

/* messages.c */

/** run_take_line() - a line of the guest's channel (stream_on_line; @data is the run) */
int run_take_line(void *data, char *line, size_t size);

/** run_take_crash_registers() - Hyper-V crash registers came with QMP's GUEST_PANICKED (its member "info") */
void run_take_crash_registers(struct run *run, const json_t *registers);

/** run_take_event() - an event of the kernel log (hl_on_event; @data is the run) */
int run_take_event(const struct hl_event *event, void *data);

/* image_guest.c */

/** run_speak_for_guest() - begin to do what the guest program does, for a guest that has none. Return: 0 or
 * -errno. */
int run_speak_for_guest(struct run *run);

/* host_fault.c */

/** run_host_action() - the action of this name; HOST_ACTION_COUNT for none */
enum host_action run_host_action(const char *name);

/** run_answer_call() - do what the guest asked for (run->call) */
void run_answer_call(struct run *run);

/** run_prove_faults() - the guest has ended: confirm what could not be confirmed before */
void run_prove_faults(struct run *run);

/** run_continue_vm() - after a call in virtual time the VM stands still; in real time it never did */
void run_continue_vm(struct run *run);

/* postmortem.c */

/** Name of the core file in the run folder. */
#define POSTMORTEM_CORE "core"

/**
 * run_take_postmortem() - copy the guest's memory and registers into the run folder, once per run
 * @why: in words
 *
 * Also when QEMU is dead or does not answer. A failure is noted and changes no verdict.
 */
void run_take_postmortem(struct run *run, const char *why);

/** run_wants_last_postmortem() - is one to be taken of the guest as it ended? */
bool run_wants_last_postmortem(const struct run *run);

/* terminal.c */

/** run_attach_terminal() - connect our standard input and output with the guest's shell. Return: 0 or -errno.
 */
int run_attach_terminal(struct run *run);

/** run_detach_terminal() - our terminal is as it was before; harmless when it was never attached */
void run_detach_terminal(struct run *run);

/* debugger.c */

/**
 * run_offer_debugger() - keep the guest as it is, open QEMU's gdb stub and say how to reach it
 * @why: in words
 *
 * The run goes on when the debugger lets the guest go on; it ends when the VM does, or by a signal.
 */
void run_offer_debugger(struct run *run, const char *why);

/* setup.c */

/** run_open_folder() - everything that must be on disk before the VM starts. Return: 0 or -errno. */
int run_open_folder(struct run *run, const char *path);

/**
 * run_start_vm() - servers, then QEMU with the guest paused, in @run->vm
 * @on_event: receives QMP events, with the run as data
 *
 * Return: 0 or -errno.
 */
int run_start_vm(struct run *run, qmp_on_event on_event);

/** run_end_vm() - end QEMU and the servers, in the order in which they can end */
void run_end_vm(struct run *run);

/** run_write_json() - a file of the run folder. Return: 0 or -errno. */
int run_write_json(const struct run *run, const char *name, const json_t *json, struct hl_error *err);

/** run_compare_disks() - after the VM's end: is each disk's file what the guest said the disk is? */
void run_compare_disks(struct run *run);

/** run_remove_disks() - remove the disk images of the run */
void run_remove_disks(const struct run *run);

/* warm.c */

/**
 * run_start_warm_or_cold() - start QEMU as the settings want it
 * @request: complete but for how to start
 * @command: receives the command line
 *
 * Return: 0 or -errno.
 */
int run_start_warm_or_cold(struct run *run, struct qemu_request *request, qmp_on_event on_event,
			   const char *const **command);

/** run_save_snapshot() - keep the guest, which stands still, and let it go on */
void run_save_snapshot(struct run *run);

#endif
