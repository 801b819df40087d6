// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/stall.h"

void stall_event(struct hl_event *event, const char *workload, long pid, int64_t age, int64_t now)
{
	hl_event_init(event, HL_EVENT_STALLED);
	event->title = "workload stalled";
	event->time = (double)now / 1e9;
	event->seconds = (double)age / 1e9;
	event->stack.comm = workload;
	event->stack.pid = pid;
}
