// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/many.h"

#include "run/pool.h"
#include "run/record.h"

static json_t *broken(const struct plan *plan, const char *reason)
{
	struct run_preparation nothing = {0};

	return plan->vm ? record_unstarted(plan, &nothing, VERDICT_BROKEN, reason)
			: json_pack("{s:s, s:s}", "verdict", verdict_name(VERDICT_BROKEN), "reason", reason);
}

static json_t *run_one(void *data, size_t index)
{
	const struct run_many *many = data;
	struct hl_error err = HL_ERROR_INIT;
	const char *path = "";
	json_t *result = NULL;
	struct plan plan = {0};

	if (many->load(many->data, index, &plan, &path, &err))
		result = broken(&plan, err.text);
	else
		run_scenario(&plan, path, many->settings, &result);
	if (many->done)
		many->done(many->data, index, result);
	plan_free(&plan);
	return result;
}

/* A run whose process was killed still counts. */
static void fill_missing(const struct run_many *many, json_t *results)
{
	for (size_t i = 0; i < json_array_size(results); i++) {
		struct hl_error err = HL_ERROR_INIT;
		struct plan plan = {0};
		const char *path;

		if (!json_is_null(json_array_get(results, i)))
			continue;
		if (many->load(many->data, i, &plan, &path, &err))
			json_array_set_new(results, i, broken(&plan, err.text));
		else
			json_array_set_new(results, i, broken(&plan, "its process ended without a result"));
		plan_free(&plan);
	}
}

int run_many(const struct run_many *many, json_t **results, struct hl_error *err)
{
	int r = pool_run(many->count, many->jobs, run_one, (void *)many, results, err);

	if (!r)
		fill_missing(many, *results);
	return r;
}
