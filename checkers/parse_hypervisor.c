// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a hypervisor and its guests leave behind: Windows bugchecks, libvirt and QEMU logs. */

static const struct {
	unsigned int code;
	const char *name;
} bugchecks[] = {
	{0x0a, "IRQL_NOT_LESS_OR_EQUAL"},	  {0x1e, "KMODE_EXCEPTION_NOT_HANDLED"},
	{0x3b, "SYSTEM_SERVICE_EXCEPTION"},	  {0x50, "PAGE_FAULT_IN_NONPAGED_AREA"},
	{0x5c, "HAL_INITIALIZATION_FAILED"},	  {0x7a, "KERNEL_DATA_INPAGE_ERROR"},
	{0x7b, "INACCESSIBLE_BOOT_DEVICE"},	  {0x7e, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"},
	{0x7f, "UNEXPECTED_KERNEL_MODE_TRAP"},	  {0x80, "NMI_HARDWARE_FAILURE"},
	{0x9f, "DRIVER_POWER_STATE_FAILURE"},	  {0xd1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL"},
	{0xef, "CRITICAL_PROCESS_DIED"},	  {0x101, "CLOCK_WATCHDOG_TIMEOUT"},
	{0x109, "CRITICAL_STRUCTURE_CORRUPTION"}, {0x124, "WHEA_UNCORRECTABLE_ERROR"},
	{0x133, "DPC_WATCHDOG_VIOLATION"},	  {0x139, "KERNEL_SECURITY_CHECK_FAILURE"},
	{0x154, "UNEXPECTED_STORE_EXCEPTION"},	  {0x20001, "HYPERVISOR_ERROR"},
};

static void set_bugcheck(struct report *report, unsigned int code, const char *name, size_t name_length)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%x", code);
	report_field_text(report, "bugcheck", text, strlen(text));
	if (name_length)
		report_field_text(report, "name", name, name_length);
	for (size_t i = 0; i < sizeof(bugchecks) / sizeof(*bugchecks); i++)
		if (bugchecks[i].code == code)
			report_field_text(report, "name", bugchecks[i].name, strlen(bugchecks[i].name));
	report->event.fatal = report->event.panics = true;
}

static void add_argument(struct report *report, uint64_t value)
{
	json_t *fields = report_fields(report);
	char text[24];

	if (fields && !json_object_get(fields, "arguments"))
		json_object_set_new(fields, "arguments", json_array());
	if (json_array_size(json_object_get(fields, "arguments")) >= 4)
		return;
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	json_array_append_new(json_object_get(fields, "arguments"), json_string(text));
}

/* "NAME_OF_BUGCHECK (101)" anywhere in @text. */
static bool take_name(struct report *report, const char *text)
{
	for (const char *open = strstr(text, " ("); open; open = strstr(open + 2, " (")) {
		const char *name = open;
		uint64_t code;
		const char *end = parse_hex(open + 2, &code);

		while (name > text && (isupper((unsigned char)name[-1]) || isdigit((unsigned char)name[-1]) ||
				       name[-1] == '_'))
			name--;
		if (!end || *end != ')' || open - name < 6 || !memchr(name, '_', (size_t)(open - name)))
			continue;
		set_bugcheck(report, (unsigned int)code, name, (size_t)(open - name));
		return true;
	}
	return false;
}

/* "Arg1: 00000061, Clock interrupt ..." up to Arg4, in one line or in several; "`" parts 64-bit numbers. */
static bool take_arguments(struct report *report, const char *text)
{
	bool any = false;

	for (const char *at = strstr(text, "Arg"); at; at = strstr(at + 3, "Arg")) {
		uint64_t high, low;
		const char *end;

		if (!isdigit((unsigned char)at[3]) || at[4] != ':' ||
		    !(end = parse_hex(at + 5 + strspn(at + 5, " "), &high)))
			continue;
		if (*end == '`' && parse_hex(end + 1, &low))
			high = high << 32 | low;
		add_argument(report, high);
		any = true;
	}
	return any;
}

static bool has_bugcheck(struct report *report)
{
	return report_field(report, "bugcheck") != NULL;
}

/* Other lines of "!analyze -v" that say something, "KEY:  value". */
static bool take_analysis(struct report *report, const char *text)
{
	static const char *const keys[] = {"PROCESS_NAME", "MODULE_NAME", "IMAGE_NAME", "BUGCHECK_STR",
					   "DEFAULT_BUCKET_ID"};
	bool any = false;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *value = parse_after(text, keys[i]);
		char name[32];

		if (!value || *value != ':')
			continue;
		value += 1 + strspn(value + 1, " ");
		for (size_t j = 0; j <= strlen(keys[i]); j++)
			name[j] = (char)tolower((unsigned char)keys[i][j]);
		report_field_text(report, name, value, strcspn(value, " "));
		any = true;
	}
	return any;
}

static bool analyze_more(struct report *report, const struct line *line)
{
	bool named = !has_bugcheck(report) && take_name(report, line->text);
	bool arguments = take_arguments(report, line->text);

	return take_analysis(report, line->text) || named || arguments ||
	       strstr(line->text, "Debugging Details") || strstr(line->text, "Arguments:") ||
	       parse_starts(line->text, "***") || strstr(line->text, "nt!");
}

