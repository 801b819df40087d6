// SPDX-License-Identifier: GPL-2.0-or-later
/* The man page, made from the tables that --help reads too. */
#include "base/version.h"
#include "cmd/command.h"

#include <stdio.h>
#include <string.h>

/* Text for roff: a backslash or a hyphen stands for itself, and a dot begins no request. */
static void print_text(const char *text)
{
	bool at_start = true;

	for (; *text; text++) {
		if (at_start && (*text == '.' || *text == '\''))
			fputs("\\&", stdout);
		at_start = *text == '\n';
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

/* An empty line begins a paragraph. */
static void print_paragraphs(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		if (length)
			print_text(line);
		else
			fputs(".PP", stdout);
		putchar('\n');
		text += length + (text[length] == '\n');
	}
}

static void print_option(const struct command_option *option)
{
	fputs(".TP\n.B ", stdout);
	if (option->letter)
		printf("\\-%c, ", option->letter);
	fputs("\\-\\-", stdout);
	print_text(option->name);
	if (option->argument) {
		fputs(" \\fI", stdout);
		print_text(option->argument);
		fputs("\\fR", stdout);
	}
	putchar('\n');
	print_text(option->help);
	putchar('\n');
}

static void print_options(const struct command *command)
{
	const struct command_option *tables[COMMAND_OPTION_TABLES];

	command_option_tables(command, tables);
	for (size_t t = 0; t < COMMAND_OPTION_TABLES; t++)
		for (const struct command_option *option = tables[t]; option->name; option++)
			print_option(option);
}

static void print_command(const struct command *command)
{
	fputs(".SS \"hanglab ", stdout);
	print_text(command->name);
	fputs(" [OPTION]...", stdout);
	if (command->operands) {
		putchar(' ');
		print_text(command->operands);
	}
	fputs("\"\n", stdout);
	print_text(command->summary);
	fputs(".\n.PP\n", stdout);
	print_paragraphs(command->help);
	print_options(command);
	fputs(".PP\nExamples:\n.PP\n.EX\n", stdout);
	print_text(command->example);
	fputs(".EE\n", stdout);
}

static int run(const struct command_line *line)
{
	(void)line;
	fputs(".TH HANGLAB 1 \"\" \"hanglab " HANGLAB_VERSION "\" \"User Commands\"\n"
	      ".SH NAME\nhanglab \\- reproduce Linux lockups in a lab VM and confirm them from the kernel "
	      "log\n"
	      ".SH SYNOPSIS\n.B hanglab\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIOPERAND\\fR]...\n"
	      ".PP\n.B hanglab \\-\\-help\n|\n.B \\-\\-version\n"
	      ".SH DESCRIPTION\n"
	      "A scenario file says which kernel to boot in a lab VM, what to break and when, and what the "
	      "kernel\n"
	      "must then say. hanglab confirms that the fault was there, waits as long as the detectors "
	      "need, and\n"
	      "judges.\n"
	      ".SH COMMANDS\n",
	      stdout);
	for (const struct command *const *command = command_list_all(); *command; command++)
		print_command(*command);
	fputs(".SH \"EXIT STATUS\"\nOf commands that run scenarios: 0 PASS, 1 FAIL, 2 BROKEN, 77 SKIP. 64: "
	      "wrong "
	      "usage.\n"
	      ".SH FILES\n.TP\n.I ~/.cache/hanglab\nkernels and initramfs images\n"
	      ".TP\n.I runs/latest\nthe newest run\n",
	      stdout);
	return 0;
}

const struct command command_manual = {
	.name = "manual",
	.summary = "print the man page",
	.help = "In roff, as make install puts it under share/man.\n",
	.example = "hanglab manual | man -l -\n",
	.run = run,
};
