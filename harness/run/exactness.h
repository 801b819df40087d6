/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_EXACTNESS_H
#define HANGLAB_RUN_EXACTNESS_H

#include "inject/plan.h"

/**
 * exactness_of_plan() - what is equal when a plan is run twice with the same seed, both from a cold start or
 * both from one snapshot
 *
 * Return: "bytes": the console, since nobody outside takes part; "events": kernel events and their order, for
 * the clock is virtual, but a fault or a disk on the host's side takes part; "none": real time.
 */
const char *exactness_of_plan(const struct plan *plan);

#endif