/* The banner of "!analyze -v"; in a log that lost its line ends everything follows in the same line. */
static bool analyze_begin(struct report *report, const struct line *line, const char *anchor)
{
	(void)line;
	report->what = "Windows bugcheck";
	take_name(report, anchor);
	take_arguments(report, anchor);
	take_analysis(report, anchor);
	return true;
}

/* "CLOCK_WATCHDOG_TIMEOUT (101) ... Arg1: ..." without the banner */
static bool bugcheck_text_begin(struct report *report, const struct line *line, const char *anchor)
{
	if (report->before && report->before->event.kind == HL_EVENT_CLOCK_WATCHDOG &&
	    !report_field(report->before, "arguments"))
		return false;
	report->what = "Windows bugcheck";
	if (!take_name(report, *anchor == 'A' ? line->text : anchor))
		return false;
	take_arguments(report, anchor);
	return true;
}

static void bugcheck_finish(struct report *report)
{
	const char *code = json_string_value(report_field(report, "bugcheck"));
	const char *name = json_string_value(report_field(report, "name"));
	char what[120];

	if (!code) {
		report->dropped = true;
		return;
	}
	snprintf(what, sizeof(what), "Windows bugcheck %s%s%s", code, name ? " " : "", name ? name : "");
	report->what = report_text(report, what, strlen(what));
	report->whole_title = true;
}

const struct report_parser parser_analyze = {
	.begin = analyze_begin,
	.more = analyze_more,
	.finish = bugcheck_finish,
	.patience = 10,
};

const struct report_parser parser_bugcheck_text = {
	.begin = bugcheck_text_begin,
	.more = analyze_more,
	.finish = bugcheck_finish,
	.patience = 6,
};

/*
 * "BugCheck 101, {61, 0, 807a3120, 1}" (debugger), "The bugcheck was: 0x00000101 (0x61, 0x0, ...)" (event
 * log),
 * "*** STOP: 0x00000101 (0x61,0x0,...)" (blue screen): a code and a list of numbers.
 */
static bool bugcheck_code_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *text = anchor + strlen(report->signature->anchor);
	uint64_t code, value;

	(void)line;
	text = parse_hex(text, &code);
	if (!text || code > 0xffffffff)
		return false;
	text += strspn(text, ", ");
	if (*text != '{' && *text != '(')
		return false;
	set_bugcheck(report, (unsigned int)code, NULL, 0);
	for (text++; *text && *text != '}' && *text != ')';) {
		const char *hex = parse_starts(text, "0x");
		const char *end = parse_hex(hex ? hex : text, &value);

		if (!end)
			break;
		add_argument(report, value);
		text = end + strspn(end, ", ");
	}
	report->what = "Windows bugcheck";
	return true;
}

const struct report_parser parser_bugcheck_code = {
	.begin = bugcheck_code_begin,
	.finish = bugcheck_finish,
};

/* libvirt: "panic hyper-v: arg1='0x101', arg2='0x61', arg3='0x0', arg4='...', arg5='...'" */
static bool hyperv_panic_begin(struct report *report, const struct line *line, const char *anchor)
{
	uint64_t value;
	bool first = true;

	(void)line;
	for (const char *at = strstr(anchor, "='"); at; at = strstr(at + 2, "='")) {
		const char *hex = parse_starts(at + 2, "0x");

		if (!parse_hex(hex ? hex : at + 2, &value))
			return false;
		if (first)
			set_bugcheck(report, (unsigned int)value, NULL, 0);
		else
			add_argument(report, value);
		first = false;
	}
	report->what = "Windows bugcheck";
	return !first;
}

const struct report_parser parser_hyperv_panic = {
	.begin = hyperv_panic_begin,
	.finish = bugcheck_finish,
};

/* "2017-03-15 06:03:48.180+0000: 13914: error : qemuMonitorIO:689 : internal error: End of file from monitor"
 */
static bool libvirt_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *function = anchor + strlen(": error : ");
	size_t length = parse_function(function);
	const char *message;
	const char *thread = anchor;

	while (thread > line->text && isdigit((unsigned char)thread[-1]))
		thread--;
	if (thread == anchor || !length || function[length] != ':' ||
	    !isdigit((unsigned char)function[length + 1]))
		return false;
	message = parse_after(function + length, " : ");
	if (!message)
		return false;
	report_field_text(report, "message", message, parse_trimmed(message));
	report_field_text(report, "origin", "libvirt", 7);
	report->culprit = report_text(report, function, length);
	report->what = report_stable(report, "libvirt: ", message);
	report->whole_title = true;
	return true;
}

const struct report_parser parser_libvirt = {.begin = libvirt_begin};

/* QEMU: the message is the title. */
static bool qemu_begin(struct report *report, const struct line *line, const char *anchor)
{
	(void)line;
	report_field_text(report, "origin", "QEMU", 4);
	report_field_text(report, "message", anchor, parse_trimmed(anchor));
	report->what = report_stable(report, "QEMU: ", anchor);
	report->whole_title = true;
	return true;
}

const struct report_parser parser_qemu = {.begin = qemu_begin};
