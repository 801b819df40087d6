/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CMD_COMMAND_H
#define HANGLAB_CMD_COMMAND_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/** Exit code of a wrong command line (sysexits.h: EX_USAGE). */
#define EXIT_USAGE 64

/**
 * struct command_option - one option of a command
 * @name: long name without the dashes
 * @letter: short form, 0 for none
 * @argument: what its argument is called in the help ("N", "DIR"), NULL for a switch
 * @help: one line
 *
 * Tables end with an entry whose name is NULL.
 */
struct command_option {
	const char *name;
	char letter;
	const char *argument;
	const char *help;
};

struct command_line;

/**
 * struct command - a subcommand of hanglab; lives at the bottom of harness/cmd/NAME.c and has a line in
 * list.def
 * @name: the word on the command line
 * @summary: one line for "hanglab --help"
 * @operands: what follows the options in the usage line, e.g. "SCENARIO..."
 * @help: paragraphs for "hanglab NAME --help"
 * @example: command lines, one per line, each starting with "hanglab"
 * @options: its own options, or NULL
 * @shared: options it shares with other commands (see command_run_options), or NULL
 * @fewest, @most: how many operands it takes; @most 0 with @fewest 0 is none, SIZE_MAX no limit
 * @run: does the work; returns the exit code
 */
struct command {
	const char *name, *summary, *operands, *help, *example;
	const struct command_option *options, *shared;
	size_t fewest, most;
	int (*run)(const struct command_line *line);
};

/**
 * struct command_line - a parsed command line; everything in it points into argv
 * @command: which command
 * @operands: what is not an option
 * @operand_count: how many
 * @given: the options in the order given
 * @given_count: how many
 */
struct command_line {
	const struct command *command;
	const char *const *operands;
	size_t operand_count;
	struct command_given {
		const char *name, *value;
	} * given;
	size_t given_count;
};

/** Options of every command that runs scenarios (design: --kernel, --sysctl, --seed ...). */
extern const struct command_option command_run_options[];

/** command_list_all() - all commands, NULL-terminated, in the order of list.def */
const struct command *const *command_list_all(void);

/** Number of tables that command_option_tables() gives. */
#define COMMAND_OPTION_TABLES 3

/** command_option_tables() - the tables of options that apply to a command, in the order of its help */
void command_option_tables(const struct command *command,
			   const struct command_option *tables[COMMAND_OPTION_TABLES]);

/** command_option() - the last value given for an option ("" for a switch), or NULL */
const char *command_option(const struct command_line *line, const char *name);

/**
 * command_option_next() - iterate over the values of an option that may be repeated
 * @position: 0 at first; advanced
 *
 * Return: the next value or NULL.
 */
const char *command_option_next(const struct command_line *line, const char *name, size_t *position);

/**
 * command_main() - find the command, parse, answer --help, run
 *
 * Return: exit code of the process.
 */
int command_main(int argc, char **argv);

/**
 * command_usage_error() - print "hanglab NAME: text" and where to find help on standard error
 *
 * Return: EXIT_USAGE.
 */
int command_usage_error(const struct command_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * command_error() - print "hanglab NAME: message" on standard error
 *
 * Return: @exit_code.
 */
int command_error(const struct command_line *line, int exit_code, const struct hl_error *err);

#endif
