// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweep/want.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "report/report.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What comes behind the word: a fault's length, and what it must be compared with. */
static const struct {
	const char *word;
	char compare;
	bool may_have_within, needs_within;
} forms[] = {
	[WANT_DETECT] = {"detect", '>', true, false}, [WANT_SILENT] = {"silent", '<', false, false},
	[WANT_PANIC] = {"panic", '>', true, false},   [WANT_NO_PANIC] = {"no-panic", '<', false, false},
	[WANT_QUIET] = {"quiet", 0, false, false},    [WANT_RECOVER] = {"recover", 0, true, true},
};

#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

static int refuse(const char *text, struct hl_error *err, const char *why)
{
	return hl_error_set(err, EINVAL, "'%s' is no want: %s. A want is one of\n%s", text, why, WANT_HELP);
}

static const char *skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Moves @text behind a duration. */
static bool take_duration(const char **text, int64_t *value)
{
	const char *begin = skip_blanks(*text);
	size_t length = strcspn(begin, " \t");
	cleanup_free char *word = strndup(begin, length);

	*text = begin + length;
	return word && !units_parse_duration(word, value, NULL) && *value > 0;
}

static int find_form(const char **text, enum want_kind *kind)
{
	size_t length = strspn(*text, "abcdefghijklmnopqrstuvwxyz-");

	for (size_t i = 0; i < FORM_COUNT; i++)
		if (strlen(forms[i].word) == length && !strncmp(*text, forms[i].word, length)) {
			*text = skip_blanks(*text + length);
			*kind = (enum want_kind)i;
			return 0;
		}
	return -EINVAL;
}

int want_parse(const char *text, struct want *want, struct hl_error *err)
{
	const char *rest = skip_blanks(text);
	char why[64];

	*want = (struct want){.text = text};
	if (find_form(&rest, &want->kind))
		return refuse(text, err, "it begins with none of the words");
	if (forms[want->kind].compare) {
		snprintf(why, sizeof(why), "behind %s belongs %c and a duration such as 30s",
			 forms[want->kind].word, forms[want->kind].compare);
		if (*rest != forms[want->kind].compare)
			return refuse(text, err, why);
		rest++;
		if (!take_duration(&rest, &want->fault))
			return refuse(text, err, why);
	}
	rest = skip_blanks(rest);
	if (forms[want->kind].may_have_within && !strncmp(rest, "within ", strlen("within "))) {
		rest += strlen("within ");
		if (!take_duration(&rest, &want->within))
			return refuse(text, err, "behind within belongs a duration such as 90s");
		rest = skip_blanks(rest);
	}
	if (forms[want->kind].needs_within && !want->within)
		return refuse(text, err, "it needs 'within' and a duration");
	return *rest ? refuse(text, err, "something is left over at its end") : 0;
}

int64_t want_hold(const struct want *want)
{
	if (!forms[want->kind].compare)
		return 0;
	return want->fault / 100 * (forms[want->kind].compare == '>' ? 101 : 99);
}

/* ---- judging ---- */

static const json_t *held_for(const json_t *point, const struct want *want)
{
	double wanted = (double)want_hold(want) / 1e9;
	const json_t *hold;
	size_t i;

	json_array_foreach (json_object_get(point, "holds"), i, hold)
		if (fabs(result_number(hold, "hold") - wanted) < 1e-6)
			return hold;
	return NULL;
}

static void miss(struct want_answer *answer, double by, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first reason stands; the largest distance counts. */
static void miss(struct want_answer *answer, double by, const char *format, ...)
{
	va_list args;

	if (answer->held) {
		va_start(args, format);
		vsnprintf(answer->reason, sizeof(answer->reason), format, args);
		va_end(args);
	}
	answer->held = false;
	answer->miss = fmax(answer->miss, fmax(by, 0.01));
}

static double seconds(int64_t nanoseconds)
{
	return (double)nanoseconds / 1e9;
}

static const char *outcome_word(const char *what)
{
	return strcmp(what, "panicked") ? "report" : "panic";
}

/* "reported" or "panicked": each long fault must be, and the detector may not take longer. */
static void judge_long(const struct want *want, const json_t *point, const char *what,
		       struct want_answer *answer)
{
	const json_t *hold = held_for(point, want), *always = json_object_get(point, "held");
	double runs = result_number(hold, "runs"), seen = result_number(hold, what);
	double latest = result_number(point, "latest"), fault = seconds(want->fault),
	       within = seconds(want->within),
	       longest = result_number(json_object_get(always, "latency"), "max");

	if (seen < runs)
		miss(answer, (runs - seen) / runs, "%.0f of %.0f faults of %g s went without a %s",
		     runs - seen, runs, result_number(hold, "hold"), outcome_word(what));
	if (latest > fault)
		miss(answer, (latest - fault) / fault,
		     "its sysctls let the detector take up to %g s, %g s more than the fault lasts", latest,
		     latest - fault);
	if (within > 0 && longest > within)
		miss(answer, (longest - within) / within, "a report came only after %.1f s", longest);
	if (within > 0 && latest > within)
		miss(answer, (latest - within) / within, "its sysctls let the detector take up to %g s",
		     latest);
}

static void judge_short(const struct want *want, const json_t *point, const char *what,
			struct want_answer *answer)
{
	const json_t *hold = held_for(point, want), *always = json_object_get(point, "held");
	double seen = result_number(hold, what), runs = result_number(hold, "runs"),
	       earliest = result_number(point, "earliest"), fault = seconds(want->fault);

	if (seen > 0)
		miss(answer, seen / runs, "%.0f of %.0f faults of %g s brought a %s", seen, runs,
		     result_number(hold, "hold"), outcome_word(what));
	/* What the runs have not met all the same may come, if it ever does. */
	if (earliest > 0 && earliest < fault && result_number(always, what) > 0)
		miss(answer, (fault - earliest) / fault, "its sysctls let the detector report from %g s on",
		     earliest);
}

static void judge_recovery(const struct want *want, const json_t *point, struct want_answer *answer)
{
	const json_t *always = json_object_get(point, "held"),
		     *recovery = json_object_get(always, "recovery");
	double within = seconds(want->within), longest = result_number(recovery, "max");

	if (result_number(always, "panicked") > 0)
		miss(answer, 1, "the kernel panicked");
	else if (!recovery)
		miss(answer, 1, "the workloads did not go on");
	else if (longest > within)
		miss(answer, (longest - within) / within, "it took up to %.1f s", longest);
}

void want_judge(const struct want *want, const json_t *point, struct want_answer *answer)
{
	const json_t *alarms = json_object_get(json_object_get(point, "load"), "alarms");

	*answer = (struct want_answer){.held = true};
	switch (want->kind) {
	case WANT_DETECT:
		judge_long(want, point, "reported", answer);
		break;
	case WANT_PANIC:
		judge_long(want, point, "panicked", answer);
		break;
	case WANT_SILENT:
		judge_short(want, point, "reported", answer);
		break;
	case WANT_NO_PANIC:
		judge_short(want, point, "panicked", answer);
		break;
	case WANT_QUIET:
		if (json_array_size(alarms))
			miss(answer, 1, "under load: %s", json_string_value(json_array_get(alarms, 0)));
		break;
	case WANT_RECOVER:
		judge_recovery(want, point, answer);
		break;
	}
}
