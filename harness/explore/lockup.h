/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_EXPLORE_LOCKUP_H
#define HANGLAB_EXPLORE_LOCKUP_H

#include <jansson.h>

/**
 * lockup_of_result() - what a run locked up with
 * @result: as in result.json
 *
 * Return: the first of its events with which a kernel reports a hang, or its panic (borrowed); NULL for none.
 */
const json_t *lockup_of_result(const json_t *result);

/**
 * lockup_groups() - runs that locked up with the same title, together
 * @results: of runs; null for a run that left none
 * @seeds: the seed of each, in the same order
 *
 * Return: a new array of {"title", "kind", "count", "seeds", "example": index into @results}, the most
 * frequent first, of equally frequent ones that which came first.
 */
json_t *lockup_groups(const json_t *results, const json_t *seeds);

#endif
