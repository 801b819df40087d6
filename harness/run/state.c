// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/state.h"

#include <stdarg.h>

#define PROGRESS_EVERY (NANOSECONDS_PER_SECOND / 5)

int64_t run_stretched(const struct run *run, int64_t nanoseconds)
{
	return (int64_t)((double)nanoseconds * run->settings->multiplier);
}

/* The first reason stands. */
void run_finish(struct run *run, enum guest_end end, const char *format, ...)
{
	va_list args;

	run->done = true;
	if (run->end_known)
		return;
	run->end_known = true;
	run->facts.end = end;
	va_start(args, format);
	vsnprintf(run->facts.end_reason, sizeof(run->facts.end_reason), format, args);
	va_end(args);
}

void run_data_problem(struct run *run, const char *format, ...)
{
	va_list args;

	if (run->facts.data_problem[0])
		return;
	va_start(args, format);
	vsnprintf(run->facts.data_problem, sizeof(run->facts.data_problem), format, args);
	va_end(args);
}

void run_note(const struct run *run, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!run->settings->observer.note)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	run->settings->observer.note(run->settings->observer.data, (double)run->guest_now / 1e9, text);
}

void run_await(struct run *run, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(run->progress.awaited, sizeof(run->progress.awaited), format, args);
	va_end(args);
}

void run_show_progress(struct run *run)
{
	int64_t now = workload_now();

	if (!run->settings->observer.progress || now - run->last_progress < PROGRESS_EVERY)
		return;
	run->last_progress = now;
	run->progress.guest_seconds = (double)run->guest_now / 1e9;
	run->progress.wall_seconds = (double)(now - run->started) / 1e9;
	run->settings->observer.progress(run->settings->observer.data, &run->progress);
}

/* A line of the journal; a run that cannot be journalled ends. */
int run_journal(struct run *run, const char *action, json_t *details)
{
	struct hl_error err = HL_ERROR_INIT;
	int r = journal_write(&run->journal, action, details, &err);

	if (r)
		run_finish(run, GUEST_BROKE_OFF, "%s", err.text);
	return r;
}
