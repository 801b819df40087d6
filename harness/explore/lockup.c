// SPDX-License-Identifier: GPL-2.0-or-later
#include "explore/lockup.h"

#include "report/report.h"

#include <stdbool.h>
#include <string.h>

static bool is_lockup(const json_t *event)
{
	static const char *const kinds[] = {"hung_task", "soft_lockup",	     "hard_lockup", "rcu_stall",
					    "csd_stall", "workqueue_lockup", "panic"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(result_text(event, "kind"), kinds[i]))
			return true;
	return false;
}

const json_t *lockup_of_result(const json_t *result)
{
	const json_t *event;
	size_t i;

	json_array_foreach (json_object_get(result, "events"), i, event)
		if (is_lockup(event))
			return event;
	return NULL;
}

static json_t *group_of(json_t *groups, const json_t *lockup, size_t example)
{
	json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		if (!strcmp(result_text(group, "title"), result_text(lockup, "title")))
			return group;
	group = json_pack("{s:s, s:s, s:i, s:[], s:i}", "title", result_text(lockup, "title"), "kind",
			  result_text(lockup, "kind"), "count", 0, "seeds", "example", (int)example);
	json_array_append_new(groups, group);
	return group;
}

/* The first of the largest groups moves from @groups to @sorted. */
static void take_largest(json_t *groups, json_t *sorted)
{
	size_t largest = 0;

	for (size_t i = 1; i < json_array_size(groups); i++)
		if (result_number(json_array_get(groups, i), "count") >
		    result_number(json_array_get(groups, largest), "count"))
			largest = i;
	json_array_append(sorted, json_array_get(groups, largest));
	json_array_remove(groups, largest);
}

json_t *lockup_groups(const json_t *results, const json_t *seeds)
{
	json_t *groups = json_array(), *sorted = json_array();
	const json_t *result;
	size_t i;

	json_array_foreach (results, i, result) {
		const json_t *lockup = lockup_of_result(result);
		json_t *group = lockup ? group_of(groups, lockup, i) : NULL;

		if (!group)
			continue;
		json_array_append(json_object_get(group, "seeds"), json_array_get(seeds, i));
		json_object_set_new(
			group, "count",
			json_integer((json_int_t)json_array_size(json_object_get(group, "seeds"))));
	}
	while (json_array_size(groups))
		take_largest(groups, sorted);
	json_decref(groups);
	return sorted;
}
