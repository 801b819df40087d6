// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vm-pause: the whole VM loses the host's CPU for a while, as on an overcommitted host or during a slow
 * migration: SIGSTOP to QEMU, SIGCONT on release. Unlike with vm-stop the guest's clock goes on, so
 * afterwards every busy CPU seems to have been locked up.
 *
 * There is no parameter for a process: it is the VM's own.
 *
 * Evidence from /proc: every thread of QEMU is stopped, and between the injection and the release they used
 * no CPU time; afterwards they do again.
 */
#include "inject/evidence.h"
#include "inject/host_thread.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <signal.h>
#include <string.h>

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define LIMIT	    (5 * 1000000000LL)

struct vm_pause_state {
	struct host_threads paused;
};

static int look_at_threads(const struct injection *injection, struct host_threads *threads,
			   struct hl_error *err)
{
	return host_threads_look(injection->vm->process(injection->vm->vm), threads, err);
}

static int signal_vm(const struct injection *injection, int signal, struct hl_error *err)
{
	pid_t process = injection->vm->process(injection->vm->vm);

	/* Anything else would reach far more than this VM. */
	if (process <= 1)
		return hl_error_set(err, ESRCH, "there is no QEMU");
	return kill(process, signal) ? hl_error_errno(err, errno, "signal QEMU") : 0;
}

/* In the guest. A counter that wraps during the pause hides it: hpet in 42.9 s, acpi_pm in 4.7 s. */
static int vm_pause_prepare(struct hl_error *err)
{
	static const char *const good[] = {"tsc", "tsc-early", "kvm-clock"};
	cleanup_free char *name = NULL;
	int r = file_read(CLOCKSOURCE, &name, NULL, err);

	if (r)
		return r;
	name[strcspn(name, "\n")] = '\0';
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!strcmp(name, good[i]))
			return 0;
	return hl_error_set(
		err, ENOTSUP,
		"the guest's clocksource %s cannot show that the VM was paused (tsc and kvm-clock can)",
		name);
}

static int vm_pause_inject(struct injection *injection, struct hl_error *err)
{
	return signal_vm(injection, SIGSTOP, err);
}

static int all_are_stopped(void *data, struct hl_error *err)
{
	const struct injection *injection = data;
	struct vm_pause_state *state = injection->state;
	int r = look_at_threads(injection, &state->paused, err);

	return r ? r : state->paused.stopped && host_threads_stand_still(&state->paused);
}

static int vm_pause_confirm(struct injection *injection, struct hl_error *err)
{
	const struct vm_pause_state *state = injection->state;
	int r = evidence_poll(all_are_stopped, injection, LIMIT, err);

	if (r == -ETIMEDOUT)
		return hl_error_set(err, EIO, "only %zu of QEMU's %zu threads are stopped",
				    state->paused.stopped, state->paused.count);
	if (!r)
		evidence_add(injection, "all %zu threads of QEMU are stopped", state->paused.count);
	return r;
}

/* The other half of the proof: none ran while it lasted. */
static int vm_pause_release(struct injection *injection, struct hl_error *err)
{
	const struct vm_pause_state *state = injection->state;
	struct host_threads now;
	int r = look_at_threads(injection, &now, err),
	    signalled = signal_vm(injection, SIGCONT, r ? NULL : err);

	if (r || signalled)
		return r ? r : signalled;
	if (!host_threads_stand_still(&now) || now.run_nanoseconds != state->paused.run_nanoseconds)
		return hl_error_set(err, EIO, "QEMU did not stand still: it used %.3f s of CPU time",
				    (double)(now.run_nanoseconds - state->paused.run_nanoseconds) / 1e9);
	return 0;
}

static int runs_again(void *data, struct hl_error *err)
{
	const struct injection *injection = data;
	const struct vm_pause_state *state = injection->state;
	struct host_threads now;
	int r = look_at_threads(injection, &now, err);

	return r ? r : !now.stopped && now.run_nanoseconds > state->paused.run_nanoseconds;
}

static int vm_pause_confirm_released(struct injection *injection, struct hl_error *err)
{
	int r = evidence_poll(runs_again, injection, LIMIT, err);

	if (r == -ETIMEDOUT)
		return hl_error_set(err, EIO, "QEMU does not run again");
	if (!r)
		evidence_add(injection, "QEMU used no CPU time meanwhile, and does again");
	return r;
}

const struct injector injector_vm_pause = {
	.name = "vm-pause",
	.summary = "take the host's CPU from the whole VM (SIGSTOP), while its clock goes on",
	.help = "As an overcommitted host does; every busy CPU then seems to have been locked up. Refuses a "
		"guest\n"
		"whose clocksource cannot show it. Confirmed by the states of QEMU's threads and by their "
		"CPU\n"
		"time, which does not grow until the release and does afterwards.\n",
	.side = INJECTOR_HOST,
	.stops_vm = true,
	.guest_clock_goes_on = true,
	.state_size = sizeof(struct vm_pause_state),
	.needs = {.real_clock = true},
	.guest_prepare = vm_pause_prepare,
	.inject = vm_pause_inject,
	.confirm = vm_pause_confirm,
	.release = vm_pause_release,
	.confirm_released = vm_pause_confirm_released,
};
