// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * clock-jump: the guest's wall clock jumps (clock_settime(2)), as after a bad time server or a restored
 * snapshot; the release jumps back.
 *
 * Evidence: the distance between CLOCK_REALTIME and CLOCK_MONOTONIC, which nothing but setting the clock
 * changes by much.
 */
#include "inject/evidence.h"
#include "inject/inject.h"
#include "inject/lab_vm.h"

#include "base/units.h"

#include <inttypes.h>
#include <time.h>

/* A time server may slew the clock meanwhile. */
#define TOLERANCE (NANOSECONDS_PER_SECOND / 2)

enum direction { FORWARD, BACKWARD };

static const char *const direction_names[] = {"forward", "backward", NULL};

struct clock_jump {
	int64_t by;
	int direction;
};

/* CLOCK_REALTIME minus CLOCK_MONOTONIC, before the jump. */
struct clock_jump_state {
	int64_t offset;
};

static int64_t read_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * NANOSECONDS_PER_SECOND + time.tv_nsec;
}

static int64_t wall_clock_offset(void)
{
	return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}

static int64_t wanted_jump(const struct injection *injection)
{
	const struct clock_jump *parameters = injection->parameters;

	return parameters->direction == FORWARD ? parameters->by : -parameters->by;
}

static int jump(int64_t by, struct hl_error *err)
{
	int64_t target = read_clock(CLOCK_REALTIME) + by;
	struct timespec time = {target / NANOSECONDS_PER_SECOND, target % NANOSECONDS_PER_SECOND};

	if (clock_settime(CLOCK_REALTIME, &time))
		return hl_error_errno(err, errno, "set the clock");
	return 0;
}

static int clock_jump_inject(struct injection *injection, struct hl_error *err)
{
	struct clock_jump_state *state = injection->state;
	int r = lab_vm_require(err);

	if (r)
		return r;
	state->offset = wall_clock_offset();
	return jump(wanted_jump(injection), err);
}

static int confirm_offset(struct injection *injection, int64_t wanted, struct hl_error *err)
{
	const struct clock_jump_state *state = injection->state;
	int64_t moved = wall_clock_offset() - state->offset;

	if (moved < wanted - TOLERANCE || moved > wanted + TOLERANCE)
		return hl_error_set(err, EIO,
				    "against CLOCK_MONOTONIC the clock moved by %" PRId64
				    " ms and not by %" PRId64 " ms",
				    moved / 1000000, wanted / 1000000);
	evidence_add(injection, "CLOCK_REALTIME is %" PRId64 " ms from where CLOCK_MONOTONIC says",
		     moved / 1000000);
	return 0;
}

static int clock_jump_confirm(struct injection *injection, struct hl_error *err)
{
	return confirm_offset(injection, wanted_jump(injection), err);
}

static int clock_jump_release(struct injection *injection, struct hl_error *err)
{
	return jump(-wanted_jump(injection), err);
}

static int clock_jump_confirm_released(struct injection *injection, struct hl_error *err)
{
	return confirm_offset(injection, 0, err);
}

static const struct parameter clock_jump_parameters[] = {
	{.name = "by",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct clock_jump, by),
	 .required = true,
	 .least = NANOSECONDS_PER_SECOND,
	 .most = 365 * 24 * 3600 * NANOSECONDS_PER_SECOND,
	 .help = "how far"},
	{.name = "direction",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct clock_jump, direction),
	 .fallback = "forward",
	 .choices = direction_names,
	 .help = "into the future or into the past"},
	{.name = NULL},
};

const struct injector injector_clock_jump = {
	.name = "clock-jump",
	.summary = "the guest's wall clock jumps, and back on release",
	.help = "clock_settime(CLOCK_REALTIME). Confirmed by its distance from CLOCK_MONOTONIC.\n",
	.side = INJECTOR_GUEST,
	.parameters = clock_jump_parameters,
	.parameters_size = sizeof(struct clock_jump),
	.state_size = sizeof(struct clock_jump_state),
	.inject = clock_jump_inject,
	.confirm = clock_jump_confirm,
	.release = clock_jump_release,
	.confirm_released = clock_jump_confirm_released,
};
