/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SWEEP_WANT_H
#define HANGLAB_SWEEP_WANT_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** What a want demands; the words are in WANT_HELP. */
enum want_kind { WANT_DETECT, WANT_SILENT, WANT_PANIC, WANT_NO_PANIC, WANT_QUIET, WANT_RECOVER };

/**
 * struct want - a rule that a value must satisfy
 * @text: as written
 * @fault: nanoseconds: how long the faults are that it is about, 0 for all
 * @within: nanoseconds, 0 for any time
 */
struct want {
	const char *text;
	enum want_kind kind;
	int64_t fault, within;
};

/** The grammar, for help and messages: a line for each form. */
#define WANT_HELP                                                                                            \
	"  detect>60s              every fault longer than that is reported\n"                               \
	"  detect>60s within 90s   and no later than 90 s after its begin\n"                                 \
	"  silent<30s              no fault shorter than that is reported\n"                                 \
	"  panic>60s [within 90s]  every fault longer than that panics the kernel\n"                         \
	"  no-panic<30s            no fault shorter than that panics the kernel\n"                           \
	"  quiet                   nothing is reported under the heavy but healthy load\n"                   \
	"  recover within 5s       the workloads go on that soon after the release\n"

/**
 * want_parse() - "detect>60s within 90s" ...
 * @text: must outlive @want
 *
 * Return: 0 or -EINVAL with the grammar.
 */
int want_parse(const char *text, struct want *want, struct hl_error *err);

/**
 * want_hold() - how long a fault must be held to see whether it is satisfied
 *
 * A hundredth more than the faults that must be seen, less than those that must not.
 *
 * Return: nanoseconds, 0 when it needs no fault of its own.
 */
int64_t want_hold(const struct want *want);

/**
 * struct want_answer - whether a value satisfies a want
 * @miss: how far it is off, 0 when it holds: a share of what the want names
 * @reason: in words
 */
struct want_answer {
	bool held;
	double miss;
	char reason[200];
};

/** want_judge() - does a point (see sweep/measure.h) satisfy it, by its runs and by the limits of its
 * detector? */
void want_judge(const struct want *want, const json_t *point, struct want_answer *answer);

#endif
