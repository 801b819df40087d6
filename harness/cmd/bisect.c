// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "cmd/bisect_build.h"
#include "cmd/cells.h"
#include "cmd/scenario_options.h"
#include "compare/git_answer.h"
#include "compare/search.h"
#include "run/verdict.h"

#include <string.h>

/**
 * struct bisection - a search through a list of kernels
 * @kernels: from the oldest to the newest
 * @exclude: clean runs that make a kernel one without the bug
 * @broken_first: the old kernels have the bug, the new ones do not
 * @runs: done so far
 */
struct bisection {
	const struct command_line *line;
	const char *path, **kernels;
	size_t count, exclude, runs;
	bool broken_first;
	int failed;
};

/* Some runs more of a kernel, the next seeds, side by side. */
static void run_more(struct bisection *bisection, const char *kernel, size_t most, struct tally *tally)
{
	struct cells cells cleanup_with(cells_close) = {0};
	size_t done = tally_runs(tally);
	json_t *results = NULL;

	bisection->failed = cells_open(&cells, bisection->line);
	if (bisection->failed)
		return;
	cells_add(&cells, bisection->path, kernel, cells.jobs < most ? cells.jobs : most);
	for (size_t i = 0; i < cells.count; i++)
		cells.cells[i].repeat += done;
	bisection->failed = cells_run(&cells, &results);
	for (size_t i = 0; !bisection->failed && i < cells.count; i++)
		tally_add(tally, json_array_get(results, i));
	bisection->runs += cells.count;
	json_decref(results);
}

/* Run until the odds are clear: seen once, or silent often enough. */
static enum outcome test_kernel(struct bisection *bisection, const char *kernel)
{
	struct tally tally = {{0}, ""};

	while (tally_outcome(&tally) == OUTCOME_CLEAN && tally_runs(&tally) < bisection->exclude) {
		run_more(bisection, kernel, bisection->exclude - tally_runs(&tally), &tally);
		if (bisection->failed)
			return OUTCOME_UNKNOWN;
	}
	printf("%-40s %s in %zu of %zu runs%s%s\n", kernel, outcome_name(tally_outcome(&tally)),
	       tally.counts[tally_outcome(&tally)], tally_runs(&tally), tally.reason[0] ? ": " : "",
	       tally.reason);
	fflush(stdout);
	return tally_outcome(&tally);
}

static enum search_answer probe(void *data, size_t index)
{
	struct bisection *bisection = data;
	enum outcome outcome = test_kernel(bisection, bisection->kernels[index]);

	if (bisection->failed)
		return SEARCH_STOP;
	if (outcome != OUTCOME_SEEN && outcome != OUTCOME_CLEAN)
		return SEARCH_UNTESTABLE;
	return (outcome == OUTCOME_SEEN) == bisection->broken_first ? SEARCH_LOW : SEARCH_HIGH;
}

static int search(struct bisection *bisection)
{
	struct search_found found = search_change(bisection->count, probe, bisection);

	if (found.stopped)
		return bisection->failed;
	printf("%s is the first kernel %s the bug, %s the last %s it: %zu steps, %zu runs\n",
	       bisection->kernels[found.first_high], bisection->broken_first ? "without" : "with",
	       bisection->kernels[found.last_low], bisection->broken_first ? "with" : "without", found.steps,
	       bisection->runs);
	if (found.first_high - found.last_low == 1)
		return 0;
	printf("those between them could not be tested\n");
	return verdict_exit_code(VERDICT_BROKEN);
}

/* As the command of "git bisect run". */
static int test_one(struct bisection *bisection)
{
	const char *find = command_option(bisection->line, "find");

	return git_answer(test_kernel(bisection, bisection->kernels[0]), find && !strcmp(find, "fixed"));
}

static int parse_fraction(const struct command_line *line, const char *option, double otherwise, double most,
			  double *value)
{
	const char *text = command_option(line, option);
	char *end = NULL;

	*value = text ? strtod(text, &end) : otherwise;
	if (text && (end == text || *end || !(*value > 0) || *value > most))
		return command_usage_error(line, "--%s: '%s' is not a number above 0, up to %g", option, text,
					   most);
	return 0;
}

