// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Memory, time, scheduling classes and cluster heartbeats. */

/* "java invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0" */
static bool oom_begin(struct report *report, const struct line *line, const char *anchor)
{
	size_t length = (size_t)(anchor - line->text);

	if (!length || length > 16)
		return false;
	report->event.stack.comm = report_text(report, line->text, length);
	report->what = "out of memory";
	report->whole_title = true;
	return true;
}

/* "Out of memory: Killed process 107 (dd) total-vm:...", "Memory cgroup out of memory: Kill process ..." */
static bool take_victim(struct report *report, const char *text)
{
	const char *pid = parse_after(text, "ill process ");
	const char *name, *end;

	if (!pid)
		pid = parse_after(text, "illed process ");
	if (!pid || !isdigit((unsigned char)*pid))
		return false;
	report_field_integer(report, "victim_pid", atol(pid));
	name = strchr(pid, '(');
	end = name ? strchr(name, ')') : NULL;
	if (end)
		report_field_text(report, "victim_comm", name + 1, (size_t)(end - name - 1));
	return true;
}

static bool oom_kill_begin(struct report *report, const struct line *line, const char *anchor)
{
	(void)line;
	if (report->before && report->before->event.kind == HL_EVENT_OOM) {
		take_victim(report->before, anchor);
		return false;
	}
	if (!take_victim(report, anchor))
		return false;
	report->what = "out of memory";
	report->whole_title = true;
	return true;
}

static bool oom_more(struct report *report, const struct line *line)
{
	const char *text = line->text;

	if (take_victim(report, text))
		return true;
	return parse_starts(text, "Mem-Info:") || parse_starts(text, "Node ") ||
	       parse_starts(text, "oom-kill:") || parse_starts(text, "Tasks state") ||
	       parse_starts(text, "oom_reaper") || (*text == '[' && strchr(text, ']')) ||
	       strstr(text, "kB") || strstr(text, "pages ");
}

const struct report_parser parser_oom = {
	.begin = oom_begin,
	.more = oom_more,
	.patience = 60,
	.stack = true,
};

const struct report_parser parser_oom_kill = {
	.begin = oom_kill_begin,
	.more = oom_more,
	.patience = 4,
};

/* "sched: RT throttling activated" and "[sched_delayed] sched: RT throttling activated" */
static bool rt_throttled_begin(struct report *report, const struct line *line, const char *anchor)
{
	if (!parse_at_start(line, anchor) && !strstr(line->text, "sched: "))
		return false;
	report->what = "RT throttling activated";
	return true;
}

const struct report_parser parser_rt_throttled = {.begin = rt_throttled_begin};

/*
 * kernel/time/clocksource.c: "Marking clocksource 'tsc' as unstable because the skew is too large:", 2.6.32
 * to 3.16 "Clocksource tsc unstable (delta = 4398046511104 ns)"; arch/x86/kernel/tsc.c: "Marking TSC unstable
 * due to ..."
 */
static bool clocksource_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *name = parse_starts(anchor, "Marking clocksource '");
	const char *reason;

	if (name) {
		report_field_text(report, "clocksource", name, strcspn(name, "'"));
	} else if (parse_starts(anchor, " unstable")) {
		name = parse_starts(line->text, "Clocksource ");
		if (!name)
			return false;
		report_field_text(report, "clocksource", name, (size_t)(anchor - name));
	} else if ((reason = parse_starts(anchor, "Marking TSC unstable due to "))) {
		report_field_text(report, "clocksource", "tsc", 3);
		report_field_text(report, "reason", reason, parse_trimmed(reason));
	}
	report->what = "clocksource unstable";
	return true;
}

static bool clocksource_more(struct report *report, const struct line *line)
{
	const char *skew = parse_after(line->text, "cs_nsec: ");
	const char *watchdog = parse_after(line->text, "wd_nsec: ");
	unsigned long long value;

	if (skew && parse_number(skew, &value))
		report_field_integer(report, "clocksource_ns", (long long)value);
	if (watchdog && parse_number(watchdog, &value))
		report_field_integer(report, "watchdog_ns", (long long)value);
	return parse_starts(line->text, "clocksource: ") ||
	       parse_starts(line->text, "tsc: Marking TSC unstable");
}

const struct report_parser parser_clocksource = {
	.begin = clocksource_begin,
	.more = clocksource_more,
	.patience = 4,
};

/* "(o2hb-DADF02EF65,578588,18):o2hb_thread:1139 o2hb_do_disk_heartbeat used 38318 msecs on device(dm-2), ret
 * = 0." */
static bool o2hb_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *number = anchor + strlen("o2hb_do_disk_heartbeat used ");
	const char *device = parse_after(number, "device(");
	const char *region = parse_after(line->text, "(o2hb-");
	unsigned long long value;
	const char *behind = parse_number(number, &value);

	if (!behind || !parse_starts(behind, " msecs"))
		return false;
	report->event.seconds = (double)value / 1000;
	report_field_integer(report, "milliseconds", (long long)value);
	if (device)
		report_field_text(report, "device", device, strcspn(device, ")"));
	if (region && region < anchor)
		report_field_text(report, "region", region, strcspn(region, ",)"));
	report->what = "slow disk heartbeat";
	return true;
}

const struct report_parser parser_o2hb = {.begin = o2hb_begin};

/* fs/ocfs2/cluster/heartbeat.c: "Heartbeat write timeout to device dm-2 after 120000 milliseconds" */
static bool o2hb_timeout_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = anchor + strlen("Heartbeat write timeout to device ");
	const char *after = parse_after(device, " after ");
	unsigned long long value;

	(void)line;
	if (!after || !parse_number(after, &value))
		return false;
	report->event.seconds = (double)value / 1000;
	report_field_integer(report, "milliseconds", (long long)value);
	report_field_text(report, "device", device, strcspn(device, " "));
	report->event.fatal = true;
	report->what = "disk heartbeat timed out";
	return true;
}

const struct report_parser parser_o2hb_timeout = {.begin = o2hb_timeout_begin};

/* "unregister_netdevice: waiting for lo to become free. Usage count = 1": printed every ten seconds */
static bool netdevice_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = anchor + strlen("unregister_netdevice: waiting for ");
	const char *end = strstr(device, " to become free");

	if (!parse_at_start(line, anchor) || !end)
		return false;
	report_field_text(report, "device", device, (size_t)(end - device));
	report->what = "unregister_netdevice waits for references";
	return true;
}

const struct report_parser parser_netdevice = {.begin = netdevice_begin};
