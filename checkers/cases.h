/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_CASES_H
#define HANGLAB_CHECKERS_CASES_H

#include "checkers.h"

/*
 * Known cases: what an operator wants to know when a log lands on the desk. A case is a YAML file:
 *
 *	case: NAME                  file name without .yaml
 *	title: one line
 *	systems: where it was met
 *	symptoms:                   what the log shows; each counts its weight (1)
 *	  - {event: soft_lockup, functions: [a, b], comm: [x], cpus: 3, fields: {error: 1022}, weight: 2,
 *	     required: true}
 *	kernels:                    in order; the first whose release pattern fits decides
 *	  - {release: "3.10.0-*.el7*", before: 3.10.0-514.el7, advice: upgrade to ...}
 *	cause: text
 *	remedies: [text...]
 *	references: [text...]
 *	scenario: NAME              scenarios/NAME.yaml reproduces it
 *
 * "functions" and "comm" match when any of them is there. "cpus" is how many CPUs the events must be from.
 * A range of kernels has "from" (inclusive), "before" (exclusive) or "through" (inclusive).
 */

/** What a case says about a kernel. */
enum kernel_state {
	KERNEL_UNKNOWN,	 /* the case says nothing about it, or the log does not name it */
	KERNEL_AFFECTED, /* in an affected range */
	KERNEL_FIXED,	 /* newer than every affected range of its kind */
	KERNEL_OLDER,	 /* older than every affected range of its kind */
	KERNEL_ANY,	 /* the case is about no kernel in particular */
};

/** kernel_state_name() - "affected", "fixed" ... */
const char *kernel_state_name(enum kernel_state state);

struct hl_cases;

/**
 * struct hl_diagnosis - how well a case explains a log
 * @name, @title, @cause, @scenario: from the case; owned by struct hl_cases, as everything here
 * @remedies, @references: JSON arrays of texts
 * @score: 0 to 1: the share of the symptoms' weights that was seen
 * @events: how many events matched any symptom
 * @first_line: line of the first of them
 * @kernel: release that the events name, or NULL
 * @state: what the case says about @kernel
 * @advice: for this kernel, or NULL
 */
struct hl_diagnosis {
	const char *name, *title, *cause, *scenario;
	const json_t *remedies, *references;
	double score;
	size_t events;
	uint64_t first_line;
	const char *kernel;
	enum kernel_state state;
	const char *advice;
};

/**
 * hl_cases_open() - read all cases of a folder
 * @cases: result, to be ended with hl_cases_close()
 * @folder: holds *.yaml
 * @err: "FILE:LINE:COLUMN: problem"
 *
 * Return: 0, -ENOENT when @folder holds no case, or another -errno.
 */
int hl_cases_open(struct hl_cases **cases, const char *folder, struct hl_error *err);

/** hl_cases_event() - compare an event with the symptoms of every case */
void hl_cases_event(struct hl_cases *cases, const struct hl_event *event);

/**
 * hl_cases_diagnose() - the cases that explain what was seen, best first
 * @cases: after all events
 * @diagnoses: array in the memory of @cases
 *
 * Return: how many.
 */
size_t hl_cases_diagnose(struct hl_cases *cases, const struct hl_diagnosis **diagnoses);

/** hl_cases_close() - accepts NULL */
void hl_cases_close(struct hl_cases *cases);

#endif
