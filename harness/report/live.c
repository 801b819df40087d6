// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/live.h"

#include <stdlib.h>

void live_clear(const struct live *live)
{
	if (live->terminal)
		fprintf(live->out, "\r\033[K");
	fflush(live->out);
}

static void on_progress(void *data, const struct run_progress *progress)
{
	const struct live *live = data;
	double speed = progress->wall_seconds > 0 ? progress->guest_seconds / progress->wall_seconds : 0;

	if (!live->terminal)
		return;
	fprintf(live->out, "\r\033[K%s: %s, guest %.1f s, %.1f times as fast, waiting for %s", live->name,
		progress->phase, progress->guest_seconds, speed,
		progress->awaited[0] ? progress->awaited : "the guest");
	fflush(live->out);
}

static void on_note(void *data, double guest_seconds, const char *text)
{
	const struct live *live = data;

	live_clear(live);
	fprintf(live->out, "%s: %9.3f s  %s\n", live->name, guest_seconds, text);
	fflush(live->out);
}

static void on_event(void *data, const struct hl_event *event)
{
	const struct live *live = data;

	live_clear(live);
	fprintf(live->out, "%s: %9.3f s  %s: %s", live->name, event->time,
		event->kind == HL_EVENT_STALLED ? "hanglab" : "kernel", event->title);
	if (event->stack.comm)
		fprintf(live->out, " [%s:%ld]", event->stack.comm, event->stack.pid);
	fputc('\n', live->out);
	for (size_t i = 0; live->verbose && i < event->stack.count; i++)
		fprintf(live->out, "    %s%s\n", event->stack.frames[i].reliable ? "" : "? ",
			event->stack.frames[i].function);
	fflush(live->out);
}

struct run_observer live_observer(struct live *live)
{
	return (struct run_observer){on_progress, on_note, on_event, live};
}
