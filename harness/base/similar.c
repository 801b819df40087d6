// SPDX-License-Identifier: GPL-2.0-or-later
#include "similar.h"

#include <limits.h>
#include <string.h>

#define LONGEST 63

static unsigned int min2(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int similar_distance(const char *a, const char *b)
{
	unsigned int rows[3][LONGEST + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > LONGEST || b_length > LONGEST)
		return UINT_MAX;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = min2(min2(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min2(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

const char *similar_find(const char *word, const char *const *known, size_t count)
{
	unsigned int limit = (unsigned int)(strlen(word) / 3) + 1, best = UINT_MAX;
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		unsigned int distance = similar_distance(word, known[i]);

		if (distance <= limit && distance < best) {
			best = distance;
			found = known[i];
		}
	}
	return found;
}
