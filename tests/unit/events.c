// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>

static int keep(const struct hl_event *event, void *data)
{
	struct events *events = data;

	events->list = realloc(events->list, (events->count + 1) * sizeof(*events->list));
	return hl_event_copy(&events->list[events->count++], event);
}

struct events events_read(const char *text, size_t size, size_t part)
{
	struct events events = {0};
	struct hl_error err = HL_ERROR_INIT;
	struct hl_log *log;

	CU_ASSERT_EQUAL_FATAL(hl_log_open(&log, NULL, keep, &events, &err), 0);
	for (size_t at = 0; at < size; at += part)
		CU_ASSERT_EQUAL(hl_log_feed(log, text + at, size - at < part ? size - at : part, &err), 0);
	CU_ASSERT_EQUAL(hl_log_flush(log, &err), 0);
	hl_log_close(log);
	return events;
}

void events_free(struct events *events)
{
	for (size_t i = 0; i < events->count; i++)
		hl_event_free(&events->list[i]);
	free(events->list);
}
