// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})

static size_t descriptors;

static void remember(void)
{
	descriptors = resources_descriptors();
}

static void nothing_left(void)
{
	CU_ASSERT_EQUAL(resources_descriptors(), descriptors);
	CU_ASSERT_FALSE(resources_has_children());
}

struct heard {
	size_t lines, longest, characters;
	char last[64];
};

static void hear(void *data, const char *line)
{
	struct heard *heard = data;
	size_t length = strlen(line);

	heard->lines++;
	heard->characters += length;
	heard->longest = length > heard->longest ? length : heard->longest;
	snprintf(heard->last, sizeof(heard->last), "%s", line);
}

static int follow(const char *script, int silent_ms, struct heard *heard, int *status, struct hl_error *err)
{
	const struct process_listener listener = {hear, heard, silent_ms, -1};

	*heard = (struct heard){0};
	return process_follow(SHELL(script), &listener, status, err);
}

/* Line by line as it comes; a long one in parts; the last one also without an end. */
static void test_follow(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct heard heard;
	int status = -1;

	remember();
	CU_ASSERT_EQUAL(
		follow("echo one; echo two >&2; echo; printf three; exit 3", 5000, &heard, &status, &err), 0);
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 3);
	CU_ASSERT_EQUAL(heard.lines, 4);
	CU_ASSERT_STRING_EQUAL(heard.last, "three");
	CU_ASSERT_EQUAL(follow("printf '%010000d\\n' 7; echo end", 5000, &heard, &status, &err), 0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(heard.characters, 10000 + strlen("end"));
	CU_ASSERT(heard.lines > 3 && heard.longest < 4096);
	CU_ASSERT_STRING_EQUAL(heard.last, "end");
	nothing_left();
}

/* One that says nothing more is not waited for, and does not stay. */
static void test_follow_silence(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct heard heard;
	int status;

	remember();
	CU_ASSERT_EQUAL(follow("echo one; exec sleep 1000", 200, &heard, &status, &err), -ETIMEDOUT);
	CU_ASSERT_STRING_EQUAL(err.text, "silent for 0 s");
	CU_ASSERT_EQUAL(heard.lines, 1);
	CU_ASSERT_EQUAL(follow("exec >&- 2>&-; exec sleep 1000", 200, &heard, &status, &err), -ETIMEDOUT);
	CU_ASSERT_EQUAL(process_follow((const char *const[]){"/no/such/program", NULL},
				       &(struct process_listener){hear, &heard, 200, -1}, &status, &err),
			-ENOENT);
	nothing_left();
}

static void test_output(void)
{
	char *output = NULL;

	remember();
	CU_ASSERT_EQUAL_FATAL(process_run(SHELL("printf 'one\\ntwo'; echo ignored >&2"), 5000, &output, NULL),
			      0);
	CU_ASSERT_STRING_EQUAL(output, "one\ntwo");
	free(output);
	CU_ASSERT_EQUAL(process_run(SHELL("cat"), 5000, &output, NULL), 0);
	CU_ASSERT_STRING_EQUAL(output, "");
	free(output);
	nothing_left();
}

