// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/command.h"
#include "report/page.h"
#include "report/time_line.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NOT_READ    2
#define PIPE_WIDTH  100
#define DEFAULT_OUT "report.html"

static int terminal_width(void)
{
	struct winsize size;

	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : PIPE_WIDTH;
}

static void print_runs(const json_t *runs)
{
	const json_t *run;
	size_t i;

	json_array_foreach (runs, i, run) {
		if (i)
			putchar('\n');
		time_line_print(run, terminal_width(), stdout);
	}
}

static int write_page(const struct command_line *line, const json_t *runs)
{
	const char *path = command_option(line, "output");
	struct hl_error err = HL_ERROR_INIT;

	if (!path)
		path = DEFAULT_OUT;
	if (page_write(runs, path, &err))
		return command_error(line, NOT_READ, &err);
	printf("%s: open it in a browser\n", path);
	return 0;
}

static int run(const struct command_line *line)
{
	json_t *runs = json_array();
	int code = 0;

	for (size_t i = 0; !code && i < line->operand_count; i++) {
		struct hl_error err = HL_ERROR_INIT;
		json_t *one = NULL;

		if (time_line_load(line->operands[i], &one, &err))
			code = command_error(line, NOT_READ, &err);
		else
			json_array_append_new(runs, one);
	}
	if (!code && command_option(line, "text"))
		print_runs(runs);
	else if (!code)
		code = write_page(line, runs);
	json_decref(runs);
	return code;
}

static const struct command_option options[] = {
	{"output", 'o', "FILE", "the page; default: " DEFAULT_OUT},
	{"text", 't', NULL, "print the time line here instead"},
	{0},
};

const struct command command_report = {
	.name = "report",
	.summary = "show what happened in runs, as one HTML file or as text",
	.operands = "RUN...",
	.help = "RUN is the folder of a run (runs/latest is the newest). The page holds verdict, time line, "
		"stacks,\n"
		"checks, sysctls and the command to run it again; it needs no network and no other file.\n\n"
		"Exit code: 0, or 2 when a run could not be read or the page not be written.\n",
	.example = "hanglab report runs/latest\n"
		   "hanglab report -o freeze.html runs/fsfreeze-*\n"
		   "hanglab report --text runs/latest\n",
	.options = options,
	.fewest = 1,
	.most = SIZE_MAX,
	.run = run,
};
