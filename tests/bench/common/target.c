// SPDX-License-Identifier: GPL-2.0-or-later
#include "target.h"

#include <stdbool.h>
#include <stdio.h>

static bool missed;

void target(const char *name, double value, const char *relation, double limit)
{
	bool good = *relation == '<' ? value <= limit : value >= limit;

	printf("  %-60s %10.2f   (%s %g: %s)\n", name, value, relation, limit, good ? "ok" : "MISSED");
	fflush(stdout);
	missed |= !good;
}

void target_missed(const char *what)
{
	printf("  MISSED: %s\n", what);
	fflush(stdout);
	missed = true;
}

int targets_status(void)
{
	return missed;
}
