// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/tool.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

/* One per process: several children may run tools at a time. */
static const char *output_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/run/tool-output-%d", (int)getpid());
	return path;
}

int tool_run(const char *const *arguments, int *status, struct hl_error *err)
{
	const char *path = output_path();
	pid_t pid = fork();

	if (pid < 0)
		return hl_error_errno(err, errno, "start %s", arguments[0]);
	if (!pid) {
		int output = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		execvp(arguments[0], (char *const *)arguments);
		dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
		_exit(127);
	}
	if (waitpid(pid, status, 0) < 0)
		return hl_error_errno(err, errno, "wait for %s", arguments[0]);
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
	return 0;
}

void tool_output(char *output, size_t size)
{
	cleanup_free char *text = NULL;
	size_t length = 0;

	output[0] = '\0';
	if (file_read(output_path(), &text, &length, NULL))
		return;
	while (length && strchr("\n ", text[length - 1]))
		text[--length] = '\0';
	snprintf(output, size, "%s", text + (length >= size ? length - size + 1 : 0));
	for (char *c = output; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

int tool_succeed(const char *const *arguments, struct hl_error *err)
{
	char output[400];
	int status, r = tool_run(arguments, &status, err);

	if (r || !status)
		return r;
	tool_output(output, sizeof(output));
	return hl_error_set(err, EIO, "%s ended with status %d: %s", arguments[0], status, output);
}
