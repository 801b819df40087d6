// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/checkers.h"

#include <stdlib.h>

/*
 * libFuzzer target for the log reader: "make fuzz FUZZ_SECONDS=600". The first byte says in what parts the
 * rest arrives; the events must be those that the whole gives, and their JSON must be valid.
 */

struct outcome {
	size_t events;
	uint64_t hash;
};

static int on_event(const struct hl_event *event, void *data)
{
	struct outcome *outcome = data;
	struct hl_event copy;
	json_t *object = hl_event_to_json(event);

	if (!object || !event->title || !event->line)
		abort();
	outcome->events++;
	outcome->hash = outcome->hash * 31 + event->line * 7 + (uint64_t)event->kind;
	json_decref(object);
	if (hl_event_copy(&copy, event))
		abort();
	hl_event_free(&copy);
	return 0;
}

static struct outcome read_log(const char *bytes, size_t size, size_t part)
{
	struct outcome outcome = {0};
	struct hl_log *log;

	if (hl_log_open(&log, NULL, on_event, &outcome, NULL))
		abort();
	for (size_t at = 0; at < size; at += part)
		if (hl_log_feed(log, bytes + at, size - at < part ? size - at : part, NULL))
			abort();
	if (hl_log_flush(log, NULL))
		abort();
	hl_log_close(log);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, parts;

	if (!size)
		return 0;
	whole = read_log((const char *)data + 1, size - 1, size);
	parts = read_log((const char *)data + 1, size - 1, 1u + data[0]);
	if (whole.events != parts.events || whole.hash != parts.hash)
		abort();
	return 0;
}
