// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/tool.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

static void become_tool(const char *const *arguments, int output)
{
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execvp(arguments[0], (char *const *)arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

/* Reads to the end and keeps the last @size - 1 bytes. */
static void keep_tail(int fd, char *tail, size_t size)
{
	size_t used = 0;
	char block[512];
	ssize_t got;

	while ((got = read(fd, block, sizeof(block))) > 0 || (got < 0 && errno == EINTR))
		for (ssize_t i = 0; i < got; i++) {
			if (used == size - 1)
				memmove(tail, tail + 1, --used);
			tail[used++] = block[i];
		}
	while (used && strchr("\n ", tail[used - 1]))
		used--;
	tail[used] = '\0';
	for (char *c = tail; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

int tool_run(const char *const *arguments, int *status, char *output, size_t size, struct hl_error *err)
{
	cleanup_fd int from = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return hl_error_errno(err, errno, "start %s", arguments[0]);
	from = ends[0];
	pid = fork();
	if (!pid)
		become_tool(arguments, ends[1]);
	close(ends[1]);
	if (pid < 0)
		return hl_error_errno(err, errno, "start %s", arguments[0]);
	keep_tail(from, output, size);
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return hl_error_errno(err, errno, "wait for %s", arguments[0]);
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
	return 0;
}

int tool_must(const char *const *arguments, char *output, size_t size, struct hl_error *err)
{
	char own[400];
	int status, r;

	if (!output) {
		output = own;
		size = sizeof(own);
	}
	r = tool_run(arguments, &status, output, size, err);
	if (r || !status)
		return r;
	return hl_error_set(err, EIO, "%s ended with status %d: %s", arguments[0], status, output);
}
