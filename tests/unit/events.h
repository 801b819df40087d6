/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_TESTS_UNIT_EVENTS_H
#define HANGLAB_TESTS_UNIT_EVENTS_H

#include "checkers/checkers.h"

/* The events of a log, for tests. */
struct events {
	struct hl_event *list;
	size_t count;
};

/**
 * events_read() - all events of @text, fed in parts of @part bytes
 *
 * Release with events_free().
 */
struct events events_read(const char *text, size_t size, size_t part);

void events_free(struct events *events);

#endif
