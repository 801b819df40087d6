// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scsi-debug: the disk ignores commands, so they time out and SCSI error handling begins: abort, device,
 * target, bus and host reset, each with time limits of its own.
 *
 * drivers/scsi/scsi_debug.c: every_nth and opts work at once, also while commands are in flight ("delay" does
 * not). 0x4 ignores every command, 0x80 only those that read or write the medium.
 *
 * Evidence: the two settings read back, and a direct read that waits; for the release one that returns.
 */
#include "inject/evidence.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DRIVER "/sys/bus/pseudo/drivers/scsi_debug/"

static const char *const command_names[] = {"all", "medium", NULL};
static const char *const command_opts[] = {"0x4", "0x80"};

struct scsi_debug {
	struct disk_parameter disk;
	int commands;
	int64_t every;
};

struct scsi_debug_state {
	struct disk disk;
};

static int set(const char *name, const char *value, struct hl_error *err)
{
	cleanup_free char *path = file_path(DRIVER "%s", name);

	return file_set(path, value, err);
}

static int64_t get(const char *name)
{
	cleanup_free char *path = file_path(DRIVER "%s", name), *text = NULL;

	return file_read(path, &text, NULL, NULL) ? -1 : strtoll(text, NULL, 0);
}

static int scsi_debug_inject(struct injection *injection, struct hl_error *err)
{
	const struct scsi_debug *parameters = injection->parameters;
	struct scsi_debug_state *state = injection->state;
	char number[32];
	int r = disk_find(parameters->disk.disk, &state->disk, err);

	if (!r)
		r = set("opts", command_opts[parameters->commands], err);
	snprintf(number, sizeof(number), "%" PRId64, parameters->every);
	return r ? r : set("every_nth", number, err);
}

static int confirm_settings(struct injection *injection, int64_t opts, int64_t every, struct hl_error *err)
{
	if (get("opts") != opts || get("every_nth") != every)
		return hl_error_set(err, EIO, "scsi_debug has opts=0x%" PRIx64 " every_nth=%" PRId64,
				    get("opts"), get("every_nth"));
	evidence_add(injection, "scsi_debug has opts=0x%" PRIx64 " every_nth=%" PRId64, opts, every);
	return 0;
}

static int scsi_debug_confirm(struct injection *injection, struct hl_error *err)
{
	const struct scsi_debug *parameters = injection->parameters;
	const struct scsi_debug_state *state = injection->state;
	int r = confirm_settings(injection, strtoll(command_opts[parameters->commands], NULL, 0),
				 parameters->every, err);

	return r ? r : evidence_stalled(state->disk.name, injection, err);
}

static int scsi_debug_release(struct injection *injection, struct hl_error *err)
{
	int r = set("every_nth", "0", err);

	(void)injection;
	return r ? r : set("opts", "0", err);
}

static int scsi_debug_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct scsi_debug_state *state = injection->state;
	int r = confirm_settings(injection, 0, 0, err);

	return r ? r : evidence_moves(state->disk.name, injection, err);
}

static const struct parameter scsi_debug_parameters[] = {
	DISK_PARAMETER,
	{.name = "commands",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct scsi_debug, commands),
	 .fallback = "all",
	 .choices = command_names,
	 .help = "which are ignored: all, so error handling fails too, or those that read or write"},
	{.name = "every",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct scsi_debug, every),
	 .fallback = "1",
	 .least = 1,
	 .most = 1000000,
	 .help = "only every so many-th command is ignored"},
	{.name = NULL},
};

static const char *const vias[] = {"scsi_debug", NULL};

const struct injector injector_scsi_debug = {
	.name = "scsi-debug",
	.summary = "ignore commands of a scsi_debug disk, so that they time out",
	.help = "SCSI error handling follows, which may hang itself. After the release the disk answers when "
		"the\n"
		"present step of error handling ends: a command of its own takes up to 10 s to time out, a "
		"reset\n"
		"of the bus or the host is followed by a pause of 10 s, and both may come one after the "
		"other.\n"
		"When a command times out is said by the device_timeout of the disk.\n"
		"Confirmed by the driver's settings and by a direct read that waits.\n",
	.side = INJECTOR_GUEST,
	.disk_vias = vias,
	.parameters = scsi_debug_parameters,
	.parameters_size = sizeof(struct scsi_debug),
	.state_size = sizeof(struct scsi_debug_state),
	.inject = scsi_debug_inject,
	.confirm = scsi_debug_confirm,
	.release = scsi_debug_release,
	.confirm_released = scsi_debug_confirm_released,
};
