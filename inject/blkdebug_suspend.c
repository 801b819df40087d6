// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * blkdebug-suspend: the completion of one request gets lost (QEMU's blkdebug breakpoint), until the release.
 *
 * The breakpoint suspends the next write; everything that depends on it waits, the rest goes on. The best
 * model of a controller that forgot a command. Only the guest can tell that a request really hangs.
 */
#include "inject/served_disk.h"

#include <stdio.h>
#include <string.h>

#define BREAKPOINT "hanglab"

/*
 * qemu-io's commands have no QMP form of their own; what they print is the only answer. They are sent through
 * the device: through the node, QEMU 10.0 would first wait for the very request that is to be resumed
 * (measured).
 */
static int qemu_io(struct injection *injection, const char *command, struct hl_error *err)
{
	const struct disk_parameter *parameters = injection->parameters;
	json_t *answer = NULL;
	char line[256];
	const char *text;
	int r;

	snprintf(line, sizeof(line), "qemu-io -d /machine/peripheral/device-%s/virtio-backend \"%s\"",
		 parameters->disk, command);
	r = injection->vm->qmp(injection->vm->vm, "human-monitor-command",
			       json_pack("{s:s}", "command-line", line), &answer, err);
	if (r)
		return r;
	text = json_string_value(answer);
	if (!text || text[0])
		r = hl_error_set(err, EREMOTEIO, "qemu-io %s: %.200s", command, text ? text : "no answer");
	json_decref(answer);
	return r;
}

static int blkdebug_suspend_inject(struct injection *injection, struct hl_error *err)
{
	return qemu_io(injection, "break pwritev " BREAKPOINT, err);
}

static int blkdebug_suspend_release(struct injection *injection, struct hl_error *err)
{
	return qemu_io(injection, "resume " BREAKPOINT, err);
}

/* What can be said on this side. "wait_break" would tell more, but it stops QEMU's main loop (measured). */
static int blkdebug_suspend_acknowledged(struct injection *injection, struct hl_error *err)
{
	(void)err;
	snprintf(injection->evidence, sizeof(injection->evidence), "QEMU took the command");
	return 0;
}

const struct injector injector_blkdebug_suspend = {
	.name = "blkdebug-suspend",
	.summary = "lose the completion of the next write, deliver it on release",
	.help = "Confirmed inside the guest by a request that stays in flight; a workload that writes is "
		"needed.\n",
	.side = INJECTOR_HOST,
	.disk_vias = served_disk_qemu_vias,
	.parameters = served_disk_parameters,
	.parameters_size = sizeof(struct disk_parameter),
	.needs = {.real_clock = true},
	.inject = blkdebug_suspend_inject,
	.confirm = blkdebug_suspend_acknowledged,
	.release = blkdebug_suspend_release,
	.confirm_released = blkdebug_suspend_acknowledged,
	.guest_confirm = served_disk_lost,
	.guest_confirm_released = served_disk_moves,
};
