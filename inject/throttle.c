// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * throttle: QEMU lets through only so many requests or bytes per second (throttle group, qom-set).
 *
 * Lifting the limits does not release what is queued already; QMP stop and cont do, because a drain passes
 * by the throttling (measured). Both limits are always set together: qom-set merges.
 */
#include "inject/served_disk.h"

#include <inttypes.h>
#include <stdio.h>

struct throttle {
	struct disk_parameter served;
	int64_t requests, bytes;
};

/* The group that harness/vm/qemu.c makes for each served disk. */
static void group_path(const struct throttle *parameters, char *path, size_t size)
{
	snprintf(path, size, "/objects/limits-%s", parameters->served.disk);
}

static int set_limits(struct injection *injection, int64_t requests, int64_t bytes, struct hl_error *err)
{
	char path[128];

	group_path(injection->parameters, path, sizeof(path));
	return injection->vm->qmp(injection->vm->vm, "qom-set",
				  json_pack("{s:s, s:s, s:{s:I, s:I}}", "path", path, "property", "limits", "value",
					    "iops-total", (json_int_t)requests, "bps-total", (json_int_t)bytes),
				  NULL, err);
}

static int confirm_limits(struct injection *injection, int64_t requests, int64_t bytes, struct hl_error *err)
{
	json_t *answer = NULL;
	char path[128];
	int64_t found_requests, found_bytes;
	int r;

	group_path(injection->parameters, path, sizeof(path));
	r = injection->vm->qmp(injection->vm->vm, "qom-get", json_pack("{s:s, s:s}", "path", path, "property", "limits"),
			       &answer, err);
	if (r)
		return r;
	found_requests = json_integer_value(json_object_get(answer, "iops-total"));
	found_bytes = json_integer_value(json_object_get(answer, "bps-total"));
	json_decref(answer);
	snprintf(injection->evidence, sizeof(injection->evidence),
		 "QEMU has limits of %" PRId64 " requests/s and %" PRId64 " bytes/s", found_requests, found_bytes);
	if (found_requests != requests || found_bytes != bytes)
		return hl_error_set(err, EIO, "the limits are not what was set: %s", injection->evidence);
	return 0;
}

static int throttle_inject(struct injection *injection, struct hl_error *err)
{
	const struct throttle *parameters = injection->parameters;

	if (!parameters->requests && !parameters->bytes)
		return hl_error_set(err, EINVAL, "neither 'requests' nor 'bytes' sets a limit");
	return set_limits(injection, parameters->requests, parameters->bytes, err);
}

static int throttle_confirm(struct injection *injection, struct hl_error *err)
{
	const struct throttle *parameters = injection->parameters;

	return confirm_limits(injection, parameters->requests, parameters->bytes, err);
}

static int throttle_release(struct injection *injection, struct hl_error *err)
{
	int r = set_limits(injection, 0, 0, err);

	if (!r)
		r = injection->vm->qmp(injection->vm->vm, "stop", NULL, NULL, err);
	return r ? r : injection->vm->qmp(injection->vm->vm, "cont", NULL, NULL, err);
}

static int throttle_confirm_released(struct injection *injection, struct hl_error *err)
{
	return confirm_limits(injection, 0, 0, err);
}

static const struct parameter throttle_parameters[] = {
	DISK_PARAMETER,
	{.name = "requests", .type = PARAMETER_INTEGER, .offset = offsetof(struct throttle, requests), .fallback = "0",
	 .least = 0, .most = 1000000, .help = "requests per second, 0 for no limit"},
	{.name = "bytes", .type = PARAMETER_SIZE, .offset = offsetof(struct throttle, bytes), .fallback = "0",
	 .least = 0, .most = 1 << 30, .help = "bytes per second, 0 for no limit"},
	{.name = NULL},
};

const struct injector injector_throttle = {
	.name = "throttle",
	.summary = "let through only so many requests or bytes per second",
	.help = "Slow storage rather than stalled storage; one byte per second is a stall. Confirmed by the limits\n"
		"that QEMU reports.\n",
	.side = INJECTOR_HOST,
	.parameters = throttle_parameters,
	.parameters_size = sizeof(struct throttle),
	.needs = {.real_clock = true},
	.inject = throttle_inject,
	.confirm = throttle_confirm,
	.release = throttle_release,
	.confirm_released = throttle_confirm_released,
};
