// SPDX-License-Identifier: GPL-2.0-or-later
/* Variants, groups and the smallest scenario, without a VM. */
#include "explore/lockup.h"
#include "explore/minimize.h"
#include "explore/variant.h"
#include "explore/yaml.h"

#include "base/file.h"
#include "base/units.h"
#include "report/report.h"
#include "scenario/loader.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAN                                                                                                 \
	"{'scenario': 'x', '@scenario': '1:1', 'vm': {'cpus': '4'},"                                         \
	" 'disks': [{'name': 'a', 'size': '64M', 'mount': '/a', 'fs': 'ext4'}, {'name': 'b', 'size': "       \
	"'64M'}],"                                                                                           \
	" 'timeline': [{'start': 'writer', 'name': 'one', 'with': {'dir': '/a'}},"                           \
	"  {'start': 'writer', 'name': 'two', 'with': {'dir': '/a'}},"                                       \
	"  {'start': 'busy'},"                                                                               \
	"  {'at': '1s', 'inject': 'fsfreeze', 'with': {'mount': '/a'}, 'for': '30s'},"                       \
	"  {'at': '1s', 'inject': 'cpu-hog', 'for': '40s'},"                                                 \
	"  {'start': 'busy', 'name': 'late'}],"                                                              \
	" 'checks': [{'recovers': {'within': '5s'}}, {'forbid': ['panic']}]}"

static json_t *plan_json(const char *text)
{
	char *quoted = strdup(text);
	json_t *json;

	for (char *c = quoted; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(quoted, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	free(quoted);
	return json;
}

static json_t *step(const json_t *plan, size_t index)
{
	return json_array_get(json_object_get(plan, "timeline"), index);
}

static int64_t duration(const json_t *object, const char *key)
{
	int64_t value = -1;

	CU_ASSERT_EQUAL(units_parse_duration(result_text(object, key), &value, NULL), 0);
	return value;
}

static void same_seed_same_variant(void)
{
	json_t *plan = plan_json(PLAN), *untouched = plan_json(PLAN);
	size_t different = 0;

	for (int64_t seed = 0; seed < 20; seed++) {
		json_t *first = variant_of_plan(plan, seed), *again = variant_of_plan(plan, seed),
		       *next = variant_of_plan(plan, seed + 1);

		CU_ASSERT_TRUE(json_equal(first, again));
		json_object_del(first, "seed");
		json_object_del(next, "seed");
		different += !json_equal(first, next);
		json_decref(first);
		json_decref(again);
		json_decref(next);
	}
	CU_ASSERT_EQUAL(different, 20);
	CU_ASSERT_TRUE(json_equal(plan, untouched));
	json_decref(plan);
	json_decref(untouched);
}

static void variants_stay_in_range(void)
{
	json_t *plan = plan_json(PLAN);
	bool shifts[8] = {false}, swapped = false;

	for (int64_t seed = 0; seed < 100; seed++) {
		json_t *variant = variant_of_plan(plan, seed);
		int shift = atoi(result_text(json_object_get(variant, "vm"), "shift"));

		CU_ASSERT_TRUE_FATAL(shift >= 3 && shift <= 5);
		shifts[shift] = true;
		CU_ASSERT_EQUAL(json_array_size(json_object_get(variant, "timeline")), 6);
		CU_ASSERT_STRING_EQUAL(result_text(step(variant, 3), "inject"), "fsfreeze");
		CU_ASSERT_STRING_EQUAL(result_text(step(variant, 5), "name"), "late");
		CU_ASSERT_TRUE(duration(step(variant, 3), "at") >= NANOSECONDS_PER_SECOND);
		CU_ASSERT_TRUE(duration(step(variant, 3), "at") < 2 * NANOSECONDS_PER_SECOND);
		CU_ASSERT_TRUE(duration(step(variant, 4), "at") >= duration(step(variant, 3), "at"));
		swapped |= strcmp(result_text(step(variant, 0), "name"), "one") != 0;
		json_decref(variant);
	}
	CU_ASSERT_TRUE(shifts[3] && shifts[4] && shifts[5] && swapped);
	json_decref(plan);
}

static void fixed_rate_stays(void)
{
	json_t *plan = plan_json("{'vm': {'shift': '6'}, 'timeline': []}"),
	       *variant = variant_of_plan(plan, 9);

	CU_ASSERT_STRING_EQUAL(result_text(json_object_get(variant, "vm"), "shift"), "6");
	CU_ASSERT_STRING_EQUAL(result_text(variant, "seed"), "9");
	json_decref(variant);
	json_decref(plan);
}

static void groups_by_title(void)
{
	json_t *results = plan_json(
		"[{'events': [{'kind': 'stalled', 'title': 's'}, {'kind': 'hung_task', 'title': 'a'}]},"
		" null, {'events': [{'kind': 'soft_lockup', 'title': 'b'}]}, {'events': []},"
		" {'events': [{'kind': 'soft_lockup', 'title': 'b'}, {'kind': 'panic', 'title': 'p'}]}]");
	json_t *seeds = plan_json("[11, 12, 13, 14, 15]"), *groups = lockup_groups(results, seeds);
	const json_t *largest = json_array_get(groups, 0);

	CU_ASSERT_EQUAL(json_array_size(groups), 2);
	CU_ASSERT_STRING_EQUAL(result_text(largest, "title"), "b");
	CU_ASSERT_EQUAL(result_number(largest, "count"), 2);
	CU_ASSERT_EQUAL(result_number(largest, "example"), 2);
	CU_ASSERT_EQUAL(json_integer_value(json_array_get(json_object_get(largest, "seeds"), 1)), 15);
	json_decref(results);
	json_decref(seeds);
	json_decref(groups);
}

/* Locks up when fsfreeze of the disk "a" is held for 7 s over the writer "two", on three vCPUs. */
static bool locks_up(void *data, const json_t *plan)
{
	bool writer = false, freeze = false, disk = false;
	const json_t *item;
	size_t i;

	++*(int *)data;
	json_array_foreach (json_object_get(plan, "timeline"), i, item) {
		writer |= !strcmp(result_text(item, "name"), "two");
		freeze |= !strcmp(result_text(item, "inject"), "fsfreeze") &&
			  duration(item, "for") >= 7 * NANOSECONDS_PER_SECOND;
	}
	json_array_foreach (json_object_get(plan, "disks"), i, item)
		disk |= !strcmp(result_text(item, "name"), "a");
	return writer && freeze && disk && atoi(result_text(json_object_get(plan, "vm"), "cpus")) >= 3;
}

static void minimal_plan(void)
{
	json_t *plan = plan_json(PLAN), *least;
	int runs = 0;

	least = minimize_plan(plan, locks_up, &runs);
	CU_ASSERT_TRUE(locks_up(&(int){0}, least));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(least, "timeline")), 2);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(least, "disks")), 1);
	CU_ASSERT_TRUE(duration(step(least, 1), "for") < 8 * NANOSECONDS_PER_SECOND);
	CU_ASSERT_STRING_EQUAL(result_text(json_object_get(least, "vm"), "cpus"), "3");
	CU_ASSERT_TRUE(runs < 40);
	json_decref(least);
	json_decref(plan);
}

