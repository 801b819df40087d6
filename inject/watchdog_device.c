// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * watchdog-device: a hardware watchdog (Intel 6300ESB) that is armed in the guest and never fed, as when the
 * daemon that feeds it hangs. QEMU does what it was told when the time is up, and says so: that is the proof.
 */
#include "inject/vm_console.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "inject/evidence.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE "/dev/watchdog0"

/* As QMP calls them. */
static const char *const actions[] = {"inject-nmi", "pause", "reset", NULL};

/** struct watchdog_parameters - parameters; @timeout in nanoseconds, @action an index into actions */
struct watchdog_parameters {
	int64_t timeout;
	int action;
};

static const struct parameter parameters[] = {
	{.name = "timeout",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct watchdog_parameters, timeout),
	 .fallback = "30s",
	 .least = NANOSECONDS_PER_SECOND,
	 .most = 2046 * NANOSECONDS_PER_SECOND,
	 .help = "how long it waits to be fed, in whole seconds"},
	{.name = "action",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct watchdog_parameters, action),
	 .fallback = "inject-nmi",
	 .choices = actions,
	 .help = "what it does then; pause and reset end the guest (ends: watchdog)"},
	{.name = NULL},
};

static const char *action_of(const struct injection *injection)
{
	const struct watchdog_parameters *given = injection->parameters;

	return actions[given->action];
}

static int watchdog_inject(struct injection *injection, struct hl_error *err)
{
	return injection->vm->qmp(injection->vm->vm, "watchdog-set-action",
				  json_pack("{s:s}", "action", action_of(injection)), NULL, err);
}

static int watchdog_confirm(struct injection *injection, struct hl_error *err)
{
	const json_t *event = injection->vm->event(injection->vm->vm, "WATCHDOG");
	const char *action = json_string_value(json_object_get(json_object_get(event, "data"), "action"));

	if (!action)
		return hl_error_set(err, EIO, "the watchdog has not expired: no QMP event WATCHDOG came");
	if (strcmp(action, action_of(injection)) != 0)
		return hl_error_set(err, EIO, "the watchdog's action was %s, not %s", action,
				    action_of(injection));
	snprintf(injection->evidence, sizeof(injection->evidence), "QMP event WATCHDOG, action %s", action);
	return 0;
}

/* Left open: the driver would disarm it. */
static int watchdog = -1;

static int watchdog_guest_confirm(struct injection *injection, struct hl_error *err)
{
	const struct watchdog_parameters *given = injection->parameters;
	int seconds = (int)(given->timeout / NANOSECONDS_PER_SECOND), left = -1;

	watchdog = open(DEVICE, O_WRONLY | O_CLOEXEC);
	if (watchdog < 0)
		return hl_error_errno(err, errno, "open " DEVICE);
	if (ioctl(watchdog, WDIOC_SETTIMEOUT, &seconds) || ioctl(watchdog, WDIOC_GETTIMEOUT, &left))
		return hl_error_errno(err, errno, "arm " DEVICE);
	if (left != seconds)
		return hl_error_set(err, EIO, DEVICE " waits %d s, not %d s", left, seconds);
	evidence_add(injection, DEVICE " is armed with %d s", left);
	return 0;
}

static int watchdog_guest_confirm_released(struct injection *injection, struct hl_error *err)
{
	if (write(watchdog, "V", 1) != 1 || close(take_fd(&watchdog)))
		return hl_error_errno(err, errno, "disarm " DEVICE);
	evidence_add(injection, DEVICE " is disarmed");
	return 0;
}

static const char *const modules[] = {"i6300esb", NULL};

const struct injector injector_watchdog_device = {
	.name = "watchdog-device",
	.summary = "a hardware watchdog (Intel 6300ESB) that nobody feeds; it sends an NMI, pauses or resets "
		   "the VM",
	.help = "Needs a kernel with the driver i6300esb (debian:amd64 has it, the cloud kernel has not).\n"
		"Confirmed inside the guest by the time that the driver has set, and by QEMU's event when it "
		"has\n"
		"expired.\n",
	.side = INJECTOR_HOST,
	.proved_later = true,
	.parameters = parameters,
	.parameters_size = sizeof(struct watchdog_parameters),
	.needs = {.modules = modules, .vm_features = VM_WATCHDOG},
	.inject = watchdog_inject,
	.confirm = watchdog_confirm,
	.release = vm_nothing_to_release,
	.confirm_released = vm_nothing_to_release,
	.guest_confirm = watchdog_guest_confirm,
	.guest_confirm_released = watchdog_guest_confirm_released,
};
