// SPDX-License-Identifier: GPL-2.0-or-later
/* Shell completion, made from the tables that --help reads too. */
#include "cmd/command.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "pretty|json" is a choice, "a|b [NAME]" too as far as the first blank; "FILE..." is not. */
static bool is_choice(const char *text)
{
	return text && islower((unsigned char)text[0]) && strchr(text, '|');
}

static void print_choice(const char *text)
{
	for (; *text && *text != ' '; text++)
		putchar(*text == '|' ? ' ' : *text);
}

static void each_option(const struct command *command,
			void (*print)(const struct command *command, const struct command_option *option))
{
	const struct command_option *tables[COMMAND_OPTION_TABLES];

	command_option_tables(command, tables);
	for (size_t t = 0; t < COMMAND_OPTION_TABLES; t++)
		for (const struct command_option *option = tables[t]; option->name; option++)
			print(command, option);
}

/* ---- bash ---- */

static void bash_option_words(const struct command *command, const struct command_option *option)
{
	(void)command;
	printf(" --%s", option->name);
}

static void bash_option_values(const struct command *command, const struct command_option *option)
{
	if (!option->argument)
		return;
	printf("\t'%s --%s'", command->name, option->name);
	if (option->letter)
		printf(" | '%s -%c'", command->name, option->letter);
	fputs(") words='", stdout);
	if (is_choice(option->argument))
		print_choice(option->argument);
	fputs("' ;;\n", stdout);
}

static void print_bash(void)
{
	const struct command *const *command;

	fputs("# bash completion of hanglab: source <(hanglab completion bash)\n"
	      "_hanglab()\n{\n\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - "
	      "1]}\n"
	      "\tlocal command=${COMP_WORDS[1]} words=\n\n\tif ((COMP_CWORD == 1)); then\n\t\twords='--help "
	      "--version",
	      stdout);
	for (command = command_list_all(); *command; command++)
		printf(" %s", (*command)->name);
	fputs("'\n\telse\n\tcase \"$command $previous\" in\n", stdout);
	for (command = command_list_all(); *command; command++)
		each_option(*command, bash_option_values);
	fputs("\t*)\n\tcase \"$command $current\" in\n", stdout);
	for (command = command_list_all(); *command; command++) {
		printf("\t'%s -'*) words='", (*command)->name);
		each_option(*command, bash_option_words);
		fputs("' ;;\n", stdout);
	}
	for (command = command_list_all(); *command; command++) {
		if (!is_choice((*command)->operands))
			continue;
		printf("\t'%s '*) ((COMP_CWORD == 2)) && words='", (*command)->name);
		print_choice((*command)->operands);
		fputs("' ;;\n", stdout);
	}
	fputs("\tesac ;;\n\tesac\n\tfi\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
	      "\"$current\")\n}\n"
	      "complete -o default -F _hanglab hanglab\n",
	      stdout);
}

/* ---- zsh ---- */

/* Inside '...' and [...] of a specification. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text == '\n' ? ' ' : *text);
	}
}

static void zsh_option(const struct command *command, const struct command_option *option)
{
	(void)command;
	fputs(" \\\n\t\t", stdout);
	if (option->letter)
		printf("{-%c,--%s}", option->letter, option->name);
	else
		printf("--%s", option->name);
	fputs("'[", stdout);
	zsh_text(option->help);
	putchar(']');
	if (option->argument) {
		putchar(':');
		zsh_text(option->argument);
		putchar(':');
		if (is_choice(option->argument)) {
			putchar('(');
			print_choice(option->argument);
			putchar(')');
		} else {
			fputs("_files", stdout);
		}
	}
	putchar('\'');
}

static void print_zsh(void)
{
	const struct command *const *command;

	fputs("#compdef hanglab\n"
	      "_hanglab()\n{\n\tlocal -a commands=(",
	      stdout);
	for (command = command_list_all(); *command; command++) {
		printf("\n\t\t'%s:", (*command)->name);
		zsh_text((*command)->summary);
		putchar('\'');
	}
	fputs(")\n\n\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
	      "\tshift words\n\t((CURRENT--))\n\tcase $words[1] in\n",
	      stdout);
	for (command = command_list_all(); *command; command++) {
		printf("\t%s) _arguments -s", (*command)->name);
		each_option(*command, zsh_option);
		if (is_choice((*command)->operands)) {
			fputs(" \\\n\t\t'1:what:(", stdout);
			print_choice((*command)->operands);
			fputs(")'", stdout);
		}
		fputs(" \\\n\t\t'*:file:_files' ;;\n", stdout);
	}
	fputs("\tesac\n}\n_hanglab \"$@\"\n", stdout);
}

static int run(const struct command_line *line)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}};

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(line->operands[0], shells[i].name)) {
			shells[i].print();
			return 0;
		}
	return command_usage_error(line, "unknown shell '%s': bash or zsh", line->operands[0]);
}

const struct command command_completion = {
	.name = "completion",
	.summary = "print the completion script of a shell",
	.operands = "bash|zsh",
	.help = "Completes commands, options and the words that an option takes.\n",
	.example = "hanglab completion bash > ~/.local/share/bash-completion/completions/hanglab\n"
		   "hanglab completion zsh > \"${fpath[1]}/_hanglab\"\n",
	.fewest = 1,
	.most = 1,
	.run = run,
};
