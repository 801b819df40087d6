// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * server-stop: the storage server that hanglab started stops answering (SIGSTOP) and goes on (SIGCONT).
 *
 * What a controller that hangs, a storage host that swaps, or a stuck target daemon does to its clients:
 * connections stay open, nothing is answered, nothing is lost.
 */
#include "inject/served_disk.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#define STATE_WAIT_MS 2000

static int signal_server(struct injection *injection, int signal, struct hl_error *err)
{
	const struct disk_parameter *parameters = injection->parameters;
	pid_t pid = injection->vm->server_pid(injection->vm->vm, parameters->disk, err);

	if (pid < 0)
		return pid;
	/* Anything else would reach far more than this server. */
	if (pid <= 1)
		return hl_error_set(err, ESRCH, "there is no server of disk %s", parameters->disk);
	return kill(pid, signal)
		       ? hl_error_errno(err, errno, "signal the server of disk %s", parameters->disk)
		       : 0;
}

/* The state letter behind the program's name, proc(5): 'T' is stopped. */
static int process_state(pid_t pid, char *state, struct hl_error *err)
{
	cleanup_free char *path = file_path("/proc/%d/stat", (int)pid), *text = NULL;
	const char *name_end;
	int r = file_read(path, &text, NULL, err);

	if (r)
		return r;
	name_end = strrchr(text, ')');
	*state = name_end && name_end[1] ? name_end[2] : '?';
	return 0;
}

static int await_stopped(struct injection *injection, bool stopped, struct hl_error *err)
{
	const struct disk_parameter *parameters = injection->parameters;
	pid_t pid = injection->vm->server_pid(injection->vm->vm, parameters->disk, err);
	char state = '?';

	if (pid < 0)
		return pid;
	for (int waited = 0; waited < STATE_WAIT_MS; waited++) {
		int r = process_state(pid, &state, err);

		if (r)
			return r;
		if ((state == 'T') == stopped) {
			snprintf(injection->evidence, sizeof(injection->evidence),
				 "server process %d is in state %c", (int)pid, state);
			return 0;
		}
		poll(NULL, 0, 1);
	}
	return hl_error_set(err, ETIMEDOUT, "server process %d is in state %c", (int)pid, state);
}

static int server_stop_inject(struct injection *injection, struct hl_error *err)
{
	return signal_server(injection, SIGSTOP, err);
}

static int server_stop_confirm(struct injection *injection, struct hl_error *err)
{
	return await_stopped(injection, true, err);
}

static int server_stop_release(struct injection *injection, struct hl_error *err)
{
	return signal_server(injection, SIGCONT, err);
}

static int server_stop_confirm_released(struct injection *injection, struct hl_error *err)
{
	return await_stopped(injection, false, err);
}

const struct injector injector_server_stop = {
	.name = "server-stop",
	.summary = "stop the storage server behind a disk (SIGSTOP), continue it on release",
	.help = "Only ever the server that hanglab itself started for this disk. Confirmed by the state of "
		"its\n"
		"process and, inside the guest, by requests that do not complete.\n",
	.side = INJECTOR_HOST,
	.disk_vias = served_disk_vias,
	.parameters = served_disk_parameters,
	.parameters_size = sizeof(struct disk_parameter),
	.needs = {.real_clock = true},
	.inject = server_stop_inject,
	.confirm = server_stop_confirm,
	.release = server_stop_release,
	.confirm_released = server_stop_confirm_released,
	.guest_confirm = served_disk_stalled,
	.guest_confirm_released = served_disk_moves,
};
