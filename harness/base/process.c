// SPDX-License-Identifier: GPL-2.0-or-later
#include "process.h"

#include "cleanup.h"
#include "file.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* In the child, between fork and exec: only async-signal-safe calls. */
static void set_descriptor(int wanted, int number)
{
	int fd = wanted >= 0 ? wanted : open("/dev/null", number ? O_WRONLY : O_RDONLY);

	if (fd == number)
		fcntl(fd, F_SETFD, 0);
	else
		dup2(fd, number);
}

/*
 * A program may ask for another signal instead. nbdkit does: it asks for SIGTERM, which it does not follow
 * while its pause filter holds requests (1.32, measured). Such a wish is granted in words only.
 */
static void insist_on_death(void)
{
#define ARGUMENT(number) (offsetof(struct seccomp_data, args) + (number) * sizeof(__u64))
	static struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 5),
		/* The lower half of an argument; hosts are little-endian. */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_PDEATHSIG, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(1)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGKILL, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static const struct sock_fprog filter = {sizeof(rules) / sizeof(rules[0]), rules};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static void become_program(const char *path, const char *const *arguments, const struct process_files *files,
			   pid_t parent, int report)
{
	sigset_t none;
	int code;

	insist_on_death();
	if (getppid() != parent)
		_exit(127);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	set_descriptor(files->input, STDIN_FILENO);
	set_descriptor(files->output, STDOUT_FILENO);
	set_descriptor(files->error, STDERR_FILENO);
	for (size_t i = 0; i < files->keep_count; i++)
		fcntl(files->keep[i], F_SETFD, 0);
	execv(path, (char *const *)arguments);
	code = errno;
	(void)!write(report, &code, sizeof(code));
	_exit(127);
}

/* The pipe closes on a successful exec; otherwise it carries the errno. */
static int await_exec(int report, pid_t pid, const char *path, struct hl_error *err)
{
	int code = 0;
	ssize_t got;

	do {
		got = read(report, &code, sizeof(code));
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return 0;
	waitpid(pid, NULL, 0);
	return hl_error_errno(err, code, "start %s", path);
}

int process_start(struct process *process, const char *const *arguments, const struct process_files *files,
		  struct hl_error *err)
{
	static const struct process_files nothing = {-1, -1, -1, NULL, 0};
	cleanup_free char *path = process_find_program(arguments[0]);
	cleanup_fd int report_read = -1, report_write = -1;
	pid_t parent = getpid(), pid;
	int ends[2], r;

	if (!path)
		return hl_error_set(err, ENOENT, "the program %s is not installed", arguments[0]);
	if (pipe2(ends, O_CLOEXEC))
		return hl_error_errno(err, errno, "start %s", path);
	report_read = ends[0];
	report_write = ends[1];
	pid = fork();
	if (pid < 0)
		return hl_error_errno(err, errno, "start %s", path);
	if (!pid)
		become_program(path, arguments, files ? files : &nothing, parent, report_write);
	close(take_fd(&report_write));
	r = await_exec(report_read, pid, path, err);
	if (r)
		return r;
	process->pid = pid;
	process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process->pidfd >= 0)
		return 0;
	r = hl_error_errno(err, errno, "watch %s", path);
	process_kill(process);
	return r;
}

static void forget(struct process *process)
{
	if (process->pidfd >= 0)
		close(process->pidfd);
	*process = (struct process)PROCESS_NONE;
}

