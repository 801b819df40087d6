/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_RECORD_H
#define HANGLAB_RUN_RECORD_H

#include "run/run.h"

#include <stdio.h>

/*
 * What a run found out, put together as its result. Form: see the design of result.json in README.md.
 * Times are guest seconds unless the name says otherwise.
 */

/** Version of the form of result.json; raised when a member changes its meaning. */
#define RESULT_SCHEMA 1

struct record;

/** record_new() - an empty record of a run that is about to start */
struct record *record_new(const struct plan *plan, const struct run_preparation *preparation);

/** record_folder() - the run folder is @folder */
void record_folder(struct record *record, const char *folder);

/**
 * record_start() - how the guest starts: "cold", "save" (cold, and kept for later runs) or "warm"
 * @snapshot: of a warm start, which one: snapshot_identity(); else NULL
 */
void record_start(struct record *record, const char *start, const char *snapshot);

/** record_command() - QEMU's command line */
void record_command(struct record *record, const char *const *command);

/** record_command_json() - the same as a JSON array; borrowed, NULL before */
json_t *record_command_json(const struct record *record);

/** record_boot(), record_ready(), record_begin() - the guest speaks, is set up, begins its timeline */
void record_boot(struct record *record, const json_t *message);
void record_ready(struct record *record, const json_t *message, const struct detector_settings *settings);
void record_begin(struct record *record, int64_t now);

/** record_debugged() - it stood still for a debugger */
void record_debugged(struct record *record);

/** record_release() - of the guest's kernel, or "" */
const char *record_release(const struct record *record);

/** record_injection() - a message about an injection of the guest's */
void record_injection(struct record *record, size_t step, const json_t *message);

/** record_evidence() - evidence that a host-side injector found for "active" or "released" */
void record_evidence(struct record *record, size_t step, const char *state, const char *evidence);

/** record_confirmed() - the host has confirmed a fault, or could not, whatever the guest says about it */
void record_confirmed(struct record *record, size_t step, bool confirmed);

/** record_sysrq() - a message "sysrq" of a step: it begins, or found a blocked task or the state of a disk */
void record_sysrq(struct record *record, size_t step, const json_t *message);

/** record_sysrq_tasks() - blocked tasks that the last such step has found */
size_t record_sysrq_tasks(const struct record *record);

/** record_heartbeat(), record_verification(), record_fsck() - messages of these types */
void record_heartbeat(struct record *record, const json_t *message);
void record_verification(struct record *record, const json_t *message);
void record_fsck(struct record *record, const json_t *message);

/** record_checksum() - what a disk holds (hash_disk()), as read in the guest and from its file on the host */
void record_checksum(struct record *record, const char *disk, const char *guest, const char *host);

/** record_command_end() - a command of the scenario ended */
void record_command_end(struct record *record, const struct plan *plan, const json_t *message);

/**
 * record_wait() - what a workload or another blocked task waits for
 *
 * Return: false when this one is recorded with this layer already.
 */
bool record_wait(struct record *record, json_t *wait);

/** record_event() - an event at guest time @at; also written to @log as a line of JSON */
void record_event(struct record *record, const struct hl_event *event, int64_t at, FILE *log);

/** record_postmortem() - what is known of the post-mortem that was taken */
void record_postmortem(struct record *record, json_t *details);

/** record_signature() - confirm the triggers and faults of a known bug whose signature has come */
void record_signature(struct record *record, const struct plan *plan, const struct judge *judge);

/** record_unconfirmed() - put the first injection that was not confirmed, or not released, into @facts */
void record_unconfirmed(const struct record *record, const struct plan *plan, struct run_facts *facts);

/**
 * record_finish() - the result; the record is freed
 *
 * Return: a new reference.
 */
json_t *record_finish(struct record *record, const struct plan *plan, const struct run_facts *facts,
		      enum verdict verdict, const char *reason, int attempts, double wall_seconds);

/** record_unstarted() - the result of a run for which no VM was started. Return: a new reference. */
json_t *record_unstarted(const struct plan *plan, const struct run_preparation *preparation,
			 enum verdict verdict, const char *reason);

#endif
