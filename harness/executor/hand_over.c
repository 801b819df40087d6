// SPDX-License-Identifier: GPL-2.0-or-later
#include "executor/hand_over.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

/* How long a program may take to end its jobs. */
#define END_LIMIT_MS 30000

void handed_over_clear(struct handed_over *done)
{
	free(done->output);
	free(done->errors);
	*done = (struct handed_over){0};
}

static char *read_memory(int fd)
{
	cleanup_free char *path = file_path("/proc/self/fd/%d", fd);
	char *text = NULL;

	return file_read(path, &text, NULL, NULL) ? strdup("") : text;
}

/* GNU parallel ends its jobs at the second signal. */
static void end(struct process *program, int *status)
{
	struct hl_error err = HL_ERROR_INIT;

	kill(program->pid, SIGTERM);
	if (!process_wait(program, 200, status, &err))
		return;
	kill(program->pid, SIGTERM);
	if (process_wait(program, END_LIMIT_MS, status, &err))
		process_kill(program);
}

static int await(struct process *program, struct handed_over *done, struct hl_error *err)
{
	sigset_t set, old;
	struct pollfd watched[2] = {{.fd = program->pidfd, .events = POLLIN}};
	cleanup_fd int signals = -1;
	int r = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	watched[1] = (struct pollfd){.fd = signals, .events = POLLIN};
	while (poll(watched, 2, -1) < 0 && errno == EINTR)
		;
	if (watched[1].revents) {
		struct signalfd_siginfo signal;

		(void)!read(signals, &signal, sizeof(signal));
		done->interrupted = 1;
		end(program, &done->status);
	} else {
		r = process_wait(program, -1, &done->status, err);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

int hand_over(const char *const *arguments, const char *input, struct handed_over *done, struct hl_error *err)
{
	cleanup_fd int in = memfd_create("input", MFD_CLOEXEC), out = memfd_create("output", MFD_CLOEXEC),
		       errors = memfd_create("errors", MFD_CLOEXEC);
	struct process_files files = {in, out, errors, NULL, 0};
	struct process program = PROCESS_NONE;
	int r;

	if (in < 0 || out < 0 || errors < 0 || file_write_all(in, input, strlen(input)) ||
	    lseek(in, 0, SEEK_SET) < 0)
		return hl_error_errno(err, errno, "start %s", arguments[0]);
	r = process_start(&program, arguments, &files, err);
	if (!r)
		r = await(&program, done, err);
	process_kill(&program);
	done->output = read_memory(out);
	done->errors = read_memory(errors);
	return r;
}
