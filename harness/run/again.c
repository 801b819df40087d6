// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/again.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "report/report.h"
#include "scenario/check.h"

#include <string.h>

static int read_json(const char *folder, const char *name, json_t **json, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", folder, name), *text = NULL;
	json_error_t why;
	size_t size;
	int r = file_read(path, &text, &size, err);

	if (r)
		return r;
	*json = json_loadb(text, size, 0, &why);
	return *json ? 0 : hl_error_set(err, EINVAL, "%s:%d: %s", path, why.line, why.text);
}

static int load_plan(struct earlier_run *earlier, struct hl_error *err)
{
	json_t *json = NULL;
	int r = read_json(earlier->folder, "plan.json", &json, err);

	if (r)
		return hl_error_prefix(err, "%s is no run folder", earlier->folder);
	r = plan_load(&earlier->plan, json, err);
	json_decref(json);
	return r ? r : scenario_check(earlier->scenario, &earlier->plan, err);
}

/* "debian" may be another kernel by now, and "auto" another accelerator. */
static void take_what_was_found(struct earlier_run *earlier)
{
	const char *kernel = result_text(earlier->result, "kernel"),
		   *accel = result_text(earlier->result, "accel");

	if (earlier->plan.vm->guest == PLAN_GUEST_LINUX && kernel[0])
		earlier->plan.vm->kernel = kernel;
	for (int i = 0; plan_accel_names[i]; i++)
		if (!strcmp(accel, plan_accel_names[i]))
			earlier->plan.vm->accel = i;
}

int earlier_run_open(struct earlier_run *earlier, const char *folder, struct hl_error *err)
{
	int r;

	/* "latest" will be another one as soon as the new run begins. */
	earlier->folder = realpath(folder, NULL);
	if (!earlier->folder)
		return hl_error_errno(err, errno, "open the run %s", folder);
	earlier->scenario = file_path("%s/scenario.yaml", earlier->folder);
	r = load_plan(earlier, err);
	if (r)
		return r;
	r = read_json(earlier->folder, "result.json", &earlier->result, err);
	if (r)
		return hl_error_prefix(err, "the run was cut off, so there is nothing to compare with");
	take_what_was_found(earlier);
	return 0;
}

void earlier_run_close(struct earlier_run *earlier)
{
	plan_free(&earlier->plan);
	json_decref(earlier->result);
	free(earlier->folder);
	free(earlier->scenario);
	*earlier = (struct earlier_run){0};
}

static const char *weaker(const char *first, const char *second)
{
	static const char *const order[] = {"none", "events"};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (!strcmp(first, order[i]) || !strcmp(second, order[i]))
			return order[i];
	return "bytes";
}

/* Bytes are those of one kind of start: cold, or from one snapshot. */
static bool started_alike(const json_t *first, const json_t *second)
{
	return !strcmp(result_text(first, "start"), result_text(second, "start")) &&
	       !strcmp(result_text(first, "snapshot"), result_text(second, "snapshot"));
}

static int compare_file(const struct earlier_run *earlier, const char *folder, const char *name, size_t *size,
			struct repetition *repetition, struct hl_error *err)
{
	cleanup_free char *old_path = file_path("%s/%s", earlier->folder, name), *old = NULL;
	cleanup_free char *new_path = file_path("%s/%s", folder, name), *new = NULL;
	size_t new_size;
	int r = file_read(old_path, &old, size, err);

	if (!r)
		r = file_read(new_path, &new, &new_size, err);
	if (!r && !repetition->where &&
	    difference_of_texts(old, *size, new, new_size, &repetition->difference))
		repetition->where = name;
	return r;
}

static void compare_verdicts(const struct earlier_run *earlier, const json_t *result,
			     struct repetition *repetition)
{
	const char *old = result_text(earlier->result, "verdict"), *new = result_text(result, "verdict");

	if (!strcmp(old, new))
		return;
	repetition->where = "verdict";
	repetition->difference = (struct difference){1, strdup(old), strdup(new)};
}

int earlier_run_compare(const struct earlier_run *earlier, const json_t *result,
			struct repetition *repetition, struct hl_error *err)
{
	const json_t *events = json_object_get(earlier->result, "events");
	const char *folder = result_text(result, "folder");
	int r;

	repetition->exact = weaker(result_text(earlier->result, "exact"), result_text(result, "exact"));
	if (!strcmp(repetition->exact, "bytes") && !started_alike(earlier->result, result))
		repetition->exact = "events";
	repetition->events = json_array_size(events);
	if (!strcmp(repetition->exact, "none")) {
		compare_verdicts(earlier, result, repetition);
		return 0;
	}
	if (!strcmp(repetition->exact, "events")) {
		if (difference_of_events(events, json_object_get(result, "events"), &repetition->difference))
			repetition->where = "event";
		return 0;
	}
	r = compare_file(earlier, folder, "console.log", &repetition->console, repetition, err);
	return r ? r : compare_file(earlier, folder, "kmsg.log", &repetition->kmsg, repetition, err);
}
