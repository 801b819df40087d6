// SPDX-License-Identifier: GPL-2.0-or-later
#include "checks.h"

#include <CUnit/CUnit.h>
#include <string.h>

const struct detector_settings checks_settings = {120, 0, 10, 1, 21, 30, 0, 1, 0};

struct plan checks_plan(const char *json)
{
	char *text = strdup(json);
	struct hl_error err = HL_ERROR_INIT;
	struct plan plan = {0};
	json_t *parsed;

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	parsed = json_loads(text, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(parsed);
	CU_ASSERT_EQUAL_FATAL(plan_load(&plan, parsed, &err), 0);
	json_decref(parsed);
	free(text);
	return plan;
}

struct hl_event checks_event(enum hl_event_kind kind, const char *comm)
{
	struct hl_event event;

	hl_event_init(&event, kind);
	event.title = hl_event_kind_name(kind);
	event.stack.comm = comm;
	return event;
}

void checks_feed(struct judge *judge, enum hl_event_kind kind, const char *comm, double seconds)
{
	struct hl_event event = checks_event(kind, comm);

	judge_event(judge, &event, (int64_t)(seconds * 1e9));
}