static int bisect_kernels(struct bisection *bisection)
{
	struct cells cells cleanup_with(cells_close) = {0};
	int code = cells_open(&cells, bisection->line);

	for (size_t i = 0; i < bisection->count; i++)
		cells_add(&cells, bisection->path, bisection->kernels[i], 1);
	if (!code && command_option(bisection->line, "build"))
		code = bisect_build(bisection->line, bisection->kernels, bisection->count);
	if (code)
		return code;
	code = cells_check(&cells);
	/* To git any code up to 124 would be an answer. */
	if (code && bisection->count == 1)
		return GIT_ANSWER_SKIP;
	if (code)
		return code;
	return bisection->count == 1 ? test_one(bisection) : search(bisection);
}

static int bisect(const struct command_line *line)
{
	const char *first = command_option(line, "find");
	struct bisection bisection = {.line = line,
				      .path = line->operands[0],
				      .kernels = (const char **)line->operands + 1,
				      .count = line->operand_count - 1,
				      .broken_first = !first || !strcmp(first, "fixed")};
	double confidence = 0, rate = 0;
	size_t steps = search_most_steps(bisection.count);
	int code = parse_fraction(line, "confidence", 0.99, 0.999999, &confidence);

	if (!code)
		code = parse_fraction(line, "rate", 1, 1, &rate);
	if (first && strcmp(first, "fixed") && strcmp(first, "broken"))
		code = command_usage_error(line, "--find: '%s' is neither fixed nor broken", first);
	if (code)
		return code;
	/* Each step may be wrong; all together must be right with the confidence asked for. */
	bisection.exclude = runs_to_exclude(rate, (1 - confidence) / (double)(steps ? steps : 1));
	return bisect_kernels(&bisection);
}

static const struct command_option options[] = {
	{"find", 0, "fixed|broken",
	 "the first kernel without the bug, or the first with it; default fixed for a list"},
	{"build", 0, NULL, "build the kernel tree:FOLDER first, with ccache"},
	{"config", 0, "CONFIG",
	 "with --build: lab (the default), boot, or a file with a whole configuration"},
	{"config-fragment", 0, "FILE", "with --build: further options; may be repeated"},
	{"rate", 0, "R", "how often a run shows the bug where it is, 0 to 1; default 1: always"},
	{"confidence", 0, "C", "that the answer is right; default 0.99"},
	{NULL, 0, NULL, NULL},
};

const struct command command_bisect = {
	.name = "bisect",
	.summary = "find the first kernel without a bug, or with it",
	.operands = "SCENARIO KERNEL...",
	.help = "Kernels are given from the oldest to the newest; the first and the last are taken on trust, "
		"as\n"
		"in git bisect. Only the scenario's signature counts: another crash makes a kernel "
		"untestable.\n"
		"Of a scenario that does not always show the bug, say how often (--rate): a kernel counts "
		"as\n"
		"clean only after as many silent runs as the confidence needs, and as broken at the first "
		"sighting.\n\n"
		"With one kernel it is a command for \"git bisect run\": 0 clean, 1 broken, 125 cannot be "
		"tested.\n"
		"With --find fixed, for a bisection between the terms broken and fixed, 0 broken and 1 "
		"clean.\n"
		"--build runs make in the tree first; a revision that does not build or boot cannot be "
		"tested.\n\n"
		"Exit code: 0 found, 2 not.\n",
	.example = "hanglab bisect scenarios/exfat-loop-livelock.yaml "
		   "debian:6.1.0-{47,48,49,50,51,52,53,54,55,56}"
		   "-cloud-amd64\n"
		   "git bisect run hanglab bisect --build --rate 0.5 ../my-lockup.yaml tree:.\n"
		   "hanglab bisect --rate 0.3 flaky.yaml debian:6.1.170 debian:6.1.180 debian:6.1.192\n",
	.options = options,
	.shared = command_compare_options,
	.fewest = 2,
	.most = (size_t)-1,
	.run = bisect,
};
