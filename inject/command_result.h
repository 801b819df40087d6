/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_COMMAND_RESULT_H
#define HANGLAB_INJECT_COMMAND_RESULT_H

#include "inject/plan.h"

/*
 * What the end of a command of the scenario ("shell", "trigger") means: it did what it should, it was refused
 * in a way that the scenario names, or it failed.
 */

/** Highest exit status of a process. */
#define COMMAND_HIGHEST_STATUS 255

/** command_status_parse() - an entry of "exit", or a number among "refused": 0 to 255, or -1 */
int command_status_parse(const char *text);

/** command_errno_parse() - number of an error by its name, "EINVAL", or 0 */
int command_errno_parse(const char *name);

/** command_succeeded() - is @status one that the step allows? Without "exit" that is 0 only. */
bool command_succeeded(const struct plan_step *step, int status);

/**
 * command_refusal() - was the command refused as the step names it?
 * @status: its exit status
 * @output: what it printed: an error counts when its name or its text (strerror(3)) is in there
 *
 * Return: the entry of "refused" that applies, or NULL.
 */
const char *command_refusal(const struct plan_step *step, int status, const char *output);

#endif
