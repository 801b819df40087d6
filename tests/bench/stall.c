// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The soft lockup behind a stalled vCPU, at default thresholds: wall time from the command to the verdict.
 */
#include "common/measure.h"

#include <stdio.h>

#define SCENARIO "scenarios/storage-stall-smp-call.yaml"

int main(void)
{
	static const char *const arguments[] = {SCENARIO, NULL};
	struct sample sample;

	printf("%s\n", SCENARIO);
	if (!measure_run(arguments, &sample))
		target_missed("it did not pass");
	target("command to verdict, s", sample.wall, "<=", 15);
	sample_free(&sample);
	return targets_status();
}
