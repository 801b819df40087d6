// SPDX-License-Identifier: GPL-2.0-or-later
#include "blame.h"
#include "parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Faults, failed assertions, warnings and panics. */

/* "Linux version 6.1.0-55-cloud-amd64 (...": a fact for later events, not an event. */
static bool kernel_release_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *release = anchor + strlen("Linux version ");
	size_t length = strcspn(release, " ");

	if (isdigit((unsigned char)*release) && length < sizeof(report->facts->kernel) &&
	    parse_at_start(line, anchor)) {
		memcpy(report->facts->kernel, release, length);
		report->facts->kernel[length] = '\0';
	}
	return false;
}

const struct report_parser parser_kernel_release = {.begin = kernel_release_begin};

static bool is_crash(const struct report *report)
{
	return report && (report->event.kind == HL_EVENT_OOPS || report->event.kind == HL_EVENT_BUG ||
			  report->event.kind == HL_EVENT_WARNING || report->event.kind == HL_EVENT_SANITIZER);
}

/* "[#1]": which oops of this boot it is. */
static bool has_oops_number(const char *text)
{
	const char *number = parse_after(text, "[#");

	return number && isdigit((unsigned char)*number);
}

/*
 * The trap line ("invalid opcode: 0000 [#1] SMP") is part of the report whose message came before, and
 * a report of its own when there was none.
 */
static bool belongs_to_message(struct report *report)
{
	if (!is_crash(report->before) || report->before->oopsed || report->before->lines > 30)
		return false;
	report->before->oopsed = true;
	report->before->event.fatal = true;
	return true;
}

static void take_address(struct report *report, const char *text)
{
	uint64_t address;
	const char *hex = parse_starts(text, "0x");

	if (parse_hex(hex ? hex : text, &address))
		report_field_text(report, "address", text, strspn(text, "0123456789abcdefx"));
}

static bool page_fault_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *at = parse_after(anchor, "address: ");
	uint64_t address;

	if (!parse_at_start(line, anchor))
		return false;
	if (!at)
		at = parse_after(anchor, " address ");
	if (!at)
		at = parse_after(anchor, " at ");
	while (at && *at == ' ')
		at++;
	/* Two printk calls on old kernels: the address may have been cut off. */
	if (at && !parse_hex(at, &address) && !parse_starts(at, "(null)"))
		return false;
	if (at)
		take_address(report, at);
	report->event.fatal = true;
	if (strstr(anchor, "NULL pointer dereference"))
		report->what = "NULL pointer dereference";
	else
		report->what = "invalid memory access";
	return true;
}

const struct report_parser parser_page_fault = {
	.begin = page_fault_begin,
	.patience = 40,
	.stack = true,
};

static bool general_protection_begin(struct report *report, const struct line *line, const char *anchor)
{
	/* "segment-related general protection fault: beec [#2]" */
	if (!has_oops_number(anchor) || strstr(line->text, "traps: ") ||
	    (!parse_at_start(line, anchor) && !parse_starts(line->text, "segment-related ")))
		return false;
	if (belongs_to_message(report))
		return false;
	report->event.fatal = true;
	report->oopsed = true;
	report->what = "general protection fault";
	return true;
}

const struct report_parser parser_general_protection = {
	.begin = general_protection_begin,
	.patience = 40,
	.stack = true,
};

/* "divide error: 0000 [#1] SMP" and the other traps that arch/x86/kernel/traps.c names. */
static bool trap_begin(struct report *report, const struct line *line, const char *anchor)
{
	if (!parse_at_start(line, anchor) || !has_oops_number(anchor))
		return false;
	if (belongs_to_message(report))
		return false;
	report->event.fatal = true;
	report->oopsed = true;
	report->what = report_text(report, anchor, strcspn(anchor, ":"));
	return true;
}

const struct report_parser parser_trap = {
	.begin = trap_begin,
	.patience = 40,
	.stack = true,
};

