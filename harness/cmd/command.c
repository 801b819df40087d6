// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/command.h"

#include "base/cleanup.h"
#include "base/similar.h"
#include "base/version.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define COMMAND(name) extern const struct command command_##name;
#include "cmd/list.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cmd/list.def"
#undef COMMAND
	NULL,
};

static const struct command_option common_options[] = {
	{"help", 'h', NULL, "show this help"},
	{NULL, 0, NULL, NULL},
};

const struct command_option command_run_options[] = {
	{"kernel", 'k', "NAME",
	 "kernel of the lab VM (see hanglab kernel list); default: the scenario's, else debian"},
	{"sysctl", 's', "KEY=VALUE", "set a sysctl of the guest over the scenario's; may be repeated"},
	{"seed", 0, "N", "seed of everything random in the run; default 1"},
	{"clock", 0, "virtual|real", "run in virtual or in real time; default: the scenario's"},
	{"accel", 0, "auto|kvm|tcg", "accelerator; auto takes KVM only in real time and after a probe boot"},
	{"postmortem", 0, "auto|hang|off",
	 "when to keep the guest's memory for hanglab postmortem; default: the scenario's, else auto"},
	{"warm", 'w', NULL, "start from a snapshot of the guest at \"ready\"; the first such run makes it"},
	{"repeat", 'r', "N", "run each scenario N times; the seed counts up"},
	{"jobs", 'j', "N", "run N VMs at a time; default 1"},
	{"out", 'o', "DIR", "where run directories go; default runs"},
	{"format", 'f', "pretty|json|ktap|junit", "form of the results; default pretty"},
	{"dry-run", 'n', NULL, "print the plan and the QEMU command line, start nothing"},
	{"timeout-multiplier", 0, "X", "stretch the harness's own deadlines on a slow machine; default 1"},
	{"verbose", 'v', NULL, "print every kernel event and every step"},
	{NULL, 0, NULL, NULL},
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

const struct command *const *command_list_all(void)
{
	return commands;
}

void command_option_tables(const struct command *command,
			   const struct command_option *tables[COMMAND_OPTION_TABLES])
{
	static const struct command_option none[] = {{NULL, 0, NULL, NULL}};

	tables[0] = command->options ? command->options : none;
	tables[1] = command->shared ? command->shared : none;
	tables[2] = common_options;
}

static void print_options(const struct command *command)
{
	const struct command_option *tables[COMMAND_OPTION_TABLES];

	command_option_tables(command, tables);
	printf("\nOptions:\n");
	for (size_t t = 0; t < COMMAND_OPTION_TABLES; t++)
		for (const struct command_option *option = tables[t]; option->name; option++) {
			char left[64];

			snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument ? " " : "",
				 option->argument ? option->argument : "");
			printf("  %c%c%c %-34s %s\n", option->letter ? '-' : ' ',
			       option->letter ? option->letter : ' ', option->letter ? ',' : ' ', left,
			       option->help);
		}
}

