/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_COMPARE_SEARCH_H
#define HANGLAB_COMPARE_SEARCH_H

#include <stddef.h>

/** What is known of a point of the list. */
enum search_answer { SEARCH_LOW, SEARCH_HIGH, SEARCH_UNTESTABLE, SEARCH_STOP };

/** typedef search_probe - which side does point @index belong to? */
typedef enum search_answer (*search_probe)(void *data, size_t index);

/**
 * struct search_found - where the change is
 * @last_low, @first_high: neighbours, but for untestable points between them
 * @steps: probes that were made
 * @stopped: a probe said so
 */
struct search_found {
	size_t last_low, first_high, steps;
	int stopped;
};

/**
 * search_change() - find by bisection where a list changes sides
 * @count: points, at least 2; the first is LOW and the last HIGH, on trust as in git bisect
 *
 * An untestable point is replaced by its nearest neighbours, as git bisect skip does.
 */
struct search_found search_change(size_t count, search_probe probe, void *data);

/** search_most_steps() - probes at the most, when every point can be tested */
size_t search_most_steps(size_t count);

#endif
