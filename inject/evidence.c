// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/evidence.h"

#include "base/cleanup.h"
#include "base/polling.h"
#include "base/units.h"
#include "inject/workload/workload.h"

#include <fcntl.h>
#include <libaio.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define BLOCK	    4096
#define STEP	    (20 * 1000000LL)
#define QUIET	    NANOSECONDS_PER_SECOND
#define STALL_LIMIT (20 * NANOSECONDS_PER_SECOND)
/* SCSI error handling may still be on its way down its own timeouts. */
#define MOVE_LIMIT  (45 * NANOSECONDS_PER_SECOND)

void evidence_add(struct injection *injection, const char *format, ...)
{
	size_t used = strlen(injection->evidence), size = sizeof(injection->evidence);
	va_list args;

	if (used)
		used += (size_t)snprintf(injection->evidence + used, size - used, "; ");
	va_start(args, format);
	if (used < size)
		vsnprintf(injection->evidence + used, size - used, format, args);
	va_end(args);
}

int evidence_poll(int (*holds)(void *data, struct hl_error *err), void *data, int64_t limit,
		  struct hl_error *err)
{
	const struct polling polling = polling_begin(limit, STEP);
	int r;

	while (!(r = holds(data, err)))
		if (!polling_again(&polling))
			return -ETIMEDOUT;
	return r < 0 ? r : 0;
}

/**
 * struct probe - a direct read
 * @context: kept when the read is still in flight at the end: io_destroy() would wait for it
 */
struct probe {
	int fd;
	off_t offset;
	void *buffer;
	io_context_t context;
	struct iocb request;
	int64_t started_at;
	bool waits;
};

/*
 * Opened once and kept to the end of the child: opening a SCSI disk again waits for its error handling
 * (drivers/scsi/sd.c, sd_open()), and a detector would report that.
 */
