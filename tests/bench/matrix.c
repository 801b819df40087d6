// SPDX-License-Identifier: GPL-2.0-or-later
/* Cells of a matrix per minute, one at a time and two. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "inject/workload/workload.h"

#include <stdio.h>
#include <stdlib.h>

#define SCENARIO	"scenarios/fsfreeze-timeout-20-panic.yaml"
#define CELLS		4
#define CELLS_TEXT	"4"
#define MATRIX_LIMIT_MS 300000

static int measure(const char *out, const char *jobs)
{
	const char *const arguments[] = {"./hanglab", "matrix",	  "--kernel", "debian", "--out",  out,
					 "--repeat",  CELLS_TEXT, "--jobs",   jobs,	SCENARIO, NULL};
	struct hl_error err = HL_ERROR_INIT;
	int64_t begun = workload_now();
	int r = process_run(arguments, MATRIX_LIMIT_MS, NULL, &err);

	if (r)
		fprintf(stderr, "bench: %s\n", err.text);
	else
		printf("matrix: %.1f cells per minute with --jobs %s (%s)\n",
		       CELLS * 60 / ((double)(workload_now() - begun) / 1e9), jobs, SCENARIO);
	return r;
}

int main(void)
{
	char folder[] = "/tmp/hanglab-bench-XXXXXX";
	int r;

	if (!mkdtemp(folder))
		return 1;
	r = measure(folder, "1");
	if (!r)
		r = measure(folder, "2");
	file_remove_tree(folder, NULL);
	return r != 0;
}
