// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/git_answer.h"
#include "compare/outcome.h"
#include "compare/search.h"
#include "compare/verify_judge.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

static json_t *make_result(const char *verdict, const char *signature, const char *health)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "verdict", verdict, "signature", signature,
			 "reason", "the run", "health", "verdict", health, "reason", "the rest");
}

static void check_outcome(const char *verdict, const char *signature, const char *health,
			  enum outcome expected)
{
	json_t *result = make_result(verdict, signature, health);

	CU_ASSERT_EQUAL(outcome_of_result(result), expected);
	json_decref(result);
}

static void test_outcomes(void)
{
	check_outcome("FAIL", "seen", "BROKEN", OUTCOME_SEEN);
	check_outcome("PASS", "absent", "PASS", OUTCOME_CLEAN);
	check_outcome("PASS", "refused", "PASS", OUTCOME_CLEAN);
	check_outcome("FAIL", "absent", "FAIL", OUTCOME_OTHER);
	/* Another crash is not the signature. */
	check_outcome("FAIL", "unknown", "FAIL", OUTCOME_OTHER);
	check_outcome("BROKEN", "unknown", "BROKEN", OUTCOME_UNKNOWN);
	check_outcome("BROKEN", "absent", "BROKEN", OUTCOME_UNKNOWN);
	check_outcome("SKIP", "", "", OUTCOME_SKIPPED);
	check_outcome("BROKEN", "", "", OUTCOME_UNKNOWN);
	check_outcome("PASS", "none", "PASS", OUTCOME_CLEAN);
	check_outcome("FAIL", "none", "FAIL", OUTCOME_SEEN);
}

static struct tally make_tally(size_t clean, size_t seen, size_t other, size_t unknown, size_t skipped)
{
	return (struct tally){{clean, seen, other, unknown, skipped}, "why"};
}

static void check_verify(struct tally broken, struct tally fixed, enum verdict verdict, const char *text)
{
	char answer[1200];

	CU_ASSERT_EQUAL(verify_judge(&broken, &fixed, answer, sizeof(answer)), verdict);
	if (!strstr(answer, text))
		printf("\n    %s", answer);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, text));
}

static void test_verify(void)
{
	struct tally seen = make_tally(0, 5, 0, 0, 0), clean = make_tally(5, 0, 0, 0, 0);

	check_verify(seen, clean, VERDICT_PASS, "5 of 5 runs on the broken kernel (57 to 100 %");
	check_verify(make_tally(4, 1, 0, 0, 0), clean, VERDICT_PASS, "more runs (--repeat)");
	/* A run that says nothing is neither with nor without the bug, and is named. */
	check_verify(make_tally(0, 4, 0, 1, 0), clean, VERDICT_PASS, "4 of 4 runs on the broken kernel");
	check_verify(make_tally(0, 4, 0, 1, 0), clean, VERDICT_PASS,
		     "1 further run on the broken kernel said nothing: why");
	check_verify(clean, seen, VERDICT_FAIL, "not fixed: the signature came in 5 of 5 runs");
	check_verify(clean, clean, VERDICT_FAIL, "not reproduced: in 5 runs");
	check_verify(seen, seen, VERDICT_FAIL, "not fixed");
	check_verify(seen, make_tally(4, 0, 1, 0, 0), VERDICT_FAIL,
		     "something else broke on the fixed kernel: why");
	check_verify(seen, make_tally(4, 0, 0, 1, 0), VERDICT_BROKEN,
		     "a run on the fixed kernel says nothing: why");
	check_verify(make_tally(0, 0, 0, 5, 0), clean, VERDICT_BROKEN,
		     "a run on the broken kernel says nothing");
	check_verify(make_tally(0, 0, 5, 0, 0), clean, VERDICT_FAIL, "something else than the signature");
	check_verify(seen, make_tally(0, 0, 0, 0, 5), VERDICT_SKIP, "the fixed kernel cannot be tested");
}

static void test_runs_to_exclude(void)
{
	CU_ASSERT_EQUAL(runs_to_exclude(1, 0.01), 1);
	CU_ASSERT_EQUAL(runs_to_exclude(0.5, 0.01), 7);
	CU_ASSERT_EQUAL(runs_to_exclude(0.3, 0.01), 13);
}

