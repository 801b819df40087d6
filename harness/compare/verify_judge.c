// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/verify_judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum verdict say(enum verdict verdict, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static enum verdict say(enum verdict verdict, char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	return verdict;
}

/* A kernel that still had the bug, at the lowest rate that fits the runs on the broken one, would stay
 * silent. */
static void say_how_sure(const struct tally *broken, const struct tally *fixed, char *text, size_t size)
{
	size_t seen = broken->counts[OUTCOME_SEEN], clean = tally_runs(fixed);
	size_t mute = broken->counts[OUTCOME_UNKNOWN] + broken->counts[OUTCOME_SKIPPED];
	size_t runs = tally_runs(broken) - mute, length;
	double low, high, silent;

	wilson_interval(seen, runs, &low, &high);
	silent = pow(1 - low, (double)clean);
	say(VERDICT_PASS, text, size,
	    "fix verified: the signature came in %zu of %zu runs on the broken kernel (%.0f to %.0f %% with "
	    "95 %% "
	    "confidence), in none of %zu on the fixed one, where everything else held. A kernel that still "
	    "had the "
	    "bug would stay silent in %zu runs with a probability of at most %.2g%s",
	    seen, runs, 100 * low, 100 * high, clean, clean, silent,
	    silent > 0.05 ? ": more runs (--repeat) make it surer" : "");
	length = strlen(text);
	if (mute)
		say(VERDICT_PASS, text + length, size - length,
		    ". %zu further %s on the broken kernel said nothing: %s", mute,
		    mute == 1 ? "run" : "runs", broken->reason);
}

enum verdict verify_judge(const struct tally *broken, const struct tally *fixed, char *text, size_t size)
{
	enum outcome on_broken = tally_outcome(broken), on_fixed = tally_outcome(fixed);

	if (on_fixed == OUTCOME_SEEN)
		return say(VERDICT_FAIL, text, size,
			   "not fixed: the signature came in %zu of %zu runs on the kernel "
			   "that is to be fixed",
			   fixed->counts[OUTCOME_SEEN], tally_runs(fixed));
	if (on_fixed == OUTCOME_OTHER)
		return say(VERDICT_FAIL, text, size, "something else broke on the fixed kernel: %s",
			   fixed->reason);
	if (on_fixed == OUTCOME_UNKNOWN)
		return say(VERDICT_BROKEN, text, size, "a run on the fixed kernel says nothing: %s",
			   fixed->reason);
	if (on_fixed == OUTCOME_SKIPPED)
		return say(VERDICT_SKIP, text, size, "the fixed kernel cannot be tested: %s", fixed->reason);
	if (on_broken == OUTCOME_UNKNOWN)
		return say(VERDICT_BROKEN, text, size, "a run on the broken kernel says nothing: %s",
			   broken->reason);
	if (on_broken == OUTCOME_SKIPPED)
		return say(VERDICT_SKIP, text, size, "the broken kernel cannot be tested: %s",
			   broken->reason);
	if (on_broken == OUTCOME_OTHER)
		return say(VERDICT_FAIL, text, size,
			   "not reproduced: something else than the signature came on the broken kernel: %s",
			   broken->reason);
	if (on_broken == OUTCOME_CLEAN)
		return say(VERDICT_FAIL, text, size,
			   "not reproduced: in %zu runs on the kernel that is to be broken the signature "
			   "never came, "
			   "so that its absence on the other says nothing",
			   tally_runs(broken));
	say_how_sure(broken, fixed, text, size);
	return VERDICT_PASS;
}
