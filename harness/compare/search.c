// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/search.h"

#include <stdbool.h>
#include <stdlib.h>

/* The testable point nearest to the middle between two others, or 0: then there is none. */
static size_t pick(size_t low, size_t high, const bool *untestable)
{
	size_t middle = low + (high - low) / 2;

	for (size_t distance = 0; distance < high - low; distance++) {
		size_t above = middle + distance, below = middle - distance;

		if (above > low && above < high && !untestable[above])
			return above;
		if (distance < middle - low && !untestable[below])
			return below;
	}
	return 0;
}

struct search_found search_change(size_t count, search_probe probe, void *data)
{
	struct search_found found = {.last_low = 0, .first_high = count - 1};
	bool *untestable = calloc(count, sizeof(*untestable));
	size_t point;

	if (!untestable)
		abort();
	while (!found.stopped && (point = pick(found.last_low, found.first_high, untestable))) {
		found.steps++;
		switch (probe(data, point)) {
		case SEARCH_LOW:
			found.last_low = point;
			break;
		case SEARCH_HIGH:
			found.first_high = point;
			break;
		case SEARCH_UNTESTABLE:
			untestable[point] = true;
			break;
		case SEARCH_STOP:
			found.stopped = 1;
			break;
		}
	}
	free(untestable);
	return found;
}

size_t search_most_steps(size_t count)
{
	size_t steps = 0;

	for (size_t places = count - 1; places > 1; places = (places + 1) / 2)
		steps++;
	return steps;
}