static bool oops_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *name;

	if (!has_oops_number(anchor) || belongs_to_message(report))
		return false;
	if (!parse_at_start(line, anchor) && !parse_starts(line->text, "Internal error: "))
		return false;
	report->event.fatal = true;
	report->oopsed = true;
	/* 6.10 and newer: "Oops: general protection fault, probably for ...: 0000 [#1]" */
	name = anchor + strlen("Oops: ");
	if (isalpha((unsigned char)*name) && !isdigit((unsigned char)name[1]))
		report->what = report_text(report, name, strcspn(name, ":,"));
	else
		report->what = "oops";
	return true;
}

const struct report_parser parser_oops = {
	.begin = oops_begin,
	.patience = 40,
	.stack = true,
};

/* arm: "Internal error: synchronous external abort: 96000210 [#1] SMP", "Internal error: Oops - BUG: 0 [#1]"
 */
static bool internal_error_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *name = anchor + strlen("Internal error: ");

	/* The other row takes this one. */
	if (parse_starts(name, "Oops: "))
		return false;
	if (!parse_at_start(line, anchor) || !has_oops_number(anchor) || belongs_to_message(report))
		return false;
	report->event.fatal = true;
	report->oopsed = true;
	if (parse_starts(name, "Oops - "))
		name += strlen("Oops - ");
	report->what = *name == ':'
			       ? "internal error"
			       : report_stable(report, "", report_text(report, name, strcspn(name, ":")));
	return true;
}

const struct report_parser parser_internal_error = {
	.begin = internal_error_begin,
	.patience = 40,
	.stack = true,
};

static bool double_fault_begin(struct report *report, const struct line *line, const char *anchor)
{
	if (!parse_at_start(line, anchor))
		return false;
	report->event.fatal = true;
	report->what = "double fault";
	return true;
}

const struct report_parser parser_double_fault = {
	.begin = double_fault_begin,
	.patience = 40,
	.stack = true,
};

static bool stack_guard_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *address = anchor + strlen("stack guard page was hit at ");
	uint64_t value;

	if (!strstr(line->text, "BUG: ") || strstr(line->text, "BUG: ") > anchor ||
	    !parse_hex(address, &value))
		return false;
	take_address(report, address);
	report->event.fatal = true;
	report->what = "stack overflow";
	return true;
}

const struct report_parser parser_stack_guard = {
	.begin = stack_guard_begin,
	.patience = 40,
	.stack = true,
};

/* "kernel BUG at fs/ext4/inode.c:2721!" */
static bool kernel_bug_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *place = anchor + strlen("kernel BUG at ");
	const char *colon = strrchr(place, ':');

	if (!parse_at_start(line, anchor) || !colon || !isdigit((unsigned char)colon[1]))
		return false;
	report_field_text(report, "place", place,
			  (size_t)(colon - place) + 1 + strspn(colon + 1, "0123456789"));
	report->event.fatal = true;
	report->skip = strstr(place, "mm/usercopy.c") ? BLAME_USERCOPY : BLAME_LOCK;
	report->what = "kernel BUG";
	return true;
}

const struct report_parser parser_kernel_bug = {
	.begin = kernel_bug_begin,
	.patience = 40,
	.stack = true,
};

/* Any other "BUG: message": the words up to the details are the title. */
static const struct {
	const char *message;
	enum hl_event_kind kind;
	unsigned int skip;
} bug_messages[] = {
	{"spinlock ", HL_EVENT_LOCKDEP, BLAME_LOCK},
	{"rwlock ", HL_EVENT_LOCKDEP, BLAME_LOCK},
	{"MAX_LOCKDEP", HL_EVENT_LOCKDEP, BLAME_LOCK},
	{"MAX_STACK_TRACE_ENTRIES", HL_EVENT_LOCKDEP, BLAME_LOCK},
	{"unable to handle kernel", HL_EVENT_OOPS, 0}, /* the rest of the line was cut off */
	{"using ", HL_EVENT_BUG, BLAME_PREEMPTION},
	{"scheduling while atomic", HL_EVENT_BUG, BLAME_SCHEDULER},
};

