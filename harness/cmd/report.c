// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/report.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cmd/command.h"
#include "compare/grid.h"
#include "report/page.h"
#include "report/time_line.h"
#include "sweep/sweep.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOT_READ    2
#define PIPE_WIDTH  100
#define DEFAULT_OUT "report.html"

static int terminal_width(void)
{
	struct winsize size;

	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : PIPE_WIDTH;
}

static bool has_form(const json_t *one, const char *form)
{
	return !strcmp(result_text(one, "form"), form);
}

static void print_matrix(const json_t *matrix)
{
	struct grid grid cleanup_with(grid_clear) = {.baseline = -1};

	grid_load(&grid, matrix);
	grid_print(&grid, stdout);
}

static void print_one(const json_t *one)
{
	json_t *printable = results_printable(one);

	if (has_form(one, "sweep"))
		sweep_print(printable, stdout);
	else if (has_form(one, "matrix"))
		print_matrix(printable);
	else
		time_line_print(one, terminal_width(), stdout);
	json_decref(printable);
}

static void print_runs(const json_t *runs)
{
	const json_t *run;
	size_t i;

	json_array_foreach (runs, i, run) {
		if (i)
			putchar('\n');
		print_one(run);
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

/* What "sweep" or "matrix" left as JSON. */
static int load_comparison(const char *path, json_t **one, struct hl_error *err)
{
	cleanup_free char *text = NULL;
	json_error_t why;
	size_t size;
	int r = file_read(path, &text, &size, err);

	if (r)
		return r;
	*one = json_loadb(text, size, 0, &why);
	if (!*one)
		return hl_error_set(err, EINVAL, "%s:%d: %s", path, why.line, why.text);
	if (!has_form(*one, "sweep") && !has_form(*one, "matrix"))
		return hl_error_set(err, EINVAL,
				    "%s is neither a run folder nor the JSON of hanglab sweep or matrix",
				    path);
	return 0;
}

static int load_one(const char *path, json_t **one, struct hl_error *err)
{
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode) ? load_comparison(path, one, err)
							       : time_line_load(path, one, err);
}

static int run(const struct command_line *line)
{
	json_t *runs = json_array();
	int code = 0;

	for (size_t i = 0; !code && i < line->operand_count; i++) {
		struct hl_error err = HL_ERROR_INIT;
		json_t *one = NULL;

		if (load_one(line->operands[i], &one, &err))
			code = command_error(line, NOT_READ, &err);
		else
			json_array_append(runs, one);
		json_decref(one);
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
	.summary = "show runs, sweeps and matrices as one HTML file or as text",
	.operands = "RUN|FILE...",
	.help = "RUN is the folder of a run (runs/latest is the newest). The page holds verdict, time line, "
		"stacks,\n"
		"checks, sysctls and the command to run it again; it needs no network and no other file.\n\n"
		"FILE is the JSON of hanglab sweep or hanglab matrix: shown as table and curves.\n\n"
		"Exit code: 0, or 2 when a run could not be read or the page not be written.\n",
	.example = "hanglab report runs/latest\n"
		   "hanglab report -o freeze.html runs/fsfreeze-*\n"
		   "hanglab report --text runs/latest\n"
		   "hanglab report runs/sweep-*.json\n",
	.options = options,
	.fewest = 1,
	.most = SIZE_MAX,
	.run = run,
};
