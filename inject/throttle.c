// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * throttle: QEMU lets through only so many requests per second (throttle group, qom-set).
 *
 * Slow storage rather than stalled storage. There is no limit in bytes: lifting it does not release what is
 * queued already, and with QEMU 10.0 neither does a drain (measured).
 */
#include "inject/served_disk.h"

#include <inttypes.h>
#include <stdio.h>

struct throttle {
	struct disk_parameter served;
	int64_t requests;
};

/* The group that harness/vm/qemu.c makes for each served disk. */
static void group_path(const struct throttle *parameters, char *path, size_t size)
{
	snprintf(path, size, "/objects/limits-%s", parameters->served.disk);
}

static int set_limits(struct injection *injection, int64_t requests, struct hl_error *err)
{
	char path[128];

	group_path(injection->parameters, path, sizeof(path));
	return injection->vm->qmp(injection->vm->vm, "qom-set",
				  json_pack("{s:s, s:s, s:{s:I}}", "path", path, "property", "limits",
					    "value", "iops-total", (json_int_t)requests),
				  NULL, err);
}

static int confirm_limits(struct injection *injection, int64_t requests, struct hl_error *err)
{
	json_t *answer = NULL;
	char path[128];
	int64_t found;
	int r;

	group_path(injection->parameters, path, sizeof(path));
	r = injection->vm->qmp(injection->vm->vm, "qom-get",
			       json_pack("{s:s, s:s}", "path", path, "property", "limits"), &answer, err);
	if (r)
		return r;
	found = json_integer_value(json_object_get(answer, "iops-total"));
	json_decref(answer);
	snprintf(injection->evidence, sizeof(injection->evidence),
		 "QEMU has a limit of %" PRId64 " requests/s (0: none)", found);
	if (found != requests)
		return hl_error_set(err, EIO, "the limit is not what was set: %s", injection->evidence);
	return 0;
}

static int throttle_inject(struct injection *injection, struct hl_error *err)
{
	const struct throttle *parameters = injection->parameters;

	return set_limits(injection, parameters->requests, err);
}

static int throttle_confirm(struct injection *injection, struct hl_error *err)
{
	const struct throttle *parameters = injection->parameters;

	return confirm_limits(injection, parameters->requests, err);
}

static int throttle_release(struct injection *injection, struct hl_error *err)
{
	return set_limits(injection, 0, err);
}

static int throttle_confirm_released(struct injection *injection, struct hl_error *err)
{
	return confirm_limits(injection, 0, err);
}

static const struct parameter throttle_parameters[] = {
	DISK_PARAMETER,
	{.name = "requests",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct throttle, requests),
	 .required = true,
	 .least = 1,
	 .most = 1000000,
	 .help = "requests per second"},
	{.name = NULL},
};

const struct injector injector_throttle = {
	.name = "throttle",
	.summary = "let through only so many requests per second",
	.help = "Slow storage rather than stalled storage. Confirmed by the limit that QEMU reports; the "
		"release by\n"
		"a disk that answers.\n",
	.side = INJECTOR_HOST,
	.disk_vias = served_disk_qemu_vias,
	.parameters = throttle_parameters,
	.parameters_size = sizeof(struct throttle),
	.needs = {.real_clock = true},
	.inject = throttle_inject,
	.confirm = throttle_confirm,
	.release = throttle_release,
	.confirm_released = throttle_confirm_released,
	.guest_confirm_released = served_disk_moves,
};
