/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SCENARIO_OVERRIDE_H
#define HANGLAB_SCENARIO_OVERRIDE_H

#include "base/error.h"
#include "inject/plan.h"

/**
 * scenario_override() - change a plan as the command line says
 * @path: its scenario file, for the check that follows
 * @plan: loaded; reloaded with the change; plan_free() it also after a failure
 * @object: "vm", "sysctl", or NULL for the scenario itself
 * @key: key in there
 * @value: its text
 *
 * Return: 0 or -EINVAL, -ERANGE: the value does not fit, or the scenario cannot be run that way.
 */
int scenario_override(const char *path, struct plan *plan, const char *object, const char *key,
		      const char *value, struct hl_error *err);

#endif
