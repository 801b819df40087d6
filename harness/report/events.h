/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_REPORT_EVENTS_H
#define HANGLAB_REPORT_EVENTS_H

#include "checkers/checkers.h"

#include <stdbool.h>
#include <stdio.h>

struct event_output;

/**
 * struct event_output_options - how events are printed
 * @format: "pretty", "jsonl", "json", "ktap" or "junit"; NULL: pretty on a terminal, else jsonl
 * @summary: one line for each title instead of each event
 * @verbose: pretty prints whole stacks
 * @live: print each event at once
 * @name_files: say which file an event is from
 * @out: where to
 */
struct event_output_options {
	const char *format;
	bool summary, verbose, live, name_files;
	FILE *out;
};

/**
 * event_output_open() - begin to print events
 * @output: result, to be ended with event_output_close()
 *
 * Return: 0, -EINVAL for an unknown format, -ENOMEM.
 */
int event_output_open(struct event_output **output, const struct event_output_options *options,
		      struct hl_error *err);

/** event_output_file() - the events that follow are from the file @path, which must outlive @output */
void event_output_file(struct event_output *output, const char *path);

/** event_output_add() - print @event, or keep what is needed of it. Return: 0 or -errno. */
int event_output_add(struct event_output *output, const struct hl_event *event);

/** event_output_close() - print what comes at the end, and release @output; accepts NULL */
void event_output_close(struct event_output *output);

#endif
