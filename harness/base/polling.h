/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_POLLING_H
#define HANGLAB_BASE_POLLING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Waiting for what no event tells of: it is looked for again and again, up to a deadline.
 *
 *	struct polling polling = polling_begin(LIMIT, STEP);
 *
 *	while (!is_there())
 *		if (!polling_again(&polling))
 *			return -ETIMEDOUT;
 */

/** struct polling - @deadline: CLOCK_MONOTONIC; @step: between two looks; both in nanoseconds */
struct polling {
	int64_t deadline, step;
};

/**
 * polling_begin() - a wait begins now
 * @limit: nanoseconds until it is given up
 * @step: nanoseconds between two looks, less than a second
 */
struct polling polling_begin(int64_t limit, int64_t step);

/** polling_over() - has the limit passed? */
bool polling_over(const struct polling *polling);

/** polling_again() - let a step pass before the next look. Return: false, at once, when the limit has passed.
 */
bool polling_again(const struct polling *polling);

#endif
