// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Reports about something that does not get on: kernel/hung_task.c, kernel/watchdog.c, kernel/rcu. */

static bool seconds_behind(const char *text, double *seconds, const char **end)
{
	unsigned long long value;
	const char *behind = parse_number(text, &value);

	if (!behind)
		return false;
	*seconds = (double)value;
	*end = behind;
	return true;
}

/*
 * "INFO: task jbd2/sdb-8:45757 blocked for more than 120 seconds." The name ends at the last colon:
 * "rs:main Q:Reg:9724".
 */
static bool hung_task_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *task = parse_after(line->text, "INFO: task ");
	const char *end;

	if (!task || task > anchor || !parse_at_start(line, task - strlen("INFO: task ")))
		return false;
	if (!seconds_behind(anchor + strlen(report->signature->anchor), &report->event.seconds, &end) ||
	    !parse_starts(end, " seconds"))
		return false;
	if (!parse_task(report, task, anchor))
		return false;
	if (strstr(report->signature->anchor, "I/O wait"))
		report_field_text(report, "waiting_for", "io", 2);
	report->what = "hung task";
	return true;
}

/*
 * Since 6.16: "INFO: task A:1 is blocked on a mutex likely owned by task B:2." and, before it,
 * "INFO: task A:1 is blocked on a mutex, but the owner is not found."
 */
static bool take_holder(struct report *report, const char *text)
{
	const char *lock = parse_after(text, " is blocked on a");
	const char *owner, *end, *pid;
	size_t length;

	if (!lock)
		return false;
	lock += parse_starts(lock, "n ") ? 2 : 1;
	length = strcspn(lock, " ,.");
	report_field_text(report, "lock", lock, length);
	owner = parse_after(lock, "likely owned by task ");
	if (!owner)
		return true;
	end = strstr(owner, " <");
	if (!end)
		end = owner + parse_trimmed(owner);
	while (end > owner && (end[-1] == '.' || end[-1] == ','))
		end--;
	for (pid = end; pid > owner && isdigit((unsigned char)pid[-1]); pid--)
		;
	if (pid == end || pid == owner)
		return true;
	report_field_text(report, "holder_comm", owner, (size_t)(pid - 1 - owner));
	report_field_integer(report, "holder_pid", atol(pid));
	return true;
}

/* The stack of another task that is not the holder: of a list of all blocked tasks, say. */
static bool is_other_task(struct report *report, const char *text)
{
	const char *comm;
	size_t length;
	long pid;

	return stack_parse_task(text, &comm, &length, &pid) && pid >= 0 && pid != report->event.stack.pid &&
	       json_integer_value(report_field(report, "holder_pid")) != pid;
}

static bool hung_task_more(struct report *report, const struct line *line)
{
	const char *text = line->text;

	if (is_other_task(report, text)) {
		report->closed = true;
		return true;
	}

	if (parse_starts(text, "INFO: task ") && take_holder(report, text))
		return true;
	return (strchr(text, '"') && strstr(text, "hung_task_timeout_secs\" disables this message")) ||
	       parse_starts(text, "Blocked by coredump") ||
	       parse_starts(text, "Future hung task reports are");
}

const struct report_parser parser_hung_task = {
	.begin = hung_task_begin,
	.more = hung_task_more,
	.patience = 100,
	.stack = true,
};

/* "BUG: soft lockup - CPU#4 stuck for 22s! [java:132156]" */
static bool soft_lockup_begin(struct report *report, const struct line *line, const char *anchor)
{
	unsigned long long cpu;
	const char *text = parse_number(anchor + strlen("soft lockup - CPU#"), &cpu);
	const char *end;

	(void)line;
	if (!text)
		return false;
	while (*text == ' ')
		text++;
	text = parse_starts(text, "stuck for ");
	if (!text || !seconds_behind(text, &report->event.seconds, &text))
		return false;
	text = parse_starts(text, "s!");
	if (!text)
		return false;
	report->event.stack.cpu = (int)cpu;
	while (*text == ' ')
		text++;
	end = strrchr(text, ']');
	if (*text == '[' && end)
		parse_task(report, text + 1, end);
	else
		report->event.corrupted = true;
	report->what = "soft lockup";
	return true;
}

const struct report_parser parser_soft_lockup = {
	.begin = soft_lockup_begin,
	.patience = 60,
	.stack = true,
};

/* "Watchdog detected hard LOCKUP on cpu 3", "NMI Watchdog detected LOCKUP on CPU3, ip ..." */
static bool hard_lockup_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *text = anchor + strlen(report->signature->anchor);
	unsigned long long cpu;

	(void)line;
	while (*text == ' ')
		text++;
	if (!parse_number(text, &cpu))
		return false;
	report->event.stack.cpu = (int)cpu;
	report->event.fatal = true;
	report->what = "hard lockup";
	return true;
}

const struct report_parser parser_hard_lockup = {
	.begin = hard_lockup_begin,
	.patience = 60,
	.stack = true,
};

/* powerpc: "CPU 6 self-detected hard LOCKUP @ plpar_hcall_norets+0x1c/0x28" */
static bool hard_lockup_self_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *cpu = parse_after(line->text, "CPU ");

	if (!cpu || cpu > anchor || !isdigit((unsigned char)*cpu))
		return false;
	report->event.stack.cpu = atoi(cpu);
	report->event.fatal = true;
	report->what = "hard lockup";
	return true;
}

const struct report_parser parser_hard_lockup_self = {
	.begin = hard_lockup_self_begin,
	.patience = 60,
	.stack = true,
};

