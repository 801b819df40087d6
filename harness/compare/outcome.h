/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_COMPARE_OUTCOME_H
#define HANGLAB_COMPARE_OUTCOME_H

#include <jansson.h>
#include <stddef.h>

/*
 * What the runs of a scenario say about a kernel. Only the scenario's signature, all of its expects, makes a
 * kernel one that has the bug; another kind of crash is something else.
 */

/**
 * enum outcome - what one run says
 * @OUTCOME_CLEAN: the signature did not come until its deadline, or the kernel refused as the scenario names
 *it, every fault was confirmed, and everything else held
 * @OUTCOME_SEEN: the signature came. Of a scenario that expects nothing: a check did not hold
 * @OUTCOME_OTHER: the signature did not come, but something else broke
 * @OUTCOME_UNKNOWN: it says nothing
 * @OUTCOME_SKIPPED: a requirement is missing
 */
enum outcome { OUTCOME_CLEAN, OUTCOME_SEEN, OUTCOME_OTHER, OUTCOME_UNKNOWN, OUTCOME_SKIPPED, OUTCOME_COUNT };

/** outcome_of_result() - of a result as in result.json */
enum outcome outcome_of_result(const json_t *result);

/** outcome_name() - "clean", "seen" ... */
const char *outcome_name(enum outcome outcome);

/**
 * struct tally - the runs of one scenario on one kernel
 * @counts: by outcome
 * @reason: of the first run that was neither clean nor seen, or empty
 */
struct tally {
	size_t counts[OUTCOME_COUNT];
	char reason[400];
};

/** tally_add() - one run more */
void tally_add(struct tally *tally, const json_t *result);

/** tally_runs() - all runs */
size_t tally_runs(const struct tally *tally);

/**
 * tally_outcome() - all runs together: seen once is seen; else the first of other, unknown and skipped that
 * any run was; else clean
 */
enum outcome tally_outcome(const struct tally *tally);

/**
 * wilson_interval() - score interval of a proportion at 95 % confidence (Wilson 1927)
 * @hits, @runs: @runs is not 0
 */
void wilson_interval(size_t hits, size_t runs, double *low, double *high);

/**
 * runs_to_exclude() - how many clean runs exclude a bug
 * @rate: how often a run shows the bug on a kernel that has it, above 0 to 1
 * @error: accepted probability of being wrong, above 0 and below 1
 *
 * On a kernel without the bug its signature never comes, so this is all that is left of a sequential
 * probability ratio test (Wald 1945): one sighting decides at once, and silence after these runs.
 */
size_t runs_to_exclude(double rate, double error);

#endif