static void test_failures(void)
{
	struct hl_error err = HL_ERROR_INIT;
	char *output = NULL;

	remember();
	CU_ASSERT_EQUAL(process_run(SHELL("echo half; echo why >&2; exit 3"), 5000, &output, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "sh ended with status 3: why");
	CU_ASSERT_PTR_NULL(output);
	CU_ASSERT_EQUAL(process_run(SHELL("exit 1"), 5000, NULL, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "sh ended with status 1");
	CU_ASSERT_EQUAL(process_run(SHELL("kill -TERM $$"), 5000, NULL, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "sh was ended by signal 15");
	nothing_left();
}

static void test_missing_program(void)
{
	static const char *const by_name[] = {"no-such-program", NULL}, *const by_path[] = {
										"/no/such/program", NULL};
	struct process process = PROCESS_NONE;
	struct hl_error err = HL_ERROR_INIT;

	remember();
	CU_ASSERT_EQUAL(process_start(&process, by_name, NULL, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "the program no-such-program is not installed");
	CU_ASSERT_EQUAL(process.pid, 0);
	CU_ASSERT_EQUAL(process_start(&process, by_path, NULL, &err), -ENOENT);
	CU_ASSERT_EQUAL(process_run(by_name, 1000, NULL, &err), -ENOENT);
	nothing_left();
}

/* The file is there and executable, but its interpreter is not: execve(2) fails in the child. */
static void test_failed_exec(void)
{
	cleanup_free char *path = file_path("%s/script", fixture_folder());
	const char *const arguments[] = {path, NULL};
	struct process process = PROCESS_NONE;
	struct hl_error err = HL_ERROR_INIT;

	fixture_write_text(path, "#!/no/such/interpreter\n");
	remember();
	CU_ASSERT_EQUAL(process_start(&process, arguments, NULL, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	nothing_left();
}

static void test_timeout(void)
{
	struct hl_error err = HL_ERROR_INIT;

	remember();
	CU_ASSERT_EQUAL(process_run(SHELL("sleep 100 & sleep 100"), 50, NULL, &err), -ETIMEDOUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "has not ended within 50 ms"));
	nothing_left();
}

/* A grandchild in the child's group dies too: its end of the pipe closes. */
static void test_kill(void)
{
	struct process process = PROCESS_NONE;
	struct process_files files = {-1, -1, -1, NULL, 0};
	struct pollfd watched = {.events = POLLIN};
	int ends[2];
	char text[8];
	pid_t pid;

	remember();
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	files.output = ends[1];
	CU_ASSERT_EQUAL_FATAL(process_start(&process, SHELL("sleep 100 & echo up; wait"), &files, NULL), 0);
	close(ends[1]);
	pid = process.pid;
	CU_ASSERT_EQUAL(read(ends[0], text, sizeof(text)), 3);
	CU_ASSERT_EQUAL(process_wait(&process, 0, NULL, NULL), -ETIMEDOUT);
	CU_ASSERT_EQUAL(process.pid, pid);
	process_kill(&process);
	CU_ASSERT_EQUAL(kill(pid, 0), -1);
	CU_ASSERT_EQUAL(errno, ESRCH);
	watched.fd = ends[0];
	CU_ASSERT_EQUAL(poll(&watched, 1, 5000), 1);
	CU_ASSERT_EQUAL(read(ends[0], text, sizeof(text)), 0);
	CU_ASSERT_EQUAL(process.pid, 0);
	CU_ASSERT_EQUAL(process.pidfd, -1);
	process_kill(&process);
	close(ends[0]);
	nothing_left();
}

/*
 * In a process of its own: starts a child, which says when it is ready, then dies by SIGKILL. @report
 * receives the child's pid.
 */
static void die_with_child(const char *script, int report)
{
	struct process process = PROCESS_NONE;
	struct process_files files = {-1, -1, -1, NULL, 0};
	int ends[2];
	char ready;

	if (pipe2(ends, O_CLOEXEC))
		_exit(1);
	files.output = ends[1];
	if (process_start(&process, SHELL(script), &files, NULL) || read(ends[0], &ready, 1) != 1)
		_exit(1);
	(void)!write(report, &process.pid, sizeof(process.pid));
	raise(SIGKILL);
}

/* This process adopts the orphan and so sees it end. */
static void check_death(const char *script)
{
	int ends[2], status = 0;
	pid_t parent, child = 0;

	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL_FATAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	parent = fork();
	if (!parent)
		die_with_child(script, ends[1]);
	CU_ASSERT_EQUAL(waitpid(parent, NULL, 0), parent);
	CU_ASSERT_EQUAL_FATAL(read(ends[0], &child, sizeof(child)), sizeof(child));
	alarm(10);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	alarm(0);
	CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(ends[0]);
	close(ends[1]);
	CU_ASSERT_FALSE(resources_has_children());
}

static void test_dies_with_parent(void)
{
	check_death("echo; exec sleep 100");
}

/* As nbdkit does; only that it is ignored here. */
static void test_wishes_another_death(void)
{
	check_death("exec setpriv --pdeathsig TERM sh -c 'trap \"\" TERM; echo; exec sleep 100'");
}

/* Of what we opened only what was named is inherited. */
static void test_descriptors(void)
{
	static const char script[] = "for fd in \"$@\"; do test -e /proc/$$/fd/$fd && echo $fd; done; true";
	cleanup_fd int kept = open("/dev/null", O_RDONLY | O_CLOEXEC),
		       other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cleanup_free char *path = file_path("%s/out", fixture_folder()), *text = NULL;
	cleanup_free char *kept_text = file_path("%d", kept), *other_text = file_path("%d", other);
	cleanup_free char *expected = file_path("%d\n", kept);
	cleanup_fd int output = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	const char *const arguments[] = {"sh", "-c", script, "sh", other_text, kept_text, NULL};
	struct process_files files = {-1, output, -1, &kept, 1};
	struct process process = PROCESS_NONE;
	int status = -1;

	CU_ASSERT_EQUAL_FATAL(process_start(&process, arguments, &files, NULL), 0);
	CU_ASSERT_EQUAL(process_wait(&process, 5000, &status, NULL), 0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL_FATAL(file_read(path, &text, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(text, expected);
}

static void test_find_program(void)
{
	cleanup_free char *shell = process_find_program("sh"), *path = process_find_program("/bin/sh");
	cleanup_free char *missing = process_find_program("no-such-program");
	cleanup_free char *not_executable = process_find_program("/proc/self/status");

	CU_ASSERT_PTR_NOT_NULL_FATAL(shell);
	CU_ASSERT_EQUAL(shell[0], '/');
	CU_ASSERT_STRING_EQUAL(path, "/bin/sh");
	CU_ASSERT_PTR_NULL(missing);
	CU_ASSERT_PTR_NULL(not_executable);
}

CU_TestInfo process_tests[] = {
	{"lines", test_follow},
	{"silence", test_follow_silence},
	{"output is collected", test_output},
	{"failures are told", test_failures},
	{"a missing program", test_missing_program},
	{"a program that cannot be executed", test_failed_exec},
	{"a program that takes too long is killed", test_timeout},
	{"kill takes the whole group", test_kill},
	{"a child dies with its parent", test_dies_with_parent},
	{"also one that asks for another signal", test_wishes_another_death},
	{"only named descriptors are inherited", test_descriptors},
	{"programs are found through PATH", test_find_program},
	CU_TEST_INFO_NULL,
};
