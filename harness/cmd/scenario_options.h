/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CMD_SCENARIO_OPTIONS_H
#define HANGLAB_CMD_SCENARIO_OPTIONS_H

#include "cmd/command.h"
#include "inject/plan.h"

/* Options that all commands that run scenarios read alike. Each prints its own message. */

/** scenario_option_count() - an option that is a count from 1 on. Return: 0 or EXIT_USAGE. */
int scenario_option_count(const struct command_line *line, const char *option, size_t otherwise,
			  size_t *count);

/** scenario_option_multiplier() - --timeout-multiplier, or the environment. Return: 0 or EXIT_USAGE. */
int scenario_option_multiplier(const struct command_line *line, double *multiplier);

/**
 * scenario_options_load() - load a scenario and change it as the options say
 * @plan: zeroed; plan_free() it also after a failure
 *
 * Return: 0, or an exit code.
 */
int scenario_options_load(const struct command_line *line, const char *path, struct plan *plan);

/** scenario_options_load_unswept() - the same where --sysctl is no setting of the scenario's, but a list to
 * try */
int scenario_options_load_unswept(const struct command_line *line, const char *path, struct plan *plan);

#endif