struct line {
	size_t change, untestable[3];
	size_t probes;
};

static enum search_answer answer(void *data, size_t index)
{
	struct line *line = data;

	line->probes++;
	for (size_t i = 0; i < 3; i++)
		if (line->untestable[i] == index)
			return SEARCH_UNTESTABLE;
	return index < line->change ? SEARCH_LOW : SEARCH_HIGH;
}

/* Every place of the change, in lists of every length. */
static void test_search(void)
{
	for (size_t count = 2; count < 40; count++)
		for (size_t change = 1; change < count; change++) {
			struct line line = {.change = change};
			struct search_found found = search_change(count, answer, &line);

			CU_ASSERT_EQUAL(found.first_high, change);
			CU_ASSERT_EQUAL(found.last_low, change - 1);
			CU_ASSERT_EQUAL(found.steps, line.probes);
			CU_ASSERT(found.steps <= search_most_steps(count));
		}
	CU_ASSERT_EQUAL(search_most_steps(10), 4);
	CU_ASSERT_EQUAL(search_most_steps(2), 0);
}

static void test_untestable(void)
{
	struct line line = {.change = 6, .untestable = {5, 4, 6}};
	struct search_found found = search_change(10, answer, &line);

	CU_ASSERT_EQUAL(found.last_low, 3);
	CU_ASSERT_EQUAL(found.first_high, 7);
}

/**
 * struct flaky - a list of kernels that show a bug in some runs only
 * @change: the first without it
 * @exclude: clean runs that make a kernel one without it
 */
struct flaky {
	size_t change, exclude;
	unsigned int seed;
};

static enum search_answer test_flaky(void *data, size_t index)
{
	struct flaky *flaky = data;

	for (size_t run = 0; run < flaky->exclude; run++)
		if (index < flaky->change && rand_r(&flaky->seed) % 10 < 3)
			return SEARCH_LOW;
	return SEARCH_HIGH;
}

/* Ten kernels, a bug that strikes in 30 % of the runs, 99 % confidence: at most one search in a hundred errs.
 */
static void test_confidence(void)
{
	const size_t searches = 20000, kernels = 10;
	struct flaky flaky = {.exclude = runs_to_exclude(0.3, 0.01 / (double)search_most_steps(kernels)),
			      .seed = 1};
	size_t wrong = 0;

	CU_ASSERT_EQUAL(flaky.exclude, 17);
	for (size_t i = 0; i < searches; i++) {
		flaky.change = 1 + i % (kernels - 1);
		wrong += search_change(kernels, test_flaky, &flaky).first_high != flaky.change;
	}
	CU_ASSERT(wrong > 0);
	CU_ASSERT(wrong <= searches / 100);
}

static void test_git_answers(void)
{
	CU_ASSERT_EQUAL(git_answer(OUTCOME_CLEAN, false), 0);
	CU_ASSERT_EQUAL(git_answer(OUTCOME_SEEN, false), 1);
	CU_ASSERT_EQUAL(git_answer(OUTCOME_SEEN, true), 0);
	CU_ASSERT_EQUAL(git_answer(OUTCOME_CLEAN, true), 1);
	for (int find_fixed = 0; find_fixed < 2; find_fixed++) {
		CU_ASSERT_EQUAL(git_answer(OUTCOME_OTHER, find_fixed), 125);
		CU_ASSERT_EQUAL(git_answer(OUTCOME_UNKNOWN, find_fixed), 125);
		CU_ASSERT_EQUAL(git_answer(OUTCOME_SKIPPED, find_fixed), 125);
	}
}

CU_TestInfo compare_tests[] = {
	{"outcomes of runs", test_outcomes},
	{"fix verified or not", test_verify},
	{"runs that exclude a bug", test_runs_to_exclude},
	{"bisection", test_search},
	{"untestable kernels", test_untestable},
	{"answers for git bisect run", test_git_answers},
	{"bisection with a flaky bug", test_confidence},
	CU_TEST_INFO_NULL,
};
