// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "cmd/command.h"
#include "cmd/scenario_options.h"
#include "explore/lockup.h"
#include "explore/minimize.h"
#include "explore/variant.h"
#include "explore/yaml.h"
#include "report/report.h"
#include "run/many.h"
#include "scenario/check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Beyond that nobody waits for the end. */
#define MOST_SEEDS 100000

/**
 * struct explore - variants of a scenario to run
 * @path: of the scenario
 * @plan: its JSON, with the options of the command line
 * @first: seed of the first variant
 * @count, @jobs: how many variants, how many at a time
 * @candidate: of a smaller plan while it is minimised, else NULL
 * @json: print JSON, once, at the end
 */
struct explore {
	const struct command_line *line;
	const char *path;
	json_t *plan;
	int64_t first;
	size_t count, jobs;
	struct run_settings settings;
	const json_t *candidate;
	bool json;
};

static int broken(const struct explore *explore, const struct hl_error *err)
{
	return command_error(explore->line, verdict_exit_code(VERDICT_BROKEN), err);
}

/* ---- runs ---- */

static json_t *json_of(const struct explore *explore, size_t index)
{
	return explore->candidate ? json_deep_copy(explore->candidate)
				  : variant_of_plan(explore->plan, explore->first + (int64_t)index);
}

static int load(const struct explore *explore, json_t *json, struct plan *plan, struct hl_error *err)
{
	int r = plan_load(plan, json, err);

	return r ? r : scenario_check(explore->path, plan, err);
}

static int load_variant(void *data, size_t index, struct plan *plan, const char **path, struct hl_error *err)
{
	const struct explore *explore = data;
	json_t *json = json_of(explore, index);
	int r = load(explore, json, plan, err);

	*path = explore->path;
	json_decref(json);
	return r;
}

static int run_many_variants(struct explore *explore, size_t count, json_t **results, struct hl_error *err)
{
	const struct run_many many = {count, explore->jobs, &explore->settings, load_variant, NULL, explore};

	return run_many(&many, results, err);
}

static json_t *seeds_of(const struct explore *explore)
{
	json_t *seeds = json_array();

	for (size_t i = 0; i < explore->count; i++)
		json_array_append_new(seeds, json_integer(explore->first + (int64_t)i));
	return seeds;
}

/* ---- what came out ---- */

static size_t count_verdict(const json_t *results, const char *verdict)
{
	const json_t *result;
	size_t count = 0, i;

	json_array_foreach (results, i, result)
		count += !strcmp(result_text(result, "verdict"), verdict) && !lockup_of_result(result);
	return count;
}

static size_t count_lockups(const json_t *groups)
{
	const json_t *group;
	size_t count = 0, i;

	json_array_foreach (groups, i, group)
		count += (size_t)result_number(group, "count");
	return count;
}

static void print_group(const struct explore *explore, const json_t *results, const json_t *group)
{
	size_t example = (size_t)result_number(group, "example");
	json_t *variant = json_of(explore, example);
	char description[400];

	variant_describe(variant, description, sizeof(description));
	json_decref(variant);
	printf("%7.0f  %10" PRId64 "  %s\n", result_number(group, "count"), explore->first + (int64_t)example,
	       result_text(group, "title"));
	printf("                     for example %s\n                     in %s\n", description,
	       result_text(json_array_get(results, example), "folder"));
}

static void print_broken(const struct explore *explore, const json_t *results)
{
	const json_t *result;
	size_t i;

	json_array_foreach (results, i, result) {
		const char *verdict = result_text(result, "verdict");

		if (!lockup_of_result(result) && strcmp(verdict, "PASS") != 0 && strcmp(verdict, "FAIL") != 0)
			printf("seed %" PRId64 " is %s: %s\n", explore->first + (int64_t)i,
			       verdict[0] ? verdict : "BROKEN", result_text(result, "reason"));
	}
}

static void print_groups(const struct explore *explore, const json_t *results, const json_t *groups)
{
	const json_t *group;
	size_t i;

	printf("%s: %zu of %zu seeds locked up\n", result_text(explore->plan, "scenario"),
	       count_lockups(groups), explore->count);
	if (json_array_size(groups))
		printf("  count  first seed  locked up with\n");
	json_array_foreach (groups, i, group)
		print_group(explore, results, group);
	print_broken(explore, results);
}

/* A lock-up wins over what says nothing, as FAIL does over BROKEN in a run. */
static int exit_code_of(const struct explore *explore, const json_t *results, const json_t *groups)
{
	size_t healthy = count_verdict(results, "PASS") + count_verdict(results, "FAIL");

	if (json_array_size(groups))
		return verdict_exit_code(VERDICT_FAIL);
	if (healthy == explore->count)
		return verdict_exit_code(VERDICT_PASS);
	return verdict_exit_code(count_verdict(results, "SKIP") == explore->count ? VERDICT_SKIP
										  : VERDICT_BROKEN);
}

/* ---- the smallest ---- */

