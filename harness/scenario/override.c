// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario/override.h"

#include "scenario/check.h"

int scenario_override(const char *path, struct plan *plan, const char *object, const char *key,
		      const char *value, struct hl_error *err)
{
	json_t *json, *target;
	int r;

	if (key[0] == '@')
		return hl_error_set(err, EINVAL, "'%s' is not a %s", key, object ? object : "key");
	json = target = json_incref(plan->json);
	if (object) {
		target = json_object_get(json, object);
		if (!target) {
			target = json_object();
			json_object_set_new(json, object, target);
		}
	}
	/* Fails for what is not UTF-8. */
	r = json_object_set_new(target, key, json_string(value))
		    ? hl_error_set(err, EINVAL, "the text is not valid UTF-8")
		    : 0;
	plan_free(plan);
	if (!r)
		r = plan_load(plan, json, err);
	json_decref(json);
	return r ? r : scenario_check(path, plan, err);
}