static void print_indented(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		printf("  %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static void print_command_help(const struct command *command)
{
	printf("hanglab %s: %s\n\nUsage: hanglab %s [OPTION]...%s%s\n\n%s", command->name, command->summary,
	       command->name, command->operands ? " " : "", command->operands ? command->operands : "",
	       command->help);
	print_options(command);
	printf("\nExamples:\n");
	print_indented(command->example);
}

static void print_overview(void)
{
	printf("hanglab reproduces Linux lockups in a lab VM and confirms them from the kernel's own log.\n\n"
	       "Usage: hanglab COMMAND [OPTION]... [OPERAND]...\n"
	       "       hanglab --help | --version\n\nCommands:\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n\"hanglab COMMAND --help\" explains a command.\n"
	       "Exit codes of commands that run scenarios: 0 PASS, 1 FAIL, 2 BROKEN, 77 SKIP; 64 wrong "
	       "usage.\n");
}

static int unknown_command(const char *name)
{
	const char *names[sizeof(commands) / sizeof(commands[0])], *near;
	size_t count = 0;

	for (; commands[count]; count++)
		names[count] = commands[count]->name;
	near = similar_find(name, names, count);
	fprintf(stderr, "hanglab: unknown command '%s'%s%s%s\n", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "; see hanglab --help");
	return EXIT_USAGE;
}

const char *command_option_next(const struct command_line *line, const char *name, size_t *position)
{
	while (*position < line->given_count) {
		const struct command_given *given = &line->given[(*position)++];

		if (!strcmp(given->name, name))
			return given->value;
	}
	return NULL;
}

const char *command_option(const struct command_line *line, const char *name)
{
	const char *value, *last = NULL;
	size_t position = 0;

	while ((value = command_option_next(line, name, &position)))
		last = value;
	return last;
}

int command_usage_error(const struct command_line *line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "hanglab %s: ", line->command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nSee hanglab %s --help.\n", line->command->name);
	return EXIT_USAGE;
}

int command_error(const struct command_line *line, int exit_code, const struct hl_error *err)
{
	fprintf(stderr, "hanglab %s: %s\n", line->command->name, err->text);
	return exit_code;
}

/* getopt's tables, made from ours. @known holds the entry behind each long option. */
struct getopt_tables {
	struct option *options;
	const struct command_option **known;
	char *letters;
};

static void free_tables(struct getopt_tables *tables)
{
	free(tables->options);
	free(tables->known);
	free(tables->letters);
}

static void make_tables(const struct command *command, struct getopt_tables *made)
{
	const struct command_option *tables[COMMAND_OPTION_TABLES];
	size_t count = 0, letters = 0;

	command_option_tables(command, tables);
	for (size_t t = 0; t < COMMAND_OPTION_TABLES; t++)
		for (const struct command_option *option = tables[t]; option->name; option++)
			count++;
	made->options = calloc(count + 1, sizeof(*made->options));
	made->known = calloc(count + 1, sizeof(const struct command_option *));
	made->letters = calloc(2 * count + 3, 1);
	if (!made->options || !made->known || !made->letters)
		abort();
	count = 0;
	made->letters[letters++] = ':';
	for (size_t t = 0; t < COMMAND_OPTION_TABLES; t++)
		for (const struct command_option *option = tables[t]; option->name; option++) {
			made->known[count] = option;
			made->options[count].name = option->name;
			made->options[count].has_arg = option->argument ? required_argument : no_argument;
			count++;
			if (!option->letter)
				continue;
			made->letters[letters++] = option->letter;
			if (option->argument)
				made->letters[letters++] = ':';
		}
}

static const struct command_option *find_letter(const struct getopt_tables *tables, int letter)
{
	for (const struct command_option **known = tables->known; *known; known++)
		if ((*known)->letter == letter)
			return *known;
	return NULL;
}

/* @word is the whole argument; getopt's optopt names the letter where it is a group of letters. */
static int unknown_option(const struct command_line *line, const struct getopt_tables *tables,
			  const char *word)
{
	cleanup_free char *name = strndup(word, strcspn(word, "="));
	const char *names[64], *near = NULL;
	size_t count = 0;

	if (optopt)
		return command_usage_error(line, "unknown option '-%c'", optopt);
	for (; count < 64 && tables->known[count]; count++)
		names[count] = tables->known[count]->name;
	if (name && !strncmp(name, "--", 2))
		near = similar_find(name + 2, names, count);
	if (near && !strcmp(near, name + 2))
		return command_usage_error(line, "option '%s' takes no value", name);
	if (near)
		return command_usage_error(line, "unknown option '%s'; did you mean '--%s'?", name, near);
	return command_usage_error(line, "unknown option '%s'", word);
}

/* Return: 0 to go on, else the exit code plus 1 (so that exit code 0 of --help can be told apart). */
static int parse(struct command_line *line, int argc, char **argv)
{
	struct getopt_tables tables cleanup_with(free_tables) = {NULL, NULL, NULL};
	int letter, index;

	make_tables(line->command, &tables);
	opterr = 0;
	while (index = -1, (letter = getopt_long(argc, argv, tables.letters, tables.options, &index)) != -1) {
		const struct command_option *option;

		if (letter == ':')
			return 1 + command_usage_error(line, "option '%s' needs a value", argv[optind - 1]);
		if (letter == '?')
			return 1 + unknown_option(line, &tables, argv[optind - 1]);
		option = index >= 0 ? tables.known[index] : find_letter(&tables, letter);
		if (!strcmp(option->name, "help")) {
			print_command_help(line->command);
			return 1;
		}
		line->given[line->given_count].name = option->name;
		line->given[line->given_count++].value = optarg ? optarg : "";
	}
	line->operands = (const char *const *)argv + optind;
	line->operand_count = (size_t)(argc - optind);
	if (line->operand_count < line->command->fewest)
		return 1 + command_usage_error(line, "expected %s", line->command->operands);
	if (line->operand_count > line->command->most)
		return 1 + command_usage_error(line, "unexpected '%s'", line->operands[line->command->most]);
	return 0;
}

int command_main(int argc, char **argv)
{
	struct command_line line = {0};
	cleanup_free struct command_given *given = NULL;
	size_t most = 1;
	int r;

	/* One argument may hold many switches: -vvv. */
	for (int i = 0; i < argc; i++)
		most += strlen(argv[i]) + 1;
	given = calloc(most, sizeof(*given));
	if (!given)
		abort();
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		if (argc > 2 && find_command(argv[2]))
			print_command_help(find_command(argv[2]));
		else
			print_overview();
		return argc < 2 ? EXIT_USAGE : 0;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("hanglab " HANGLAB_VERSION);
		return 0;
	}
	line.command = find_command(argv[1]);
	if (!line.command)
		return unknown_command(argv[1]);
	line.given = given;
	r = parse(&line, argc - 1, argv + 1);
	return r ? r - 1 : line.command->run(&line);
}