/**
 * struct reduction - a lock-up while its scenario is made smaller
 * @title: what it must still lock up with
 * @runs: so far
 * @interrupted: a signal came: nothing more is tried
 */
struct reduction {
	struct explore *explore;
	const char *title;
	size_t runs;
	bool interrupted;
};

static bool still_locks_up(void *data, const json_t *plan)
{
	struct reduction *reduction = data;
	struct explore *explore = reduction->explore;
	struct hl_error err = HL_ERROR_INIT;
	json_t *json = json_deep_copy(plan), *results = NULL;
	struct plan loaded = {0};
	bool valid = !reduction->interrupted && !load(explore, json, &loaded, &err), same = false;
	int r;

	plan_free(&loaded);
	json_decref(json);
	if (!valid)
		return false;
	explore->candidate = plan;
	reduction->runs++;
	r = run_many_variants(explore, 1, &results, &err);
	reduction->interrupted = r == -EINTR;
	if (!r) {
		const json_t *lockup = lockup_of_result(json_array_get(results, 0));

		same = lockup && !strcmp(result_text(lockup, "title"), reduction->title);
	}
	explore->candidate = NULL;
	json_decref(results);
	return same;
}

static int write_scenario(const struct explore *explore, const json_t *plan, const char *title,
			  json_t *minimal)
{
	cleanup_free char *path = file_path("%s/%s-minimal.yaml", explore->settings.out,
					    result_text(explore->plan, "scenario"));
	cleanup_free char *text = NULL;
	struct hl_error err = HL_ERROR_INIT;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fprintf(out, "# The least of %s that locks up with: %s\n", explore->path, title);
	yaml_write_scenario(plan, out);
	fclose(out);
	if (file_write(path, text, size, &err))
		return broken(explore, &err);
	json_object_set_new(minimal, "file", json_string(path));
	json_object_set_new(minimal, "text", json_string(text));
	return 0;
}

static const json_t *choose_group(const struct explore *explore, const json_t *groups)
{
	const char *wanted = command_option(explore->line, "group");
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		if (!wanted || strstr(result_text(group, "title"), wanted))
			return group;
	return NULL;
}

static void print_minimal(const json_t *minimal)
{
	if (!result_text(minimal, "file")[0]) {
		printf("nothing to minimise: no seed locked up%s\n", result_text(minimal, "reason"));
		return;
	}
	printf("%s \"%s\" in %.0f runs:\n%s",
	       json_is_true(json_object_get(minimal, "interrupted")) ? "interrupted, but made smaller"
								     : "minimised",
	       result_text(minimal, "title"), result_number(minimal, "runs"), result_text(minimal, "text"));
	printf("Written to %s. To run it: hanglab run %s\n", result_text(minimal, "file"),
	       result_text(minimal, "file"));
}

/* @minimal: receives what came of it. Return: 0, or an exit code. */
static int minimize(struct explore *explore, const json_t *groups, json_t *minimal)
{
	const json_t *group = choose_group(explore, groups);
	struct reduction reduction = {explore, result_text(group, "title"), 0, false};
	json_t *variant, *plan, *least;
	int code;

	if (!group) {
		json_object_set_new(minimal, "reason",
				    json_string(json_array_size(groups) ? " with what --group names" : ""));
		return 0;
	}
	variant = json_of(explore, (size_t)result_number(group, "example"));
	plan = minimize_checks(variant, result_text(group, "kind"), reduction.title);
	least = minimize_plan(plan, still_locks_up, &reduction);
	json_object_update_new(minimal,
			       json_pack("{s:s, s:I, s:b}", "title", reduction.title, "runs",
					 (json_int_t)reduction.runs, "interrupted", reduction.interrupted));
	code = write_scenario(explore, least, reduction.title, minimal);
	if (reduction.interrupted)
		code = verdict_exit_code(VERDICT_BROKEN);
	json_decref(variant);
	json_decref(plan);
	json_decref(least);
	return code;
}

static void print_json(const struct explore *explore, json_t *results, json_t *groups, json_t *minimal)
{
	json_t *json = json_pack("{s:i, s:s, s:s, s:I, s:I, s:O, s:O, s:O}", "schema", 1, "form", "explore",
				 "scenario", result_text(explore->plan, "scenario"), "first_seed",
				 (json_int_t)explore->first, "seeds", (json_int_t)explore->count, "groups",
				 groups, "minimal", minimal, "results", results);

	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(json);
}

/* ---- the command ---- */

/* As text, each part as soon as it is known. */
static int tell(struct explore *explore, json_t *results, json_t *groups)
{
	json_t *minimal = json_object();
	int code = 0;

	if (!explore->json) {
		print_groups(explore, results, groups);
		fflush(stdout);
	}
	if (command_option(explore->line, "minimize")) {
		code = minimize(explore, groups, minimal);
		if (!explore->json)
			print_minimal(minimal);
	}
	if (explore->json)
		print_json(explore, results, groups, minimal);
	json_decref(minimal);
	return code ? code : exit_code_of(explore, results, groups);
}

