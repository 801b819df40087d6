// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario/override.h"

#include "scenario/check.h"

int scenario_override(const char *path, struct plan *plan, const char *object, const char *key, const char *value,
		      struct hl_error *err)
{
	json_t *json = json_incref(plan->json), *target = json;
	int r;

	if (object) {
		target = json_object_get(json, object);
		if (!target) {
			target = json_object();
			json_object_set_new(json, object, target);
		}
	}
	json_object_set_new(target, key, json_string(value));
	plan_free(plan);
	r = plan_load(plan, json, err);
	json_decref(json);
	return r ? r : scenario_check(path, plan, err);
}
