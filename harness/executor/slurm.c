// SPDX-License-Identifier: GPL-2.0-or-later
/* Slurm: one array job. Partition, account, memory and time limit come from sbatch's own SBATCH_ variables.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/shell.h"
#include "executor/executor.h"
#include "executor/hand_over.h"

#include <errno.h>

/* "--array=1,2,5%2": which lines, and how many at a time. */
static char *make_array(const struct executor_order *order)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fprintf(out, "--array=");
	for (size_t i = 0; i < order->count; i++)
		fprintf(out, "%s%zu", i ? "," : "", order->lines[i]);
	if (order->jobs)
		fprintf(out, "%%%zu", order->jobs);
	fclose(out);
	return text;
}

static int cancel(const char *name, struct hl_error *err)
{
	cleanup_free char *job = file_path("--name=%s", name);
	const char *const arguments[] = {"scancel", job, NULL};
	struct handed_over done cleanup_with(handed_over_clear) = {0};
	int r = hand_over(arguments, "", &done, err);

	return r ? r : hl_error_set(err, EINTR, "interrupted; the jobs %s are cancelled", name);
}

/*
 * sbatch prints the number of the job that it submitted; its exit status afterwards is that of the members,
 * which their results tell better. A member that is lost with its node is run again here, not by Slurm.
 */
static int run(const struct executor_order *order, struct hl_error *err)
{
	cleanup_free char *name = file_path("hanglab-%d", (int)getpid()), *list = shell_quote(order->list);
	cleanup_free char *array = make_array(order), *job_name = file_path("--job-name=%s", name);
	cleanup_free char *output = file_path("--output=%s.%%a.log", order->list);
	cleanup_free char *script =
		file_path("#!/bin/sh\nsed -n \"${SLURM_ARRAY_TASK_ID}p\" %s | sh\n", list);
	const char *const arguments[] = {"sbatch", "--parsable", "--wait", "--no-requeue",
					 job_name, array,	 output,   NULL};
	struct handed_over done cleanup_with(handed_over_clear) = {0};
	int r = hand_over(arguments, script, &done, err);

	if (r)
		return r;
	if (done.interrupted)
		return cancel(name, err);
	return done.output[0] ? 0 : hl_error_set(err, EIO, "%s", done.errors);
}

const struct executor executor_slurm = {
	.name = "slurm",
	.summary = "one array job of Slurm's, --jobs at a time; sbatch reads its SBATCH_ variables",
	.run = run,
};
