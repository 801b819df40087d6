/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_REPORT_TIME_LINE_H
#define HANGLAB_REPORT_TIME_LINE_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

/*
 * What happened in a run, read back from its folder, as lanes along one axis of guest time:
 *
 *	{"folder": ..., "result": {...}, "scenario_text": ..., "events": [...],
 *	 "from": SECONDS, "to": SECONDS,
 *	 "lanes": [{"group": "fault", "name": "fsfreeze",
 *		    "spans": [{"from": .., "to": .., "state": "active", "text": ".."}],
 *		    "marks": [{"at": .., "text": "..", "event": INDEX}],
 *		    "progress": [[SECONDS, COUNT], ...]}]}
 *
 * Groups, in this order: fault (one lane for each injection), workload (one for each; spans are what it
 *waited for), kernel (a mark for each event), cpu (spans in which a detector saw the CPU stuck), host (what
 *hanglab did on its side).
 */

/**
 * time_line_load() - read a run folder
 * @folder: its path
 * @run: receives a new reference
 *
 * A run that was cut off has no result.json: what the guest had said until then is shown, and "result" has
 * the verdict "BROKEN" with the reason.
 *
 * Return: 0, -ENOENT when it is no run folder, or another -errno.
 */
int time_line_load(const char *folder, json_t **run, struct hl_error *err);

/**
 * time_line_print() - the lanes as text, then what happened in order of time
 * @run: from time_line_load()
 * @width: columns that may be used
 */
void time_line_print(const json_t *run, int width, FILE *out);

#endif