static bool bug_message_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *text = anchor + strlen("BUG: ");
	size_t length = 0;

	if (!parse_at_start(line, anchor) || (anchor > line->text && isalpha((unsigned char)anchor[-1])))
		return false;
	/* Many programs begin a message like this. */
	if (*line->program && strcmp(line->program, "kernel") != 0)
		return false;
	while (text[length] && text[length] != ':' && text[length] != '[' && text[length] != '(')
		length++;
	while (length && text[length - 1] == ' ')
		length--;
	if (length < 4)
		return false;
	report->what = report_stable(report, "", report_text(report, text, length));
	for (size_t i = 0; i < sizeof(bug_messages) / sizeof(*bug_messages); i++) {
		if (!parse_starts(text, bug_messages[i].message))
			continue;
		report->event.kind = bug_messages[i].kind;
		report->skip = bug_messages[i].skip;
	}
	return true;
}

const struct report_parser parser_bug_message = {
	.begin = bug_message_begin,
	.patience = 30,
	.stack = true,
};

/*
 * Checks that warn in place of their callers, by the file they are in: what they are called in titles,
 * and whom not to blame.
 */
static const struct checker {
	const char *file;
	const char *function; /* part of its name, or NULL for any */
	enum hl_event_kind kind;
	const char *what;
	unsigned int skip;
} checkers[] = {
	{"lib/debugobjects.c", NULL, HL_EVENT_WARNING, "object state warning", BLAME_OBJECT},
	{"mm/usercopy.c", NULL, HL_EVENT_WARNING, "bad usercopy", BLAME_USERCOPY},
	{"lib/kobject.c", NULL, HL_EVENT_WARNING, "kobject warning", BLAME_KOBJECT},
	{"fs/proc/generic.c", "proc_register", HL_EVENT_WARNING, "proc registration warning", BLAME_PROC},
	{"lib/refcount.c", NULL, HL_EVENT_WARNING, "refcount warning", BLAME_REFCOUNT},
	{"kernel/locking/lockdep.c", NULL, HL_EVENT_LOCKDEP, "locking warning", BLAME_LOCK},
	{"kernel/locking/mutex.c", NULL, HL_EVENT_LOCKDEP, "mutex warning", BLAME_LOCK},
	{"kernel/locking/rwsem.c", NULL, HL_EVENT_LOCKDEP, "rwsem warning", BLAME_LOCK},
	{"mm/", "alloc", HL_EVENT_WARNING, "allocation warning", BLAME_MEMORY},
	{"drivers/usb/core/urb.c", "usb_submit_urb", HL_EVENT_WARNING, "urb warning", BLAME_USB},
};

static void take_checker(struct report *report, const char *place, const char *function)
{
	for (size_t i = 0; i < sizeof(checkers) / sizeof(*checkers); i++) {
		const struct checker *checker = &checkers[i];

		if (!place || !strstr(place, checker->file) ||
		    (checker->function && !(function && strstr(function, checker->function))))
			continue;
		report->event.kind = checker->kind;
		report->what = checker->what;
		report->skip = checker->skip;
		return;
	}
}

/*
 * "WARNING: CPU: 1 PID: 105 at fs/inode.c:330 drop_nlink+0x3e/0x50", before 3.10
 * "WARNING: at fs/inode.c:330 drop_nlink+0x3e/0x50() (Not tainted)", since 6.18 "WARNING: fs/inode.c:330 at
 * drop_nlink+0x3e/0x50, CPU#1: rm/105"
 */
/* Since 6.17: "f+0x207/0x210, CPU#2: swapper/2/0". */
static void take_warning_task(struct report *report, const char *text)
{
	const char *cpu = parse_after(text, ", CPU#");
	const char *comm = cpu ? parse_after(cpu, ": ") : NULL;
	const char *slash = comm ? strrchr(comm, '/') : NULL;

	if (!slash || !isdigit((unsigned char)*cpu) || !isdigit((unsigned char)slash[1]))
		return;
	report->event.stack.cpu = atoi(cpu);
	report->event.stack.comm = report_text(report, comm, (size_t)(slash - comm));
	report->event.stack.pid = atol(slash + 1);
}

