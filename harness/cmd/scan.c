// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/input.h"
#include "checkers/scanner.h"
#include "checkers/symbols.h"
#include "cmd/command.h"
#include "report/events.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char output_buffer[256 * 1024];

enum exit_code {
	NO_EVENTS = 0,
	EVENTS_FOUND = 1,
	NOT_READ = 2,
};

/**
 * struct scan - what one "hanglab scan" carries from file to file
 * @wanted: which kinds are printed
 * @output: how they are printed
 * @symbols: for file and line of frames, or NULL
 * @found: number of events of the wanted kinds
 */
struct scan {
	bool wanted[HL_EVENT_KIND_COUNT];
	struct event_output *output;
	struct hl_symbols *symbols;
	size_t found;
};

static int on_event(const struct hl_event *event, void *data)
{
	struct scan *scan = data;
	struct hl_event resolved;
	int status;

	if (!scan->wanted[event->kind])
		return 0;
	scan->found++;
	if (!scan->symbols)
		return event_output_add(scan->output, event);
	status = hl_symbols_resolve(scan->symbols, event, &resolved);
	if (status)
		return status;
	status = event_output_add(scan->output, &resolved);
	hl_event_free(&resolved);
	return status;
}

/* "--kind hung_task,soft_lockup --kind panic" */
static int choose_kinds(const struct command_line *line, struct scan *scan)
{
	const char *list;
	size_t position = 0;
	bool any = false;

	while ((list = command_option_next(line, "kind", &position))) {
		while (*list) {
			size_t length = strcspn(list, ",");
			char name[64];
			enum hl_event_kind kind;
			struct hl_error err = HL_ERROR_INIT;

			snprintf(name, sizeof(name), "%.*s", (int)length, list);
			if (hl_event_kind_parse(name, &kind, &err))
				return command_usage_error(line, "--kind: %s", err.text);
			scan->wanted[kind] = any = true;
			list += length + (list[length] == ',');
		}
	}
	for (int kind = 0; !any && kind < HL_EVENT_KIND_COUNT; kind++)
		scan->wanted[kind] = true;
	return 0;
}

static int scan_file(struct scan *scan, const char *path, bool follow, const struct hl_prefilter *prefilter,
		     struct hl_error *err)
{
	struct hl_log_options options = {.prefilter = prefilter};
	struct hl_log *log;
	int status = hl_log_open(&log, &options, on_event, scan, err);

	if (status)
		return status;
	event_output_file(scan->output, path);
	/* Nothing for a second: what a detector had to say is said. */
	status = follow ? hl_input_follow(log, path, 1.0, err) : hl_input_read(log, path, err);
	hl_log_close(log);
	return status;
}

static int scan_files(const struct command_line *line, struct scan *scan)
{
	bool follow = command_option(line, "follow") != NULL;
	struct hl_scanner *scanner = NULL;
	int code = NO_EVENTS;

	/* Without Hyperscan (old CPU) every line is read, which gives the same events. */
	hl_scanner_open(&scanner, NULL);
	for (size_t i = 0; i < line->operand_count; i++) {
		struct hl_error err = HL_ERROR_INIT;

		if (scan_file(scan, line->operands[i], follow, hl_scanner_prefilter(scanner), &err))
			code = command_error(line, NOT_READ, &err);
	}
	hl_scanner_close(scanner);
	return code == NO_EVENTS && scan->found ? EVENTS_FOUND : code;
}

static int run(const struct command_line *line)
{
	struct scan scan = {0};
	struct hl_error err = HL_ERROR_INIT;
	struct event_output_options options = {
		.format = command_option(line, "format"),
		.summary = command_option(line, "summary") != NULL,
		.verbose = command_option(line, "verbose") != NULL,
		.live = command_option(line, "follow") != NULL,
		.name_files = line->operand_count > 1,
		.out = stdout,
	};
	const char *vmlinux = command_option(line, "vmlinux");
	int code = choose_kinds(line, &scan);

	if (code)
		return code;
	/* Many events: few system calls. Without a buffer of ours the C library takes one block, whatever is
	 * asked. */
	if (!options.live && !isatty(STDOUT_FILENO))
		setvbuf(stdout, output_buffer, _IOFBF, sizeof(output_buffer));
	if (options.live && line->operand_count != 1)
		return command_usage_error(line, "--follow takes one file");
	if (event_output_open(&scan.output, &options, &err))
		return command_usage_error(line, "%s", err.text);
	if (vmlinux && hl_symbols_open(&scan.symbols, vmlinux, &err))
		code = command_error(line, NOT_READ, &err);
	else
		code = scan_files(line, &scan);
	event_output_close(scan.output);
	hl_symbols_close(scan.symbols);
	return code;
}

static const struct command_option options[] = {
	{"format", 'f', "FORMAT",
	 "pretty (default on a terminal), jsonl (default in a pipe), json, ktap, junit"},
	{"kind", 'k', "KIND", "only events of this kind; may be repeated or a comma-separated list"},
	{"summary", 's', NULL, "group events by title and count them"},
	{"follow", 'F', NULL, "go on reading what is appended to the file"},
	{"vmlinux", 0, "FILE",
	 "vmlinux or -dbg package: print file and line of each frame, and inlined callers"},
	{"verbose", 'v', NULL, "pretty: print whole stacks"},
	{0},
};

const struct command command_scan = {
	.name = "scan",
	.summary = "turn kernel logs into events",
	.operands = "FILE...",
	.help = "Reads dmesg, syslog, serial console and journal output, plain or compressed (gzip, xz, "
		"zstd) and\n"
		"journal exports (journalctl -o export); \"-\" is standard input. Prints what happened: "
		"lockups,\n"
		"stalls, panics, oopses, storage and hardware errors, and the function to blame.\n\n"
		"Exit code: 0 no events, 1 events found, 2 a file could not be read.\n",
	.example = "hanglab scan /var/log/messages\n"
		   "hanglab scan --summary --kind hung_task,soft_lockup console.log.gz\n"
		   "dmesg | hanglab scan --format json -\n",
	.options = options,
	.fewest = 1,
	.most = SIZE_MAX,
	.run = run,
};
