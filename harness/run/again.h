/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_AGAIN_H
#define HANGLAB_RUN_AGAIN_H

#include "compare/difference.h"
#include "inject/plan.h"

/**
 * struct earlier_run - a run that is over, read back from its folder to be repeated
 * @folder: absolute path
 * @scenario: its scenario file
 * @plan: what it did, with the options of its command line; kernel and accelerator are those that were found
 *	then
 * @result: its result.json
 */
struct earlier_run {
	char *folder, *scenario;
	struct plan plan;
	json_t *result;
};

/**
 * earlier_run_open() - read a run folder
 * @earlier: zeroed; earlier_run_close() it also after a failure
 *
 * Not a byte of the plan's JSON is changed: the guest reads it, and would be another one.
 *
 * Return: 0 or -errno.
 */
int earlier_run_open(struct earlier_run *earlier, const char *folder, struct hl_error *err);

/** earlier_run_close() - release everything */
void earlier_run_close(struct earlier_run *earlier);

/**
 * struct repetition - what a repeated run has in common with the first
 * @exact: what was compared: "bytes", "events" or "none", the weaker of the two runs'
 * @where: "console.log", "kmsg.log", "event" or "verdict": what differs, or NULL when all is equal
 * @difference: the place
 * @console, @kmsg: bytes of these files of the first run
 * @events: of the first run
 */
struct repetition {
	const char *exact, *where;
	struct difference difference;
	size_t console, kmsg, events;
};

/**
 * earlier_run_compare() - is a run a repetition of an earlier one?
 * @result: of the run
 * @repetition: zeroed; clear its difference
 *
 * In real time only the verdicts are compared.
 *
 * Return: 0 or -errno.
 */
int earlier_run_compare(const struct earlier_run *earlier, const json_t *result,
			struct repetition *repetition, struct hl_error *err);

#endif
