// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "cmd/cells.h"
#include "cmd/scenario_options.h"
#include "compare/verify_judge.h"
#include "vm-images/kernel_store.h"

#include <string.h>

#define REPEAT 5

static void print_json(enum verdict verdict, const char *text, const json_t *results)
{
	json_t *json = json_pack("{s:s, s:s, s:O}", "verdict", verdict_name(verdict), "reason", text,
				 "results", (json_t *)results);

	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(json);
}

static int judge(const struct cells *cells, const char *path, const char *broken, const char *fixed,
		 const json_t *results)
{
	struct tally on_broken = cells_tally(cells, results, path, broken);
	struct tally on_fixed = cells_tally(cells, results, path, fixed);
	const char *format = command_option(cells->line, "format");
	char text[1200];
	enum verdict verdict = verify_judge(&on_broken, &on_fixed, text, sizeof(text));

	if (format && !strcmp(format, "json"))
		print_json(verdict, text, results);
	else
		printf("%s  %s\n", verdict_name(verdict), text);
	return verdict_exit_code(verdict);
}

/* 0 when they are two kernels, else the exit code, after a message. */
static int check_different(const struct command_line *line, const char *broken, const char *fixed)
{
	cleanup_with(kernel_cleanup) struct kernel *one = NULL, *other = NULL;
	struct hl_error err = HL_ERROR_INIT;

	if (kernel_store_find(broken, &one, &err) || kernel_store_find(fixed, &other, &err))
		return command_error(line, verdict_exit_code(VERDICT_BROKEN), &err);
	if (strcmp(one->sha256, other->sha256))
		return 0;
	printf("FAIL  --broken and --fixed are the same kernel, %s: it cannot be both\n", one->name);
	return verdict_exit_code(VERDICT_FAIL);
}

static int run_both(struct cells *cells, const char *path, const char *broken, const char *fixed,
		    size_t repeat)
{
	json_t *results = NULL;
	int code;

	cells_add(cells, path, broken, repeat);
	cells_add(cells, path, fixed, repeat);
	code = cells_check(cells);
	if (!code)
		code = check_different(cells->line, broken, fixed);
	if (!code)
		code = cells_run(cells, &results);
	if (!code)
		code = judge(cells, path, broken, fixed, results);
	json_decref(results);
	return code;
}

static int verify(const struct command_line *line)
{
	const char *broken = command_option(line, "broken"), *fixed = command_option(line, "fixed");
	struct cells cells cleanup_with(cells_close) = {0};
	size_t repeat;
	int code;

	if (!broken || !fixed)
		return command_usage_error(line, "it needs --broken KERNEL and --fixed KERNEL");
	code = cells_open(&cells, line);
	if (!code)
		code = scenario_option_count(line, "repeat", REPEAT, &repeat);
	return code ? code : run_both(&cells, line->operands[0], broken, fixed, repeat);
}

static const struct command_option options[] = {
	{"broken", 'b', "KERNEL", "the kernel that has the bug"},
	{"fixed", 'f', "KERNEL", "the kernel that does not have it any more"},
	{"repeat", 'r', "N", "runs on each kernel; default 5"},
	{"format", 0, "pretty|json", "form of the answer; default pretty"},
	{NULL, 0, NULL, NULL},
};

const struct command command_verify = {
	.name = "verify",
	.summary = "verify that a fix works: a scenario on a broken and on a fixed kernel",
	.operands = "SCENARIO",
	.help = "The fix is verified when the scenario's signature, all of its expects, comes on the broken\n"
		"kernel, and on the fixed one does not until its deadline, with every fault confirmed on "
		"both,\n"
		"and nothing else breaks there. A refusal that the scenario names (refused: [EINVAL]) is a "
		"form\n"
		"of fixed.\n\n"
		"Exit code: 0 fix verified, 1 not, 2 a run says nothing, 77 a requirement is missing.\n",
	.example = "hanglab verify --broken debian:6.1.170-3 --fixed debian:6.1.192-2 "
		   "scenarios/net-mirred-deadlock.yaml\n",
	.options = options,
	.shared = command_compare_options,
	.fewest = 1,
	.most = 1,
	.run = verify,
};
