// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/outcome.h"

#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOME_COUNT] = {
		[OUTCOME_CLEAN] = "clean",     [OUTCOME_SEEN] = "seen",	      [OUTCOME_OTHER] = "other",
		[OUTCOME_UNKNOWN] = "unknown", [OUTCOME_SKIPPED] = "skipped",
	};

	return names[outcome];
}

static enum outcome by_verdict(const char *verdict)
{
	if (!strcmp(verdict, "PASS"))
		return OUTCOME_CLEAN;
	return strcmp(verdict, "FAIL") ? OUTCOME_UNKNOWN : OUTCOME_SEEN;
}

enum outcome outcome_of_result(const json_t *result)
{
	const char *verdict = result_text(result, "verdict"), *signature = result_text(result, "signature");
	const char *health = result_text(json_object_get(result, "health"), "verdict");

	if (!strcmp(verdict, "SKIP"))
		return OUTCOME_SKIPPED;
	if (!strcmp(signature, "none"))
		return by_verdict(verdict);
	if (!strcmp(signature, "seen"))
		return OUTCOME_SEEN;
	if (!strcmp(health, "FAIL"))
		return OUTCOME_OTHER;
	if ((!strcmp(signature, "absent") || !strcmp(signature, "refused")) && !strcmp(health, "PASS"))
		return OUTCOME_CLEAN;
	return OUTCOME_UNKNOWN;
}

static const char *reason_of(const json_t *result)
{
	const char *health = result_text(json_object_get(result, "health"), "reason");

	return health[0] && outcome_of_result(result) == OUTCOME_OTHER ? health
								       : result_text(result, "reason");
}

void tally_add(struct tally *tally, const json_t *result)
{
	enum outcome outcome = outcome_of_result(result);

	tally->counts[outcome]++;
	if (outcome != OUTCOME_CLEAN && outcome != OUTCOME_SEEN && !tally->reason[0])
		snprintf(tally->reason, sizeof(tally->reason), "%s", reason_of(result));
}

size_t tally_runs(const struct tally *tally)
{
	size_t runs = 0;

	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		runs += tally->counts[i];
	return runs;
}

enum outcome tally_outcome(const struct tally *tally)
{
	for (size_t i = OUTCOME_SEEN; i < OUTCOME_COUNT; i++)
		if (tally->counts[i])
			return (enum outcome)i;
	return OUTCOME_CLEAN;
}

void wilson_interval(size_t hits, size_t runs, double *low, double *high)
{
	const double z = 1.96, n = (double)runs, p = (double)hits / n;
	double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
	double width = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);

	*low = fmax(0, middle - width);
	*high = fmin(1, middle + width);
}

size_t runs_to_exclude(double rate, double error)
{
	return rate >= 1 ? 1 : (size_t)ceil(log(error) / log(1 - rate));
}
