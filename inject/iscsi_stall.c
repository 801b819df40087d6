// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * iscsi-stall: the network between initiator and target stops carrying something, and nothing is lost.
 *
 * The proxy in front of the target stops reading one direction or both, or keeps back certain iSCSI PDUs
 * while everything else, NOPs included, passes: then no ping times out, and only the requests hang.
 */
#include "inject/proxy/client.h"
#include "inject/served_disk.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const stalled_names[] = {"all", "up", "down", "responses", "writes", NULL};

/* The proxy's faults, in the same order. */
static const char *const faults[] = {"proxy/stall", "proxy/stall/up", "proxy/stall/down",
				     "proxy/iscsi/hold-responses", "proxy/iscsi/hold-writes"};

struct iscsi_stall {
	struct disk_parameter served;
	int what;
};

static int set(struct injection *injection, bool on, struct hl_error *err)
{
	const struct iscsi_stall *parameters = injection->parameters;

	return injection->vm->proxy_set(injection->vm->vm, parameters->served.disk, faults[parameters->what],
					on, PROXY_NO_VALUE, err);
}

static int iscsi_stall_inject(struct injection *injection, struct hl_error *err)
{
	return set(injection, true, err);
}

static int iscsi_stall_release(struct injection *injection, struct hl_error *err)
{
	return set(injection, false, err);
}

/* What the proxy itself says; that requests hang, or not any more, is the guest's proof. */
static int describe(struct injection *injection, bool stalled, struct hl_error *err)
{
	const struct iscsi_stall *parameters = injection->parameters;
	struct proxy_status status;
	int r = injection->vm->proxy_status(injection->vm->vm, parameters->served.disk, &status, err);

	if (r)
		return r;
	snprintf(injection->evidence, sizeof(injection->evidence),
		 "proxy: up %s, down %s, %" PRIu64 " and %" PRIu64 " bytes held",
		 status.up.stopped ? "stopped" : "open", status.down.stopped ? "stopped" : "open",
		 status.up.held, status.down.held);
	if (!stalled && (status.up.stopped || status.down.stopped))
		return hl_error_set(err, EIO, "%s", injection->evidence);
	if (stalled && parameters->what <= 2 && !status.up.stopped && !status.down.stopped)
		return hl_error_set(err, EIO, "%s", injection->evidence);
	return 0;
}

static int iscsi_stall_confirm(struct injection *injection, struct hl_error *err)
{
	return describe(injection, true, err);
}

static int iscsi_stall_confirm_released(struct injection *injection, struct hl_error *err)
{
	return describe(injection, false, err);
}

/* Where only writes are held, reads go on. */
static int iscsi_stall_guest_confirm(struct injection *injection, struct hl_error *err)
{
	const struct iscsi_stall *parameters = injection->parameters;

	return faults[parameters->what] == faults[4] ? served_disk_lost(injection, err)
						     : served_disk_stalled(injection, err);
}

static const struct parameter iscsi_stall_parameters[] = {
	DISK_PARAMETER,
	{.name = "what",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct iscsi_stall, what),
	 .fallback = "all",
	 .choices = stalled_names,
	 .help = "all traffic, only towards the target (up) or the initiator (down), only responses, only "
		 "writes"},
	{.name = NULL},
};

const struct injector injector_iscsi_stall = {
	.name = "iscsi-stall",
	.summary =
		"stop traffic between iSCSI initiator and target, let it go on at release; nothing is lost",
	.help = "The proxy that hanglab puts in front of the target holds it. Confirmed by what the proxy "
		"holds and,\n"
		"inside the guest, by requests that do not complete.\n",
	.side = INJECTOR_HOST,
	.disk_vias = served_disk_iscsi_vias,
	.parameters = iscsi_stall_parameters,
	.parameters_size = sizeof(struct iscsi_stall),
	.needs = {.real_clock = true},
	.inject = iscsi_stall_inject,
	.confirm = iscsi_stall_confirm,
	.release = iscsi_stall_release,
	.confirm_released = iscsi_stall_confirm_released,
	.guest_confirm = iscsi_stall_guest_confirm,
	.guest_confirm_released = served_disk_moves,
};
