// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/device_mapper.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/evidence.h"
#include "inject/tool.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const tools[] = {"dmsetup", NULL};
static const char *const modules[] = {"dm_mod", NULL};
static const char *const multipath_modules[] = {"dm_mod", "dm_multipath", "dm_round_robin", NULL};

const struct needs device_mapper_needs = {.modules = modules, .tools = tools};
const struct needs device_mapper_multipath_needs = {.modules = multipath_modules, .tools = tools};

/* dmsetup COMMAND... with up to five arguments. */
static int run(char *output, size_t size, struct hl_error *err, const char *const *arguments)
{
	const char *command[8] = {"dmsetup"};

	for (size_t i = 0; i < 6 && arguments[i]; i++)
		command[i + 1] = arguments[i];
	setenv("DM_DISABLE_UDEV", "1", 1);
	return tool_must(command, output, size, err);
}

#define dmsetup(err, ...)		     run(NULL, 0, err, (const char *const[]){__VA_ARGS__, NULL})
#define dmsetup_output(text, size, err, ...) run(text, size, err, (const char *const[]){__VA_ARGS__, NULL})

static int count_sectors(const char *device, uint64_t *sectors, struct hl_error *err)
{
	char text[32];
	int r = disk_attribute(device, "size", text, sizeof(text));

	if (!r && sscanf(text, "%" SCNu64, sectors) != 1)
		r = -EBADMSG;
	return r ? hl_error_errno(err, -r, "read the size of %s", device) : 0;
}

/* "0 SECTORS TARGET ARGUMENTS", with the device below for every "%". */
static char *make_table(uint64_t sectors, const char *target, const char *arguments, const char *below)
{
	char *table = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&table, &size);

	if (!out)
		abort();
	fprintf(out, "0 %" PRIu64 " %s ", sectors, target);
	for (; *arguments; arguments++)
		if (*arguments == '%')
			fputs(below, out);
		else
			fputc(*arguments, out);
	fclose(out);
	return table;
}

/* The /dev/dm-N whose name this is. */
static int find_device(struct disk *disk, struct hl_error *err)
{
	DIR *blocks = opendir("/sys/block");
	struct dirent *entry;
	char name[64];
	int r = -ENODEV;

	while (blocks && r && (entry = readdir(blocks)))
		if (!disk_attribute(entry->d_name, "dm/name", name, sizeof(name)) &&
		    !strcmp(name, disk->name)) {
			snprintf(disk->device, sizeof(disk->device), "/dev/%.50s", entry->d_name);
			r = 0;
		}
	if (blocks)
		closedir(blocks);
	return r ? hl_error_set(err, ENODEV, "dmsetup made no device called %s", disk->name) : 0;
}

int device_mapper_create(struct disk *disk, bool multipath, struct hl_error *err)
{
	cleanup_free char *table = NULL;
	uint64_t sectors;
	int r = count_sectors(disk->below, &sectors, err);

	if (r)
		return r;
	table = multipath ? make_table(sectors, "multipath",
				       "1 queue_if_no_path 0 1 1 round-robin 0 1 1 % 1000", disk->below)
			  : make_table(sectors, "linear", "% 0", disk->below);
	r = dmsetup(err, "create", disk->name, "--table", table);
	return r ? r : find_device(disk, err);
}

int device_mapper_suspend(const struct disk *disk, bool lockfs, struct hl_error *err)
{
	return lockfs ? dmsetup(err, "suspend", disk->name)
		      : dmsetup(err, "suspend", "--noflush", "--nolockfs", disk->name);
}

int device_mapper_resume(const struct disk *disk, struct hl_error *err)
{
	return dmsetup(err, "resume", disk->name);
}

int device_mapper_message(const struct disk *disk, const char *message, struct hl_error *err)
{
	return dmsetup(err, "message", disk->name, "0", message);
}

int device_mapper_table(const struct disk *disk, char *text, size_t size, struct hl_error *err)
{
	return dmsetup_output(text, size, err, "table", disk->name);
}

int device_mapper_status(const struct disk *disk, char *text, size_t size, struct hl_error *err)
{
	/* --noflush: never commit metadata or wait for I/O just to say how things are. */
	return dmsetup_output(text, size, err, "status", "--noflush", disk->name);
}

static int swap_table(struct table_swap *swap, const char *target, const char *arguments,
		      struct hl_error *err)
{
	cleanup_free char *table = NULL;
	uint64_t sectors;
	int r = count_sectors(swap->disk.below, &sectors, err);

	if (r)
		return r;
	table = make_table(sectors, target, arguments, swap->disk.below);
	r = device_mapper_suspend(&swap->disk, false, err);
	if (!r)
		r = dmsetup(err, "load", swap->disk.name, "--table", table);
	if (!r)
		r = disk_read_counters(swap->disk.device, &swap->before, err);
	if (!r)
		r = disk_read_counters(swap->disk.below, &swap->before_below, err);
	return r ? r : device_mapper_resume(&swap->disk, err);
}

int table_swap_inject(struct injection *injection, const char *target, const char *arguments,
		      struct hl_error *err)
{
	const struct disk_parameter *parameters = injection->parameters;
	struct table_swap *swap = injection->state;
	int r = disk_find(parameters->disk, &swap->disk, err);

	return r ? r : swap_table(swap, target, arguments, err);
}

int table_swap_confirm(struct injection *injection, const char *target, struct hl_error *err)
{
	const struct table_swap *swap = injection->state;
	char table[200], live[32] = "";
	int r = device_mapper_table(&swap->disk, table, sizeof(table), err);

	if (r)
		return r;
	if (sscanf(table, "%*u %*u %31s", live) != 1 || strcmp(live, target) != 0)
		return hl_error_set(err, EIO, "the live table of %s is '%s', not of %s", swap->disk.name,
				    table, target);
	evidence_add(injection, "the live table is '%s'", table);
	return 0;
}

int table_swap_release(struct injection *injection, struct hl_error *err)
{
	return swap_table(injection->state, "linear", "% 0", err);
}

int table_swap_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct table_swap *swap = injection->state;
	int r = table_swap_confirm(injection, "linear", err);

	return r ? r : evidence_moves(swap->disk.name, injection, err);
}
