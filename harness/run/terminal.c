// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shell of an interactive plan: its terminal is the guest's second serial port, which is passed through
 * to ours.
 */
#include "run/state.h"

#include "base/file.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Ctrl-], as telnet and virsh have it: the way out of a guest that hangs, to which Ctrl-C goes. */
#define ESCAPE 0x1d

/* One run has it. */
static struct termios before;
static bool is_raw;

/* Every key goes to the guest; what hanglab prints beside the guest begins new lines as ever. */
static void make_raw(struct run *run)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before))
		return;
	raw = before;
	cfmakeraw(&raw);
	raw.c_oflag = before.c_oflag;
	is_raw = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	run_note(run, "Ctrl-] leaves the shell, also of a guest that hangs");
}

void run_detach_terminal(struct run *run)
{
	loop_remove(run->loop, &run->input_source);
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	is_raw = false;
}

/* At its end the shell ends too, once it has read all that came before. */
static void on_input(void *data)
{
	static const char end[] = "\nexit\n";
	struct run *run = data;
	char bytes[256];
	ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (is_raw && size > 0 && memchr(bytes, ESCAPE, (size_t)size)) {
		run_finish(run, GUEST_INTERRUPTED, "left with Ctrl-]");
		return;
	}
	if (size > 0) {
		file_write_all(run->vm.shell_fd, bytes, (size_t)size);
		return;
	}
	file_write_all(run->vm.shell_fd, end, strlen(end));
	loop_remove(run->loop, &run->input_source);
}

static void read_keys(struct run *run)
{
	make_raw(run);
	if (loop_watch(run->loop, STDIN_FILENO, on_input, run, &run->input_source, &run->err))
		run_finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
}

/* What is sent before the shell listens would be lost: its prompt comes first. */
static void on_output(void *data)
{
	static bool heard;
	struct run *run = data;
	char bytes[4096];
	ssize_t size = read(run->vm.shell_fd, bytes, sizeof(bytes));

	if (size <= 0)
		return;
	if (!heard)
		read_keys(run);
	heard = true;
	file_write_all(STDOUT_FILENO, bytes, (size_t)size);
}

int run_attach_terminal(struct run *run)
{
	return run->vm.shell_fd < 0
		       ? 0
		       : loop_watch(run->loop, run->vm.shell_fd, on_output, run, NULL, &run->err);
}
