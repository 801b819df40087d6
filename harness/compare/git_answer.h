/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_COMPARE_GIT_ANSWER_H
#define HANGLAB_COMPARE_GIT_ANSWER_H

#include "compare/outcome.h"

#include <stdbool.h>

/** What "git bisect run" takes as "this revision cannot be tested". */
#define GIT_ANSWER_SKIP 125

/**
 * git_answer() - exit code for "git bisect run"
 * @outcome: of the revision
 * @find_fixed: the old revisions have the bug, the new ones do not; else the other way round
 *
 * Return: 0 for the old side, 1 for the new one, GIT_ANSWER_SKIP when the runs say nothing of the bug.
 */
int git_answer(enum outcome outcome, bool find_fixed);

#endif
