// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/exactness.h"

const char *exactness_of_plan(const struct plan *plan)
{
	if (plan->vm->clock != PLAN_CLOCK_VIRTUAL)
		return "none";
	for (size_t i = 0; i < plan->disk_count; i++)
		if (!plan_via_is_inside((enum plan_via)plan->disks[i].via))
			return "events";
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct injector *injector =
			plan->steps[i].inject ? injector_find(plan->steps[i].inject) : NULL;

		if (injector && (injector->side == INJECTOR_HOST || injector->inexact))
			return "events";
	}
	return plan->postmortem == PLAN_POSTMORTEM_HANG ? "events" : "bytes";
}
