/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_COMPARE_DIFFERENCE_H
#define HANGLAB_COMPARE_DIFFERENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct difference - the first place where two texts or two lists of events differ
 * @number: of the line or event, counted from 1
 * @first, @second: what stands there, newly allocated, with unprintable bytes written as \xNN; NULL where
 *that side has ended
 */
struct difference {
	size_t number;
	char *first, *second;
};

/** difference_clear() - release the texts */
void difference_clear(struct difference *difference);

/**
 * difference_of_texts() - compare byte for byte
 * @difference: receives the first line that differs; untouched when none does
 *
 * Return: whether they differ.
 */
bool difference_of_texts(const char *first, size_t first_size, const char *second, size_t second_size,
			 struct difference *difference);

/**
 * difference_of_events() - compare kinds and titles, in order
 * @first, @second: arrays as in result.json
 * @difference: receives the first event that differs; untouched when none does
 *
 * Return: whether they differ.
 */
bool difference_of_events(const json_t *first, const json_t *second, struct difference *difference);

#endif
