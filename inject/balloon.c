// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * balloon: the host takes memory away from the guest (virtio-balloon), as an overcommitted hypervisor does.
 *
 * The guest's driver inflates the balloon until little more than @size is left, or until it finds nothing
 * more to give ("Out of puff", measured). Those pages no longer count as the guest's: MemTotal shrinks.
 *
 * Evidence: in the guest MemTotal of /proc/meminfo, on the host query-balloon, asked when the fault ends.
 */
#include "inject/counter.h"
#include "inject/evidence.h"
#include "inject/inject.h"
#include "inject/workload/workload.h"

#include "base/polling.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

#define SHRINK_LIMIT (60 * NANOSECONDS_PER_SECOND)
#define POLL	     20000000

struct balloon {
	uint64_t size;
};

/** struct balloon_state - on the host @full and @least: what the guest had, and had left; in the guest @total
 */
struct balloon_state {
	int64_t full, least, total;
};

static const struct counter total = {"/proc/meminfo", "MemTotal", 0};

static int query(struct injection *injection, int64_t *bytes, struct hl_error *err)
{
	json_t *answer = NULL;
	int r = injection->vm->qmp(injection->vm->vm, "query-balloon", NULL, &answer, err);

	if (r)
		return r;
	*bytes = json_integer_value(json_object_get(answer, "actual"));
	json_decref(answer);
	return 0;
}

static int set_target(struct injection *injection, int64_t bytes, struct hl_error *err)
{
	return injection->vm->qmp(injection->vm->vm, "balloon",
				  json_pack("{s:I}", "value", (json_int_t)bytes), NULL, err);
}

static int balloon_inject(struct injection *injection, struct hl_error *err)
{
	const struct balloon *parameters = injection->parameters;
	struct balloon_state *state = injection->state;
	int r = query(injection, &state->full, err);

	if (!r && (uint64_t)state->full <= parameters->size)
		r = hl_error_set(err, EINVAL, "the guest has no more than that: %" PRId64 " MiB",
				 state->full >> 20);
	return r ? r : set_target(injection, (int64_t)parameters->size, err);
}

/* In virtual time the guest stands still now, so nothing can have moved yet. */
static int balloon_confirm(struct injection *injection, struct hl_error *err)
{
	const struct balloon_state *state = injection->state;

	(void)err;
	evidence_add(injection, "query-balloon said %" PRId64 " MiB before", state->full >> 20);
	return 0;
}

static int balloon_release(struct injection *injection, struct hl_error *err)
{
	struct balloon_state *state = injection->state;
	int r = query(injection, &state->least, err);

	return r ? r : set_target(injection, state->full, err);
}

static int balloon_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct balloon_state *state = injection->state;

	if (state->least >= state->full)
		return hl_error_set(err, EIO, "query-balloon still said %" PRId64 " MiB at its end",
				    state->least >> 20);
	evidence_add(injection, "query-balloon said %" PRId64 " MiB at its end", state->least >> 20);
	return 0;
}

/* Until it has come to rest: nothing more was given for a second. */
static int await_rest(int64_t *kilobytes, struct hl_error *err)
{
	const struct polling polling = polling_begin(SHRINK_LIMIT, POLL);
	int64_t now = workload_now(), moved_at = now, last;
	int r = counter_read(&total, &last, err);

	while (!r && now < moved_at + NANOSECONDS_PER_SECOND) {
		if (!polling_again(&polling))
			return hl_error_set(err, ETIMEDOUT, "MemTotal goes on changing");
		now = workload_now();
		r = counter_read(&total, kilobytes, err);
		if (*kilobytes != last)
			moved_at = now;
		last = *kilobytes;
	}
	return r;
}

/* The guest may keep what it cannot do without; half of what was asked for is a balloon. */
static int balloon_guest_confirm(struct injection *injection, struct hl_error *err)
{
	const struct balloon *parameters = injection->parameters;
	struct balloon_state *state = injection->state;
	int64_t now = 0, asked, taken;
	int r = counter_read(&total, &state->total, err);

	asked = state->total - (int64_t)(parameters->size >> 10);
	if (!r)
		r = await_rest(&now, err);
	if (r)
		return r;
	taken = state->total - now;
	if (taken < asked / 2)
		return hl_error_set(err, EIO, "MemTotal fell by %" PRId64 " kB only, from %" PRId64 " kB",
				    taken, state->total);
	evidence_add(injection, "MemTotal fell from %" PRId64 " kB to %" PRId64 " kB", state->total, now);
	return 0;
}

static int balloon_guest_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct balloon_state *state = injection->state;
	int64_t now;
	int r = counter_await(&total, state->total - state->total / 20, SHRINK_LIMIT, &now, err);

	if (!r)
		evidence_add(injection, "MemTotal is %" PRId64 " kB", now);
	return r;
}

static const struct parameter balloon_parameters[] = {
	{.name = "size",
	 .type = PARAMETER_SIZE,
	 .offset = offsetof(struct balloon, size),
	 .required = true,
	 .least = 16 << 20,
	 .most = 1LL << 40,
	 .help = "what the guest is to have left"},
	{.name = NULL},
};

static const char *const modules[] = {"virtio_balloon", NULL};

const struct injector injector_balloon = {
	.name = "balloon",
	.summary =
		"the host takes most of the guest's memory away (virtio-balloon), gives it back on release",
	.help = "A guest may keep more than was asked for. Confirmed by MemTotal in the guest, which falls "
		"by half\n"
		"of what was asked for at least, and comes back; and by QMP query-balloon.\n",
	.side = INJECTOR_HOST,
	.parameters = balloon_parameters,
	.parameters_size = sizeof(struct balloon),
	.state_size = sizeof(struct balloon_state),
	.needs = {.modules = modules, .vm_features = VM_BALLOON},
	.inject = balloon_inject,
	.confirm = balloon_confirm,
	.release = balloon_release,
	.confirm_released = balloon_confirm_released,
	.guest_confirm = balloon_guest_confirm,
	.guest_confirm_released = balloon_guest_confirm_released,
};