static int open_device(const char *device)
{
	static char opened[64];
	static int fd = -1;

	if (fd >= 0 && !strcmp(opened, device))
		return fd;
	snprintf(opened, sizeof(opened), "%s", device);
	fd = open(device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	return fd;
}

static int probe_open(struct probe *probe, const char *device, struct hl_error *err)
{
	uint64_t size = 0;
	int r;

	*probe = (struct probe){.fd = open_device(device)};
	if (probe->fd < 0 || ioctl(probe->fd, BLKGETSIZE64, &size))
		return hl_error_errno(err, errno, "open %s", device);
	/* Rarely is anything there, so no writeback of it is waited for. */
	probe->offset = (off_t)(size / BLOCK - 1) * BLOCK;
	probe->buffer = aligned_alloc(BLOCK, BLOCK);
	r = probe->buffer ? io_setup(1, &probe->context) : -ENOMEM;
	return r ? hl_error_errno(err, -r, "probe %s", device) : 0;
}

static int probe_submit(struct probe *probe, struct hl_error *err)
{
	struct iocb *request = &probe->request;
	int r;

	io_prep_pread(request, probe->fd, probe->buffer, BLOCK, probe->offset);
	probe->started_at = workload_now();
	r = io_submit(probe->context, 1, &request);
	probe->waits = r == 1;
	return r == 1 ? 0 : hl_error_errno(err, r < 0 ? -r : EIO, "submit a direct read");
}

/* Waits a little. Return: true when the read ended, with its result. */
static bool probe_ended(struct probe *probe, int *result)
{
	struct timespec step = {0, STEP};
	struct io_event event;

	if (io_getevents(probe->context, 1, 1, &event, &step) != 1)
		return false;
	*result = (int)(long)event.res;
	probe->waits = false;
	return true;
}

static void probe_close(struct probe *probe)
{
	if (probe->waits)
		return;
	if (probe->context)
		io_destroy(probe->context);
	free(probe->buffer);
}

static double seconds_since(int64_t since)
{
	return (double)(workload_now() - since) / 1e9;
}

static int await_quiet(const struct disk *disk, struct probe *probe, struct disk_counters *counters,
		       struct hl_error *err)
{
	const struct polling polling = polling_begin(STALL_LIMIT, STEP);
	int64_t begun = workload_now(), quiet_since = begun;
	int result, r = disk_read_counters(disk->device, counters, err);
	uint64_t first = counters->completed, last = first;

	while (!r && workload_now() < quiet_since + QUIET) {
		bool ended = probe_ended(probe, &result);

		if (ended ? !polling_again(&polling) : polling_over(&polling))
			return hl_error_set(
				err, ETIMEDOUT, "%s goes on answering: %llu requests completed in %.0f s",
				disk->device, (unsigned long long)(last - first), seconds_since(begun));
		if (ended)
			r = probe_submit(probe, err);
		if (!r)
			r = disk_read_counters(disk->device, counters, err);
		if (ended || counters->completed != last)
			quiet_since = workload_now();
		last = counters->completed;
	}
	return r;
}

int evidence_stalled(const char *name, struct injection *injection, struct hl_error *err)
{
	struct disk_counters counters = {0};
	struct probe probe = {.fd = -1};
	struct disk disk;
	int r = disk_find(name, &disk, err);

	if (!r)
		r = probe_open(&probe, disk.device, err);
	if (!r)
		r = probe_submit(&probe, err);
	if (!r)
		r = await_quiet(&disk, &probe, &counters, err);
	if (!r)
		evidence_add(injection,
			     "%s: nothing completed for %.1f s while a direct read waits, %llu in flight%s",
			     disk.device, (double)QUIET / 1e9, (unsigned long long)counters.in_flight,
			     disk_is_suspended(disk.device) ? ", suspended" : "");
	probe_close(&probe);
	return r;
}

static int await_result(struct probe *probe, int64_t limit, int *result)
{
	while (!probe_ended(probe, result))
		if (workload_now() > probe->started_at + limit)
			return -ETIMEDOUT;
	return 0;
}

int evidence_moves(const char *name, struct injection *injection, struct hl_error *err)
{
	const struct polling polling = polling_begin(MOVE_LIMIT, STEP);
	struct probe probe = {.fd = -1};
	struct disk disk;
	int result = 0, r = disk_find(name, &disk, err);

	if (!r)
		r = probe_open(&probe, disk.device, err);
	while (!r && result != BLOCK) {
		r = probe_submit(&probe, err);
		if (!r && (await_result(&probe, MOVE_LIMIT, &result) ||
			   (result != BLOCK && !polling_again(&polling))))
			r = hl_error_set(err, ETIMEDOUT, "a direct read of %s did not succeed within %d s",
					 disk.device, (int)(MOVE_LIMIT / NANOSECONDS_PER_SECOND));
	}
	if (!r)
		evidence_add(injection, "a direct read of %s took %.3f s", disk.device,
			     seconds_since(probe.started_at));
	probe_close(&probe);
	return r;
}

/* How long a request must have been in flight to count as lost. */
#define LOST_AFTER INT64_C(2000000000)
#define LOST_STEP  5000000

int evidence_lost(const char *name, struct injection *injection, struct hl_error *err)
{
	const struct polling polling = polling_begin(STALL_LIMIT, LOST_STEP);
	int64_t now = workload_now(), busy_since = now;
	struct disk_counters counters;
	struct disk disk;
	int r = disk_find(name, &disk, err);

	while (!r && now < busy_since + LOST_AFTER) {
		r = disk_read_counters(disk.device, &counters, err);
		if (!r && !counters.in_flight)
			busy_since = now;
		if (!r && !polling_again(&polling))
			r = hl_error_set(err, ETIMEDOUT, "%s has moments without a request in flight",
					 disk.device);
		now = workload_now();
	}
	if (!r)
		evidence_add(injection, "%s: a request has been in flight for %d s", disk.device,
			     (int)(LOST_AFTER / 1000000000));
	return r;
}

/* One probe. Return: 1 when it ended with an error, 0 when it succeeded, -errno. */
static int probe_fails(const char *device, int *result, struct hl_error *err)
{
	struct probe probe = {.fd = -1};
	int r = probe_open(&probe, device, err);

	if (!r)
		r = probe_submit(&probe, err);
	if (!r && await_result(&probe, STALL_LIMIT, result))
		r = hl_error_set(err, ETIMEDOUT, "a direct read of %s did not end", device);
	probe_close(&probe);
	return r ? r : *result < 0;
}

#define FAILURE_STEP 10000000

/* A fault on the host's side may begin a moment after the guest asked for it, so one success says nothing. */
int evidence_fails(const char *name, struct injection *injection, struct hl_error *err)
{
	const struct polling polling = polling_begin(STALL_LIMIT, FAILURE_STEP);
	struct disk disk;
	int result = 0, r = disk_find(name, &disk, err);

	while (!r) {
		r = probe_fails(disk.device, &result, err);
		if (r || !polling_again(&polling))
			break;
	}
	if (r < 0)
		return r;
	if (!r)
		return hl_error_set(err, EIO, "direct reads of %s go on succeeding", disk.device);
	evidence_add(injection, "a direct read of %s says %s", disk.device, strerror(-result));
	return 0;
}
