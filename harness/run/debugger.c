// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/state.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>
#include <sys/un.h>

#define SOCKET "gdb.sock"

static int open_stub(struct run *run, const char *path, struct hl_error *err)
{
	cleanup_free char *command = file_path("gdbserver unix:%s,server=on,wait=off", path);
	json_t *answer = NULL;
	int r;

	/* It has one stub only. */
	if (run->vm.gdb || run->vm.gdb_fd >= 0)
		return hl_error_set(err, EBUSY,
				    "a fault of this scenario (vcpu-stall) uses the gdb stub itself");
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return hl_error_set(err, ENAMETOOLONG, "%s is too long for a socket; choose a shorter --out",
				    path);
	/* In real time the guest has not stopped itself. */
	r = qmp_execute(run->vm.qmp, "stop", NULL, NULL, err);
	if (!r)
		r = qmp_execute(run->vm.qmp, "human-monitor-command",
				json_pack("{s:s}", "command-line", command), &answer, err);
	json_decref(answer);
	return !r && access(path, F_OK) ? hl_error_set(err, EIO, "QEMU opened no gdb stub") : r;
}

void run_offer_debugger(struct run *run, const char *why)
{
	cleanup_free char *folder = realpath(run->folder, NULL), *path = file_path("%s/" SOCKET, folder);
	const char *release = record_release(run->record);
	struct hl_error err = HL_ERROR_INIT;

	run->debugged = true;
	/* Whoever debugs reads them. */
	fflush(run->kmsg_log);
	fflush(run->events_log);
	if (open_stub(run, path, &err)) {
		run_finish(run, GUEST_BROKE_OFF, "cannot wait for a debugger: %s", err.text);
		return;
	}
	run_journal(run, "debugger", json_pack("{s:s, s:s}", "why", why, "socket", path));
	record_debugged(run->record);
	run_await(run, "gdb");
	run_note(run, "stopped: %s. The guest waits for", why);
	run_note(run, "  gdb -ex 'target remote %s' vmlinux", path);
	run_note(run, "vmlinux of %s: /usr/lib/debug/boot/vmlinux-%s (linux-image-%s-dbg); there is no KASLR",
		 release, release, release);
	run_note(run, "detach or continue in gdb lets the run go on; Ctrl-C here ends it");
}
