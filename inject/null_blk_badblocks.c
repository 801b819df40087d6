// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * null-blk-badblocks: all sectors of a null_blk disk are bad, so every request fails.
 *
 * It is the one fault that null_blk takes while it is in use (drivers/block/null_blk/main.c: every other
 * attribute says EBUSY once the device is powered on). Slowness is fixed when the disk is made: its
 * "latency".
 *
 * Evidence: the list of bad blocks read back, and a direct read that fails.
 */
#include "inject/evidence.h"
#include "inject/null_blk.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * An entry of the list has 512 sectors at most and the list 512 entries (include/linux/badblocks.h). Each is
 * added by itself: of a longer range Linux 6.1 makes entries in the wrong order, and then does not find them
 * (measured).
 */
#define ENTRY_SECTORS 512
#define MOST_SECTORS  (512 * ENTRY_SECTORS)

struct null_blk_state {
	struct disk disk;
	unsigned long long sectors;
};

/* @sign: '+' makes bad, '-' good. */
static int change(const struct null_blk_state *state, char sign, struct hl_error *err)
{
	char text[48];
	int r = 0;

	for (unsigned long long from = 0; !r && from < state->sectors; from += ENTRY_SECTORS) {
		unsigned long long end =
			from + ENTRY_SECTORS < state->sectors ? from + ENTRY_SECTORS : state->sectors;

		snprintf(text, sizeof(text), "%c%llu-%llu", sign, from, end - 1);
		r = null_blk_set(state->disk.name, "badblocks", text, err);
	}
	return r;
}

static int null_blk_inject(struct injection *injection, struct hl_error *err)
{
	const struct disk_parameter *parameters = injection->parameters;
	struct null_blk_state *state = injection->state;
	char size[32];
	int r = disk_find(parameters->disk, &state->disk, err);

	if (r)
		return r;
	if (disk_attribute(state->disk.below, "size", size, sizeof(size)) ||
	    sscanf(size, "%llu", &state->sectors) != 1)
		return hl_error_set(err, EIO, "the size of %s is unknown", state->disk.below);
	if (state->sectors > MOST_SECTORS)
		return hl_error_set(err, EFBIG, "null_blk can have at most %d MiB of bad blocks",
				    MOST_SECTORS / 2048);
	return change(state, '+', err);
}

static int null_blk_confirm(struct injection *injection, struct hl_error *err)
{
	const struct null_blk_state *state = injection->state;
	char list[200];
	int r = null_blk_get(state->disk.name, "badblocks", list, sizeof(list), err);

	if (r)
		return r;
	if (!list[0])
		return hl_error_set(err, EIO, "the list of bad blocks is empty");
	evidence_add(injection, "the list of bad blocks begins with %s", list);
	return evidence_fails(state->disk.name, injection, err);
}

static int null_blk_release(struct injection *injection, struct hl_error *err)
{
	return change(injection->state, '-', err);
}

static int null_blk_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct null_blk_state *state = injection->state;
	char list[200];
	int r = null_blk_get(state->disk.name, "badblocks", list, sizeof(list), err);

	if (!r && list[0])
		r = hl_error_set(err, EIO, "there still are bad blocks: %s", list);
	return r ? r : evidence_moves(state->disk.name, injection, err);
}

static const struct parameter null_blk_parameters[] = {
	DISK_PARAMETER,
	{.name = NULL},
};

static const char *const vias[] = {"null_blk", NULL};

const struct injector injector_null_blk_badblocks = {
	.name = "null-blk-badblocks",
	.summary = "make every sector of a null_blk disk bad",
	.help = "Every request fails until the release. Confirmed by the driver's list of bad blocks and by "
		"a\n"
		"direct read that fails. For a slow disk see the key latency of disks.\n",
	.side = INJECTOR_GUEST,
	.disk_vias = vias,
	.parameters = null_blk_parameters,
	.parameters_size = sizeof(struct disk_parameter),
	.state_size = sizeof(struct null_blk_state),
	.inject = null_blk_inject,
	.confirm = null_blk_confirm,
	.release = null_blk_release,
	.confirm_released = null_blk_confirm_released,
};
