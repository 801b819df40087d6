// SPDX-License-Identifier: GPL-2.0-or-later
/* GNU parallel: hosts reached with ssh; ":" is this one. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/shell.h"
#include "executor/executor.h"
#include "executor/hand_over.h"

#include <errno.h>
#include <sys/wait.h>

/* Exit statuses above are parallel's own trouble, those up to it the number of jobs that failed
 * (parallel(1)). */
#define MOST_FAILED 101

/* One number of a line for each job. */
static char *make_input(const struct executor_order *order)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	for (size_t i = 0; i < order->count; i++)
		fprintf(out, "%zu\n", order->lines[i]);
	fclose(out);
	return text;
}

static int run(const struct executor_order *order, struct hl_error *err)
{
	cleanup_free char *list = shell_quote(order->list), *input = make_input(order);
	cleanup_free char *command = file_path("sed -n {}p %s | sh", list),
			  *jobs = file_path("%zu", order->jobs ? order->jobs : 1);
	const char *const arguments[] = {"parallel",   "--plain",    "--will-cite", "--jobs", jobs,
					 "--sshlogin", order->hosts, command,	    NULL};
	struct handed_over done cleanup_with(handed_over_clear) = {0};
	int r = hand_over(arguments, input, &done, err);

	if (r)
		return r;
	if (done.interrupted)
		return hl_error_set(err, EINTR, "interrupted");
	if (!WIFEXITED(done.status) || WEXITSTATUS(done.status) > MOST_FAILED)
		return hl_error_set(err, EIO, "parallel: %s", done.errors);
	return 0;
}

const struct executor executor_parallel = {
	.name = "parallel",
	.operand = "HOSTS",
	.summary = "GNU parallel on a list of hosts, --jobs on each; \":\" is this host",
	.run = run,
};
