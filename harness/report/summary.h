/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_REPORT_SUMMARY_H
#define HANGLAB_REPORT_SUMMARY_H

#include <jansson.h>
#include <stdio.h>

/**
 * summary_print() - what several runs come to
 * @results: array of results
 * @out: where
 *
 * Of each scenario that ran more than once: how many passed, with a confidence interval, and between which
 * limits the first report came and the recovery took. Then a count of all verdicts.
 */
void summary_print(const json_t *results, FILE *out);

#endif