static bool rcu_stall_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *flavor = parse_after(line->text, "INFO: "), *cpu, *jiffies;
	unsigned long long number;

	if (!flavor || flavor > anchor || !parse_at_start(line, flavor - strlen("INFO: ")))
		return false;
	/* The flavour was in capitals until 2.6.35. */
	if ((!parse_starts(flavor, "rcu_") && !parse_starts(flavor, "RCU ")) || !strstr(flavor, "stall"))
		return false;
	report_field_text(report, "flavor", flavor, strcspn(flavor, " "));
	/* "on CPU { 9}  (t=60000 jiffies": one line before 3.19, and when expedited. */
	cpu = parse_after(flavor, "{ ");
	if (!cpu)
		cpu = parse_after(flavor, "detected CPU ");
	if (cpu && isdigit((unsigned char)*cpu))
		report->event.stack.cpu = atoi(cpu);
	jiffies = parse_after(flavor, "t=");
	if (jiffies && parse_number(jiffies, &number) && number)
		report_field_integer(report, "jiffies", (long long)number);
	if (strstr(flavor, "expedited"))
		report_field_text(report, "grace_period", "expedited", 9);
	report->what = "RCU stall";
	return true;
}

/*
 * "	0-...!: (1 GPs behind) idle=...", "	Tasks blocked on level-0 rcu_node (CPUs 0-1): P14341",
 * "	(t=29988 jiffies g=72133 q=198)", "	(detected by 1, t=10502 jiffies, ...)"
 */
static bool rcu_stall_more(struct report *report, const struct line *line)
{
	const char *text = line->text;
	const char *value;
	unsigned long long number;

	while (*text == ' ' || *text == '\t' || parse_starts(text, "rcu: "))
		text += *text == 'r' ? 5 : 1;
	value = parse_after(text, "t=");
	if (*text == '(' && value && parse_number(value, &number)) {
		report_field_integer(report, "jiffies", (long long)number);
		return true;
	}
	if (isdigit((unsigned char)*text)) {
		const char *dash = text + strspn(text, "0123456789");

		if (*dash == '-' && strstr(dash, ": (")) {
			if (report->event.stack.cpu < 0)
				report->event.stack.cpu = atoi(text);
			return true;
		}
		return false;
	}
	value = parse_after(text, " kthread starved for ");
	if (value && parse_number(value, &number)) {
		report_field_integer(report, "kthread_starved_jiffies", (long long)number);
		return true;
	}
	value = parse_after(text, "kthread timer wakeup didn't happen for ");
	if (value && parse_number(value, &number)) {
		report_field_integer(report, "timer_late_jiffies", (long long)number);
		return true;
	}
	return strstr(text, "grace-period kthread stack dump") || parse_starts(text, "Tasks blocked on ") ||
	       parse_starts(text, "Possible timer handling issue") ||
	       parse_starts(text, "Stack dump where RCU GP") || parse_starts(text, "Unless rcu_") ||
	       parse_starts(text, "blocking rcu_node structures");
}

const struct report_parser parser_rcu_stall = {
	.begin = rcu_stall_begin,
	.more = rcu_stall_more,
	.patience = 100,
	.stack = true,
};

/* "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 34s!" */
static bool workqueue_lockup_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *stuck = parse_after(anchor, "stuck for ");
	const char *cpus = parse_after(anchor, "cpus=");
	const char *end;

	(void)line;
	if (!stuck || !seconds_behind(stuck, &report->event.seconds, &end) || *end != 's')
		return false;
	if (cpus && isdigit((unsigned char)*cpus))
		report->event.stack.cpu = atoi(cpus);
	report->what = "workqueue lockup";
	return true;
}

const struct report_parser parser_workqueue_lockup = {
	.begin = workqueue_lockup_begin,
	.patience = 60,
	.stack = true,
};

/* A stall whose first lines were cut off, or which only the grace-period kthread suffers from. */
static bool rcu_starved_begin(struct report *report, const struct line *line, const char *anchor)
{
	unsigned long long number;

	if (report->before && report->before->event.kind == HL_EVENT_RCU_STALL)
		return false;
	if (!strstr(line->text, "rcu_") || strstr(line->text, "rcu_") > anchor ||
	    !parse_number(anchor + strlen(" kthread starved for "), &number))
		return false;
	report_field_integer(report, "kthread_starved_jiffies", (long long)number);
	report->what = "RCU stall";
	return true;
}

const struct report_parser parser_rcu_starved = {
	.begin = rcu_starved_begin,
	.more = rcu_stall_more,
	.patience = 60,
	.stack = true,
};

/* "smp: csd: Detected non-responsive CSD lock (#1) on CPU#3, waiting 5000000000 ns for CPU#00
 * f+0x0/0x30(0x0)." */
static bool csd_stall_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *on = parse_after(anchor, " on CPU#");
	const char *waiting = parse_after(anchor, "waiting ");
	const char *target = waiting ? parse_after(waiting, " for CPU#") : NULL;
	unsigned long long value;
	size_t length;

	(void)line;
	if (!on || !target || !parse_number(waiting, &value))
		return false;
	report->event.seconds = (double)value / 1e9;
	report->event.stack.cpu = atoi(on);
	report_field_integer(report, "target_cpu", atoi(target));
	target += strcspn(target, " ");
	target += strspn(target, " ");
	length = parse_function(target);
	if (length)
		report->suspect = report_text(report, target, length);
	report->what = "CSD lock stall";
	return true;
}

const struct report_parser parser_csd_stall = {
	.begin = csd_stall_begin,
	.patience = 60,
	.stack = true,
};