static bool warning_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *text = anchor + strlen("WARNING: ");
	const char *place = parse_starts(text, "at ");
	const char *function, *cpu;
	size_t length;

	if (!parse_at_start(line, anchor))
		return false;
	cpu = parse_starts(text, "CPU: ");
	if (!place && cpu) {
		const char *pid = parse_after(cpu, "PID: ");

		place = parse_after(cpu, " at ");
		report->event.stack.cpu = atoi(cpu);
		if (pid)
			report->event.stack.pid = atol(pid);
	}
	if (!place) {
		const char *at = strstr(text, " at ");

		length = strcspn(text, " ");
		if (!at || text + length != at || !memchr(text, ':', length) || !memchr(text, '.', length))
			return false;
		report_field_text(report, "place", text, length);
		function = at + 4;
		take_warning_task(report, function);
	} else {
		length = strcspn(place, " ");
		if (memchr(place, ':', length)) {
			report_field_text(report, "place", place, length);
			function = place + length;
		} else if (parse_function(place) && place[parse_function(place)] == '+') {
			function = place; /* built without CONFIG_DEBUG_BUGVERBOSE */
		} else {
			return false;
		}
	}
	while (*function == ' ')
		function++;
	length = parse_function(function);
	if (length)
		report->suspect = report_text(report, function, length);
	report->what = "warning";
	take_checker(report, json_string_value(report_field(report, "place")), report->suspect);
	return true;
}

const struct report_parser parser_warning = {
	.begin = warning_begin,
	.patience = 30,
	.stack = true,
};

static bool panic_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *reason = anchor + strlen("Kernel panic - not syncing"), *smashed;
	size_t length;

	/* An arrow is prose: somebody's chain of causes. */
	if (!parse_at_start(line, anchor) || (*reason && *reason != ':') || strstr(reason, "-->"))
		return false;
	while (*reason == ':' || *reason == ' ')
		reason++;
	report->event.fatal = report->event.panics = true;
	report_field_text(report, "reason", reason, parse_trimmed(reason));
	smashed = parse_after(reason, "stack is corrupted in: ");
	length = smashed ? parse_function(smashed) : 0;
	if (length && smashed[length] == '+') {
		report->culprit = report_text(report, smashed, length);
		report->what = "panic: stack is corrupted";
		return true;
	}
	report->what = report_stable(report, *reason ? "panic: " : "panic", reason);
	report->whole_title = true;
	return true;
}

const struct report_parser parser_panic = {
	.begin = panic_begin,
	.patience = 40,
	.stack = true,
};

/* "VFS: Close: file count is 0 (f_op=...)": a file was closed once too often */
static bool file_count_begin(struct report *report, const struct line *line, const char *anchor)
{
	if (!parse_at_start(line, anchor) ||
	    !isdigit((unsigned char)anchor[strlen("VFS: Close: file count is ")]))
		return false;
	report->what = "VFS: Close: file count is zero";
	report->whole_title = true;
	return true;
}

const struct report_parser parser_file_count = {
	.begin = file_count_begin,
	.patience = 30,
	.stack = true,
};

/* "WARNING: kernel stack regs at (ptrval) in sh:4493 has bad 'bp' value (ptrval)" of the unwinder */
static bool unwinder_begin(struct report *report, const struct line *line, const char *anchor)
{
	if (!parse_at_start(line, anchor) ||
	    (parse_starts(anchor, "WARNING: kernel stack ") && !strstr(anchor, " has bad ")))
		return false;
	report->what = "kernel stack has bad values";
	report->whole_title = true;
	return true;
}

const struct report_parser parser_unwinder = {
	.begin = unwinder_begin,
	.patience = 10,
	.stack = true,
};
