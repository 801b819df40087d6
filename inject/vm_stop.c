// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vm-stop: the whole VM stands still for a while (QMP stop and cont).
 *
 * QEMU stops the guest's clock with the guest, so the guest cannot notice: no detector may speak
 * (measured). It is the control for faults that stop the VM without stopping its clock.
 */
#include "inject/inject.h"

#include <stdio.h>
#include <string.h>

static int query_running(struct injection *injection, bool *running, struct hl_error *err)
{
	json_t *answer = NULL;
	int r = injection->vm->qmp(injection->vm->vm, "query-status", NULL, &answer, err);

	if (r)
		return r;
	*running = json_is_true(json_object_get(answer, "running"));
	snprintf(injection->evidence, sizeof(injection->evidence), "query-status says %s",
		 json_string_value(json_object_get(answer, "status")));
	json_decref(answer);
	return 0;
}

static int vm_stop_inject(struct injection *injection, struct hl_error *err)
{
	return injection->vm->qmp(injection->vm->vm, "stop", NULL, NULL, err);
}

static int vm_stop_confirm(struct injection *injection, struct hl_error *err)
{
	bool running = true;
	int r = query_running(injection, &running, err);

	return r || !running ? r : hl_error_set(err, EIO, "the VM still runs: %s", injection->evidence);
}

static int vm_stop_release(struct injection *injection, struct hl_error *err)
{
	return injection->vm->qmp(injection->vm->vm, "cont", NULL, NULL, err);
}

static int vm_stop_confirm_released(struct injection *injection, struct hl_error *err)
{
	bool running = false;
	int r = query_running(injection, &running, err);

	return r || running ? r : hl_error_set(err, EIO, "the VM is still stopped: %s", injection->evidence);
}

const struct injector injector_vm_stop = {
	.name = "vm-stop",
	.summary = "stop the whole VM together with its clock (QMP stop), continue it on release",
	.help = "The guest's clock stands still, so nothing may be reported: a control.\n"
		"Confirmed by QMP query-status.\n",
	.side = INJECTOR_HOST,
	.stops_vm = true,
	.inject = vm_stop_inject,
	.confirm = vm_stop_confirm,
	.release = vm_stop_release,
	.confirm_released = vm_stop_confirm_released,
};