int process_wait(struct process *process, int timeout_ms, int *status, struct hl_error *err)
{
	struct pollfd watched = {.fd = process->pidfd, .events = POLLIN};
	int r;

	do {
		r = poll(&watched, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	if (!r)
		return hl_error_set(err, ETIMEDOUT, "process %d has not ended within %d ms",
				    (int)process->pid, timeout_ms);
	if (waitpid(process->pid, status, 0) < 0)
		return hl_error_errno(err, errno, "wait for process %d", (int)process->pid);
	forget(process);
	return 0;
}

void process_kill(struct process *process)
{
	if (process->pid <= 0)
		return;
	kill(-process->pid, SIGKILL);
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	forget(process);
}

bool process_has_thread(const struct process *process, pid_t thread)
{
	cleanup_free char *path = file_path("/proc/%d/task/%d", (int)process->pid, (int)thread);

	return process->pid > 1 && thread > 1 && !access(path, F_OK);
}

static int read_collected(int fd, char **text)
{
	off_t size = lseek(fd, 0, SEEK_END);
	cleanup_free char *content = size < 0 ? NULL : malloc((size_t)size + 1);
	ssize_t got;

	if (!content)
		return -ENOMEM;
	got = pread(fd, content, (size_t)size, 0);
	if (got < 0)
		return -errno;
	content[got] = '\0';
	*text = take_pointer(content);
	return 0;
}

static int describe_exit(const char *program, int status, int errors, struct hl_error *err)
{
	cleanup_free char *text = NULL;
	size_t length;

	if (read_collected(errors, &text))
		return hl_error_set(err, EIO, "%s failed", program);
	length = strlen(text);
	while (length && strchr("\n ", text[length - 1]))
		text[--length] = '\0';
	if (WIFSIGNALED(status))
		return hl_error_set(err, EIO, "%s was ended by signal %d", program, WTERMSIG(status));
	return hl_error_set(err, EIO, "%s ended with status %d%s%s", program, WEXITSTATUS(status),
			    length ? ": " : "", text + (length > 600 ? length - 600 : 0));
}

int process_run(const char *const *arguments, int timeout_ms, char **output, struct hl_error *err)
{
	cleanup_fd int collected = memfd_create("output", MFD_CLOEXEC);
	cleanup_fd int errors = memfd_create("errors", MFD_CLOEXEC);
	struct process_files files = {-1, collected, errors, NULL, 0};
	struct process child = PROCESS_NONE;
	int status = 0, r;

	if (collected < 0 || errors < 0)
		return hl_error_errno(err, errno, "collect the output of %s", arguments[0]);
	r = process_start(&child, arguments, &files, err);
	if (r)
		return r;
	r = process_wait(&child, timeout_ms, &status, err);
	if (r) {
		process_kill(&child);
		hl_error_prefix(err, "%s", arguments[0]);
		return r;
	}
	if (status)
		return describe_exit(arguments[0], status, errors, err);
	r = output ? read_collected(collected, output) : 0;
	return r ? hl_error_errno(err, -r, "collect the output of %s", arguments[0]) : 0;
}

/* Hands on the lines in @text, of @used characters, and what is left at the end. Return: what stays. */
static size_t take_lines(const struct process_listener *listener, char *text, size_t used, bool all)
{
	for (char *end; (end = strchr(text, '\n')) || (all && used);) {
		size_t length = end ? (size_t)(end - text) : used;

		text[length] = '\0';
		listener->take(listener->data, text);
		length += end != NULL;
		used -= length;
		memmove(text, text + length, used + 1);
	}
	return used;
}

/* Until the program has closed its output, which it does when it ends. */
static int follow_output(const struct process_listener *listener, int output, struct hl_error *err)
{
	struct pollfd watched = {.fd = output, .events = POLLIN};
	char text[4096];
	size_t used = 0;

	for (;;) {
		int r = poll(&watched, 1, listener->silent_ms);
		ssize_t got;

		if (r < 0 && errno == EINTR)
			continue;
		if (!r)
			return hl_error_set(err, ETIMEDOUT, "silent for %d s", listener->silent_ms / 1000);
		got = r < 0 ? -1 : read(output, text + used, sizeof(text) - 1 - used);
		if (got < 0)
			return hl_error_errno(err, errno, "read what it prints");
		used += (size_t)got;
		text[used] = '\0';
		used = take_lines(listener, text, used, !got || used == sizeof(text) - 1);
		if (!got)
			return 0;
	}
}

int process_follow(const char *const *arguments, const struct process_listener *listener, int *status,
		   struct hl_error *err)
{
	cleanup_fd int reading = -1, writing = -1;
	cleanup_with(process_kill) struct process child = PROCESS_NONE;
	struct process_files files = {-1, -1, listener->errors, NULL, 0};
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC))
		return hl_error_errno(err, errno, "a pipe");
	reading = ends[0];
	files.output = writing = ends[1];
	if (files.error < 0)
		files.error = writing;
	r = process_start(&child, arguments, &files, err);
	if (r)
		return r;
	close(take_fd(&writing));
	r = follow_output(listener, reading, err);
	return r ? r : process_wait(&child, listener->silent_ms, status, err);
}

char *process_find_program(const char *name)
{
	const char *path = getenv("PATH");
	cleanup_free char *folders = file_path("%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	char *position = NULL;

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : strdup(name);
	for (char *folder = strtok_r(folders, ":", &position); folder;
	     folder = strtok_r(NULL, ":", &position)) {
		cleanup_free char *candidate = file_path("%s/%s", folder, name);

		if (!access(candidate, X_OK))
			return take_pointer(candidate);
	}
	return NULL;
}
