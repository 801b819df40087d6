// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/livelock.h"

void livelock_event(struct hl_event *event, const char *comm, long pid, int64_t age, int64_t now)
{
	hl_event_init(event, HL_EVENT_LIVELOCK);
	event->title = "endless loop in the kernel";
	event->time = (double)now / 1e9;
	event->seconds = (double)age / 1e9;
	event->stack.comm = comm;
	event->stack.pid = pid;
}
