/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_CLOCKWATCH_H
#define HANGLAB_VM_CLOCKWATCH_H

#include "base/arena.h"
#include "inject/plan.h"

/*
 * The guest clockwatch (vm-images/clockwatch) has no JSON parser: it gets its part of the plan as a command
 * line.
 */

/** Most injections that it can time. */
#define CLOCKWATCH_MOST_STEPS 8

/**
 * clockwatch_end() - when the timeline of a guest is over that cannot judge by itself
 * @plan: with host-side injections only
 *
 * Return: nanoseconds: once the last fault was released and the longest time limit of the checks has passed
 * since.
 */
int64_t clockwatch_end(const struct plan *plan);

/**
 * clockwatch_command_line() - what it has to do
 * @plan: with host-side injections only
 * @arena: holds the text
 *
 * Return: see vm-images/clockwatch/clockwatch.c.
 */
const char *clockwatch_command_line(const struct plan *plan, struct arena *arena);

/** clockwatch_program() - path of the guest: beside hanglab or where it was installed; newly allocated */
char *clockwatch_program(void);

#endif
