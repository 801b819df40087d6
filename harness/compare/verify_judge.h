/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_COMPARE_VERIFY_JUDGE_H
#define HANGLAB_COMPARE_VERIFY_JUDGE_H

#include "compare/outcome.h"
#include "run/verdict.h"

/**
 * verify_judge() - is the fix verified?
 * @broken, @fixed: runs on the kernel that is to have the bug, and on the one that is not
 * @text: receives the answer in words, with how sure it is; at least 1200 bytes
 *
 * Return: PASS: the signature came on @broken, and never on @fixed, where every run was clean; FAIL: it did
 * not come on @broken, came on @fixed, or something else broke there; BROKEN or SKIP when some run says
 * nothing.
 */
enum verdict verify_judge(const struct tally *broken, const struct tally *fixed, char *text, size_t size);

#endif
