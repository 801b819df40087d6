// SPDX-License-Identifier: GPL-2.0-or-later
/* The shell in a guest, fed from a pipe and from a terminal. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void shell_with(const char *commands, const char *scenario, struct outcome *outcome)
{
	cleanup_free char *script =
		file_path("printf '%s' | %s shell --out %s %s", commands, program(), runs_folder(), scenario);
	const char *const arguments[] = {"sh", "-c", script, NULL};

	run_command(arguments, 180000, outcome);
}

static void commands_from_a_pipe(void)
{
	struct outcome outcome;

	shell_with("uname -s; echo it is $((6 * 7))\\n", "", &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "\nLinux"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "it is 42"));
	outcome_free(&outcome);
}

static void faults_by_command(void)
{
	struct outcome outcome;

	shell_with("fault list\\nfault inject fsfreeze\\nfault inject nothing\\nfault\\n",
		   "scenarios/fsfreeze-hung-task.yaml", &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "fsfreeze: not in force"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "fsfreeze: injecting"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "nothing: the scenario has no such fault"));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "usage: fault inject NAME"));
	/* What was in force at the end was released. */
	CU_ASSERT_PTR_NOT_NULL(
		strstr(outcome.errors, "fsfreeze active: a second FIFREEZE of /data says EBUSY"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(outcome.errors, "fsfreeze released: a second FITHAW of /data says EINVAL"));
	outcome_free(&outcome);
}

#define SILENCE_MS 60000

/* What is typed, and what the terminal shows then; quotes keep an echo of the former from being the latter.
 */
static const struct {
	const char *keys, *answer;
} dialogue[] = {
	{"", "lab# "},
	{"stty size\r", "31 117"},
	{"fault inject fsfreeze\r", "says EBUSY"},
	/* Ctrl-C ends what runs in the guest, which it does when it can print. */
	{"sh -c \"echo ru''ns; exec sleep 1000\"\r", "runs"},
	{"\003", "lab# "},
	{"echo still $((6 * 7))\r", "still 42"},
	/* Ctrl-] ends the guest, whose shell waits for the frozen disk. */
	{"echo ru''ns; : >/data/x\r", "runs"},
	{"\035", "left with Ctrl-]"},
};

/* Adds what the terminal shows to @shown until @text is in it behind @from; false when nothing more comes. */
static bool await_text(int terminal, char *shown, size_t size, size_t from, const char *text)
{
	struct pollfd file = {.fd = terminal, .events = POLLIN};
	size_t used = strlen(shown);

	while (!strstr(shown + from, text)) {
		ssize_t more = -1;

		if (poll(&file, 1, SILENCE_MS) > 0)
			more = read(terminal, shown + used, size - 1 - used);
		if (more <= 0)
			return false;
		used += (size_t)more;
		shown[used] = '\0';
	}
	return true;
}

/* The cursor stands at the left margin when a line begins. */
static bool lines_begin_at_margin(const char *shown)
{
	for (const char *end = strchr(shown, '\n'); end; end = strchr(end + 1, '\n'))
		if (end > shown && end[-1] != '\r')
			return false;
	return true;
}

/* Return: did every answer come? */
static bool talk(int terminal, char *shown, size_t size)
{
	for (size_t i = 0; i < sizeof(dialogue) / sizeof(dialogue[0]); i++) {
		const char *keys = dialogue[i].keys;
		size_t from = strlen(shown);

		if (write(terminal, keys, strlen(keys)) == (ssize_t)strlen(keys) &&
		    await_text(terminal, shown, size, from, dialogue[i].answer))
			continue;
		printf("\n    no \"%s\" in: %s", dialogue[i].answer, shown + from);
		return false;
	}
	return true;
}

static void at_a_terminal(void)
{
	struct winsize size = {.ws_row = 31, .ws_col = 117};
	char shown[65536] = "", rest[256];
	int terminal, status;
	bool left;
	pid_t child = forkpty(&terminal, NULL, NULL, &size);

	CU_ASSERT_FATAL(child >= 0);
	if (!child) {
		execl(program(), program(), "shell", "--out", runs_folder(),
		      "scenarios/fsfreeze-hung-task.yaml", NULL);
		_exit(127);
	}
	left = talk(terminal, shown, sizeof(shown));
	CU_ASSERT_TRUE(left);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown, "Ctrl-] leaves the shell"));
	CU_ASSERT_TRUE(lines_begin_at_margin(shown));
	/* To its end, if it is about to; else it is hung up on. */
	while (left && read(terminal, rest, sizeof(rest)) > 0)
		;
	close(terminal);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

CU_TestInfo shell_tests[] = {
	{"commands from a pipe are executed in the guest", commands_from_a_pipe},
	{"faults are injected and released by command", faults_by_command},
	{"a terminal", at_a_terminal},
	CU_TEST_INFO_NULL,
};
