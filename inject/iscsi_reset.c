// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * iscsi-reset: the TCP connections between initiator and target are reset, and with "refuse" new ones are
 * refused until the release.
 */
#include "inject/proxy/client.h"
#include "inject/served_disk.h"

#include <inttypes.h>
#include <stdio.h>

struct iscsi_reset {
	struct disk_parameter served;
	bool refuse;
};

/* @before: connections that the proxy had reset before ours. */
struct iscsi_reset_state {
	uint64_t before;
};

static int get_status(struct injection *injection, struct proxy_status *status, struct hl_error *err)
{
	const struct iscsi_reset *parameters = injection->parameters;

	return injection->vm->proxy_status(injection->vm->vm, parameters->served.disk, status, err);
}

static int set(struct injection *injection, const char *fault, bool on, struct hl_error *err)
{
	const struct iscsi_reset *parameters = injection->parameters;

	return injection->vm->proxy_set(injection->vm->vm, parameters->served.disk, fault, on, PROXY_NO_VALUE,
					err);
}

static int iscsi_reset_inject(struct injection *injection, struct hl_error *err)
{
	const struct iscsi_reset *parameters = injection->parameters;
	struct iscsi_reset_state *state = injection->state;
	struct proxy_status status;
	int r = get_status(injection, &status, err);

	if (r)
		return r;
	state->before = status.reset;
	/* First refuse, or the initiator could be back before. */
	r = parameters->refuse ? set(injection, "proxy/refuse", true, err) : 0;
	return r ? r : set(injection, "proxy/reset", true, err);
}

static int iscsi_reset_confirm(struct injection *injection, struct hl_error *err)
{
	const struct iscsi_reset_state *state = injection->state;
	struct proxy_status status;
	int r = get_status(injection, &status, err);

	if (r)
		return r;
	if (status.reset <= state->before)
		return hl_error_set(err, EIO, "the proxy had no connection to reset");
	snprintf(injection->evidence, sizeof(injection->evidence),
		 "the proxy has reset %" PRIu64 " connection(s)", status.reset - state->before);
	return 0;
}

static int iscsi_reset_release(struct injection *injection, struct hl_error *err)
{
	const struct iscsi_reset *parameters = injection->parameters;
	int r = set(injection, "proxy/reset", false, err);

	return r || !parameters->refuse ? r : set(injection, "proxy/refuse", false, err);
}

static int iscsi_reset_confirm_released(struct injection *injection, struct hl_error *err)
{
	(void)err;
	snprintf(injection->evidence, sizeof(injection->evidence), "the proxy takes connections");
	return 0;
}

static const struct parameter iscsi_reset_parameters[] = {
	DISK_PARAMETER,
	{.name = "refuse",
	 .type = PARAMETER_BOOLEAN,
	 .offset = offsetof(struct iscsi_reset, refuse),
	 .fallback = "false",
	 .help = "also refuse new connections until the release"},
	{.name = NULL},
};

const struct injector injector_iscsi_reset = {
	.name = "iscsi-reset",
	.summary = "reset the TCP connection between iSCSI initiator and target, optionally refuse new ones",
	.help = "Confirmed by the connections that the proxy has reset; the release by a disk that "
		"answers.\n",
	.side = INJECTOR_HOST,
	.disk_vias = served_disk_iscsi_vias,
	.parameters = iscsi_reset_parameters,
	.parameters_size = sizeof(struct iscsi_reset),
	.state_size = sizeof(struct iscsi_reset_state),
	.needs = {.real_clock = true},
	.inject = iscsi_reset_inject,
	.confirm = iscsi_reset_confirm,
	.release = iscsi_reset_release,
	.confirm_released = iscsi_reset_confirm_released,
	.guest_confirm_released = served_disk_moves,
};
