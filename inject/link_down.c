// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * link-down: the guest's network card loses its link (QMP set_link).
 *
 * QEMU has no command that tells the state of a link, so the proof comes from the guest: the carrier of its
 * card.
 */
#include "inject/inject.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/polling.h"

#include <stdio.h>

#define CARRIER	     "/sys/class/net/eth0/carrier"
#define CARRIER_WAIT INT64_C(5000000000)
#define CARRIER_STEP 5000000

static int set_link(struct injection *injection, bool up, struct hl_error *err)
{
	return injection->vm->qmp(injection->vm->vm, "set_link",
				  json_pack("{s:s, s:b}", "name", "card0", "up", up), NULL, err);
}

static int link_down_inject(struct injection *injection, struct hl_error *err)
{
	return set_link(injection, false, err);
}

static int link_down_release(struct injection *injection, struct hl_error *err)
{
	return set_link(injection, true, err);
}

/* What can be said on this side: QEMU knows the card and took the command. */
static int link_down_acknowledged(struct injection *injection, struct hl_error *err)
{
	(void)err;
	snprintf(injection->evidence, sizeof(injection->evidence), "QEMU took set_link");
	return 0;
}

static int await_carrier(struct injection *injection, char wanted, struct hl_error *err)
{
	const struct polling polling = polling_begin(CARRIER_WAIT, CARRIER_STEP);

	for (;;) {
		cleanup_free char *carrier = NULL;
		int r = file_read(CARRIER, &carrier, NULL, err);

		if (r)
			return r;
		if (carrier[0] == wanted)
			break;
		if (!polling_again(&polling))
			return hl_error_set(err, ETIMEDOUT, "%s is still %c", CARRIER, carrier[0]);
	}
	snprintf(injection->evidence, sizeof(injection->evidence), "the guest's card has carrier %c", wanted);
	return 0;
}

static int link_down_guest_confirm(struct injection *injection, struct hl_error *err)
{
	return await_carrier(injection, '0', err);
}

static int link_down_guest_confirm_released(struct injection *injection, struct hl_error *err)
{
	return await_carrier(injection, '1', err);
}

const struct injector injector_link_down = {
	.name = "link-down",
	.summary = "take the link of the guest's network card away (QMP set_link), give it back on release",
	.help = "For guests with a disk 'via: iscsi' or 'via: guest_nbd'. Confirmed by the carrier that the "
		"guest sees.\n",
	.side = INJECTOR_HOST,
	.needs = {.real_clock = true},
	.inject = link_down_inject,
	.confirm = link_down_acknowledged,
	.release = link_down_release,
	.confirm_released = link_down_acknowledged,
	.guest_confirm = link_down_guest_confirm,
	.guest_confirm_released = link_down_guest_confirm_released,
};
