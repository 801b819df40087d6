/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SCENARIO_CHECK_H
#define HANGLAB_SCENARIO_CHECK_H

#include "base/error.h"
#include "inject/plan.h"

/**
 * scenario_check() - does the scenario make sense?
 * @path: the file, for messages
 * @plan: what was read from it
 * @err: points to the place
 *
 * Finds what the form alone does not show: unknown injectors, workloads and parameters, impossible
 * timelines, checks that could never be decided.
 *
 * Return: 0 or -EINVAL.
 */
int scenario_check(const char *path, const struct plan *plan, struct hl_error *err);

/** scenario_check_guest() - the same for what depends on the guest. Return: 0 or -EINVAL. */
int scenario_check_guest(const char *path, const struct plan *plan, struct hl_error *err);

#endif
