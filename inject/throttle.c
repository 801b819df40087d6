// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * throttle: QEMU lets through only so many requests or bytes per second (block_set_io_throttle).
 *
 * Slow storage rather than stalled storage, but a limit of a few bytes stops it. The limits are those of the
 * guest's device: without any, QEMU drains it and lets go what waits. Those of a throttle group keep what is
 * queued already until its turn would have come (measured with QEMU 10.0).
 */
#include "inject/served_disk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct throttle {
	struct disk_parameter served;
	int64_t requests;
	uint64_t bytes;
};

/**
 * struct limits - what QEMU has in force for a device
 * @qdev: how QEMU calls the device
 * @requests, @bytes: per second, 0 for no limit
 */
struct limits {
	char qdev[200];
	int64_t requests, bytes;
};

static int find_limits(const json_t *devices, const char *disk, struct limits *found, struct hl_error *err)
{
	const json_t *device;
	char node[128];
	size_t i;

	/* The top of what harness/vm/qemu.c builds for each disk. */
	snprintf(node, sizeof(node), "disk-%s", disk);
	json_array_foreach (devices, i, device) {
		const json_t *inserted = json_object_get(device, "inserted");
		const char *name = json_string_value(json_object_get(inserted, "node-name"));
		const char *qdev = json_string_value(json_object_get(device, "qdev"));

		if (!name || !qdev || strcmp(name, node) != 0)
			continue;
		snprintf(found->qdev, sizeof(found->qdev), "%s", qdev);
		found->requests = json_integer_value(json_object_get(inserted, "iops"));
		found->bytes = json_integer_value(json_object_get(inserted, "bps"));
		return 0;
	}
	return hl_error_set(err, ENODEV, "QEMU has no device for disk %s", disk);
}

static int read_limits(struct injection *injection, struct limits *found, struct hl_error *err)
{
	const struct throttle *parameters = injection->parameters;
	json_t *devices = NULL;
	int r = injection->vm->qmp(injection->vm->vm, "query-block", NULL, &devices, err);

	if (!r)
		r = find_limits(devices, parameters->served.disk, found, err);
	json_decref(devices);
	return r;
}

static int set_limits(struct injection *injection, int64_t requests, int64_t bytes, struct hl_error *err)
{
	struct limits now;
	int r = read_limits(injection, &now, err);

	if (r)
		return r;
	return injection->vm->qmp(injection->vm->vm, "block_set_io_throttle",
				  json_pack("{s:s, s:I, s:i, s:i, s:I, s:i, s:i}", "id", now.qdev, "bps",
					    (json_int_t)bytes, "bps_rd", 0, "bps_wr", 0, "iops",
					    (json_int_t)requests, "iops_rd", 0, "iops_wr", 0),
				  NULL, err);
}

static int confirm_limits(struct injection *injection, int64_t requests, int64_t bytes, struct hl_error *err)
{
	struct limits now;
	int r = read_limits(injection, &now, err);

	if (r)
		return r;
	snprintf(injection->evidence, sizeof(injection->evidence),
		 "QEMU has a limit of %" PRId64 " requests/s and %" PRId64 " bytes/s (0: none)", now.requests,
		 now.bytes);
	if (now.requests != requests || now.bytes != bytes)
		return hl_error_set(err, EIO, "the limit is not what was set: %s", injection->evidence);
	return 0;
}

static int throttle_inject(struct injection *injection, struct hl_error *err)
{
	const struct throttle *parameters = injection->parameters;

	if (!parameters->requests && !parameters->bytes)
		return hl_error_set(err, EINVAL, "no limit is given: write requests or bytes");
	return set_limits(injection, parameters->requests, (int64_t)parameters->bytes, err);
}

static int throttle_confirm(struct injection *injection, struct hl_error *err)
{
	const struct throttle *parameters = injection->parameters;

	return confirm_limits(injection, parameters->requests, (int64_t)parameters->bytes, err);
}

static int throttle_release(struct injection *injection, struct hl_error *err)
{
	return set_limits(injection, 0, 0, err);
}

static int throttle_confirm_released(struct injection *injection, struct hl_error *err)
{
	return confirm_limits(injection, 0, 0, err);
}

static const struct parameter throttle_parameters[] = {
	DISK_PARAMETER,
	{.name = "requests",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct throttle, requests),
	 .fallback = "0",
	 .least = 0,
	 .most = 1000000,
	 .help = "requests per second, 0 for no such limit"},
	{.name = "bytes",
	 .type = PARAMETER_SIZE,
	 .offset = offsetof(struct throttle, bytes),
	 .fallback = "0",
	 .least = 0,
	 .most = 1LL << 40,
	 .help = "bytes per second, 0 for no such limit"},
	{.name = NULL},
};

const struct injector injector_throttle = {
	.name = "throttle",
	.summary = "let through only so many requests or bytes per second",
	.help = "Slow storage rather than stalled storage, though a limit of a few bytes stops it. Confirmed "
		"by the\n"
		"limits that QEMU reports; the release also by a disk that answers.\n",
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