static bool never(void *data, const json_t *plan)
{
	(void)data;
	(void)plan;
	return false;
}

static void nothing_smaller(void)
{
	json_t *plan = plan_json(PLAN), *least = minimize_plan(plan, never, NULL);

	CU_ASSERT_TRUE(json_equal(plan, least));
	json_decref(least);
	json_decref(plan);
}

static void checks_of_a_lockup(void)
{
	json_t *plan = plan_json(PLAN), *bare = minimize_checks(plan, "soft_lockup", "soft lockup in a[b]");
	json_t *checks = json_object_get(bare, "checks");

	CU_ASSERT_EQUAL(json_array_size(checks), 1);
	CU_ASSERT_STRING_EQUAL(result_text(json_array_get(checks, 0), "expect"), "soft_lockup");
	CU_ASSERT_STRING_EQUAL(result_text(json_array_get(checks, 0), "title"), "soft lockup in a?b?");
	json_decref(bare);
	json_decref(plan);
}

/* Both as the loader reads them, without positions. */
static json_t *without_positions(json_t *json)
{
	void *next;
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach (json, i, value)
		without_positions(value);
	json_object_foreach_safe(json, next, key, value)
	{
		without_positions(value);
		if (key[0] == '@')
			json_object_del(json, key);
	}
	return json;
}

static void written_plan_is_read_back(void)
{
	json_t *plan =
		plan_json("{'scenario': 'x', 'summary': 'a: b, \\'c\\' #d', '@summary': '1:1', 'disks': [],"
			  " 'vm': {'cpus': '1', 'boot': ''}, 'sysctl': {'kernel.printk': '7 4 1 7'},"
			  " 'timeline': [{'start': 'busy', 'name': 'null'}],"
			  " 'checks': [{'forbid': ['panic', 'oops']}]}");
	char path[] = "/tmp/hanglab-yaml-XXXXXX";
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");
	struct hl_error err = HL_ERROR_INIT;
	json_t *read = NULL;

	yaml_write_scenario(plan, out);
	fclose(out);
	CU_ASSERT_EQUAL(scenario_convert(path, &plan_schema, &read, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	json_object_del(plan, "disks");
	CU_ASSERT_TRUE(json_equal(without_positions(plan), without_positions(read)));
	json_decref(read);
	json_decref(plan);
	unlink(path);
}

CU_TestInfo explore_tests[] = {
	{"the same seed gives the same variant", same_seed_same_variant},
	{"variants keep to their ranges and to the order of faults", variants_stay_in_range},
	{"a rate that the scenario fixes stays", fixed_rate_stays},
	{"lock-ups are grouped by title", groups_by_title},
	{"a plan is minimised", minimal_plan},
	{"a plan of which nothing can go stays", nothing_smaller},
	{"the smallest scenario expects the lock-up", checks_of_a_lockup},
	{"a plan that was written as YAML is read back", written_plan_is_read_back},
	CU_TEST_INFO_NULL,
};