static int run_variants(struct explore *explore)
{
	struct hl_error err = HL_ERROR_INIT;
	json_t *results = NULL, *seeds, *groups;
	int code;

	if (run_many_variants(explore, explore->count, &results, &err)) {
		json_decref(results);
		return broken(explore, &err);
	}
	seeds = seeds_of(explore);
	groups = lockup_groups(results, seeds);
	code = tell(explore, results, groups);
	json_decref(groups);
	json_decref(seeds);
	json_decref(results);
	return code;
}

/* "7" or "1..200" */
static int parse_seeds(struct explore *explore)
{
	const char *text = command_option(explore->line, "seeds"), *dots;
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *begin = NULL;
	int64_t last;

	if (!text)
		text = "1..20";
	dots = strstr(text, "..");
	begin = strndup(text, dots ? (size_t)(dots - text) : strlen(text));
	if (!begin)
		abort();
	if (units_parse_integer(begin, &explore->first, &err) ||
	    units_parse_integer(dots ? dots + 2 : begin, &last, &err) || explore->first < 0 ||
	    last < explore->first || last > INT32_MAX || last - explore->first >= MOST_SEEDS)
		return command_usage_error(explore->line,
					   "--seeds: '%s' is not a range of up to %d seeds such as 1..200",
					   text, MOST_SEEDS);
	explore->count = (size_t)(last - explore->first + 1);
	return 0;
}

static int read_options(struct explore *explore)
{
	const char *format = command_option(explore->line, "format");
	struct plan plan = {0};
	int code = parse_seeds(explore);

	explore->json = format && !strcmp(format, "json");
	if (format && !explore->json && strcmp(format, "pretty") != 0)
		return command_usage_error(explore->line, "--format: '%s' is not pretty or json", format);

	if (!code)
		code = scenario_option_count(explore->line, "jobs", 1, &explore->jobs);
	if (!code)
		code = scenario_option_multiplier(explore->line, &explore->settings.multiplier);
	if (!code)
		code = scenario_options_load(explore->line, explore->path, &plan);
	if (!code && plan.vm->clock != PLAN_CLOCK_VIRTUAL)
		code = command_usage_error(explore->line,
					   "%s runs in real time, in which a seed decides nothing",
					   explore->path);
	if (!code)
		explore->plan = json_incref(plan.json);
	plan_free(&plan);
	return code;
}

static int run(const struct command_line *line)
{
	const char *out = command_option(line, "out");
	cleanup_free char *guest = run_guest_program();
	struct explore explore = {
		.line = line,
		.path = line->operands[0],
		.settings = {.out = out ? out : "runs", .guest_program = guest, .warm = true},
	};
	int code = read_options(&explore);

	if (!code)
		code = run_variants(&explore);
	json_decref(explore.plan);
	return code;
}

static const struct command_option options[] = {
	{"seeds", 0, "A..B", "which variants; default 1..20"},
	{"minimize", 'm', NULL, "make the scenario of a group of lock-ups as small as it can be"},
	{"group", 'g', "TEXT", "minimize the group with this text in its title; default the largest"},
	{"kernel", 'k', "NAME", "kernel of the lab VM; default: the scenario's, else debian"},
	{"sysctl", 's', "KEY=VALUE", "set a sysctl of the guest over the scenario's; may be repeated"},
	{"jobs", 'j', "N", "run N VMs at a time; default 1"},
	{"format", 'f', "pretty|json", "form of the result; default pretty"},
	{"out", 'o', "DIR", "where run directories go; default runs"},
	{"timeout-multiplier", 0, "X", "stretch the harness's own deadlines on a slow machine; default 1"},
	{NULL, 0, NULL, NULL},
};

const struct command command_explore = {
	.name = "explore",
	.summary = "run many variants of a scenario, and make the smallest one that locks up",
	.operands = "SCENARIO",
	.help = "Runs a variant of SCENARIO for each seed, in virtual time, from a snapshot where that can "
		"be "
		"had.\n"
		"A seed changes the guest's instruction rate (unless the scenario has vm.shift), when the "
		"faults\n"
		"begin (up to a second later) and the order of workloads that are started together; the same "
		"seed\n"
		"always gives the same variant. Tells which lock up, grouped by what the kernel said "
		"first.\n\n"
		"With --minimize: removes steps, disks, hold time and vCPUs as long as the first of a group "
		"locks\n"
		"up in the same way, and writes the scenario that is left to OUT/SCENARIO-minimal.yaml.\n\n"
		"Exit code: 0 nothing locked up, 1 something did, 2 BROKEN, 77 SKIP.\n",
	.example = "hanglab explore --seeds 1..200 --jobs 2 --minimize scenarios/fsfreeze-hung-task.yaml\n"
		   "hanglab explore --minimize --group vfs_write my.yaml\n",
	.options = options,
	.fewest = 1,
	.most = 1,
	.run = run,
};
