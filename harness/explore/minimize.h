/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_EXPLORE_MINIMIZE_H
#define HANGLAB_EXPLORE_MINIMIZE_H

#include <jansson.h>
#include <stdbool.h>

/**
 * typedef minimize_test - does this plan still lock up the same way?
 *
 * A plan that is not a valid scenario does not.
 */
typedef bool (*minimize_test)(void *data, const json_t *plan);

/**
 * minimize_checks() - let a scenario expect a lock-up and nothing else
 * @plan: JSON of a plan
 * @kind, @title: of the lock-up
 *
 * The scenario's own expectation of that kind stays, if it has one.
 *
 * Return: a new reference.
 */
json_t *minimize_checks(const json_t *plan, const char *kind, const char *title);

/**
 * minimize_plan() - the smallest variation of a plan that still locks up the same way
 * @plan: JSON of a plan for which @test is true
 *
 * Removes steps and disks one by one until none can go any more (1-minimal, as of Zeller's delta debugging),
 * then takes vCPUs away, then halves how long faults are held.
 *
 * Return: a new reference; @test was true for it, or it equals @plan.
 */
json_t *minimize_plan(const json_t *plan, minimize_test test, void *data);

#endif
