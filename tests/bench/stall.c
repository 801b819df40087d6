// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The soft lockup behind a stalled vCPU, at default thresholds: wall time from the command to the verdict.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "inject/workload/workload.h"

#include <stdio.h>
#include <stdlib.h>

#define SCENARIO     "scenarios/storage-stall-smp-call.yaml"
#define RUN_LIMIT_MS 300000
#define MOST_SECONDS 15.0

int main(void)
{
	char folder[] = "/tmp/hanglab-bench-XXXXXX";
	const char *const arguments[] = {"./hanglab", "run", "--out", folder, SCENARIO, NULL};
	struct hl_error err = HL_ERROR_INIT;
	int64_t begun;
	int r;

	if (!mkdtemp(folder))
		return 1;
	begun = workload_now();
	r = process_run(arguments, RUN_LIMIT_MS, NULL, &err);
	if (r)
		fprintf(stderr, "bench: %s\n", err.text);
	else
		printf("%s: verdict in %.1f s (target <= %.0f)\n", SCENARIO,
		       (double)(workload_now() - begun) / 1e9, MOST_SECONDS);
	file_remove_tree(folder, NULL);
	return r != 0;
}
