/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_EXPLORE_VARIANT_H
#define HANGLAB_EXPLORE_VARIANT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/**
 * variant_of_plan() - the same scenario, a little different
 * @plan: JSON of a plan
 * @seed: which variant
 *
 * The seed of the run becomes @seed. Unless the scenario fixes vm.shift, the guest gets one of the
 * instruction rates that are neither so slow that a healthy kernel would lock up, nor so fast that a second
 * takes long. Each fault that has a time begins up to a second later, never before the one that precedes it.
 * Workloads that are started one after the other without waiting for anything are started in another order.
 *
 * Return: a new reference; always the same for the same seed.
 */
json_t *variant_of_plan(const json_t *plan, int64_t seed);

/** variant_describe() - in one line, what makes a variant: its rate and the times of its faults */
void variant_describe(const json_t *variant, char *text, size_t size);

#endif
