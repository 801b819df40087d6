// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/channel.h"
#include "inject/guest/guest.h"

#include "base/file.h"
#include "base/units.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/*
 * A report is complete when the kernel has printed nothing for this long. Both sides end it at the same
 * place in the stream: the guest sends "quiet" there. In real time the host may keep the guest from running
 * in the middle of a report (40 ms between two lines of one were measured on a loaded machine).
 */
#define QUIET	   (50 * 1000000LL)
#define REAL_QUIET (500 * 1000000LL)

static int kmsg = -1;
static struct hl_log *log_reader;
static int64_t last_record, quiet;
static bool marked;
/* Time of our mark in the kernel log, in its own clock; 0 before it was read. */
static int64_t mark_time;
/* CLOCK_MONOTONIC minus the clock of the kernel log: they differ by some 30 ms in real time (measured). */
static int64_t clock_offset;

#define MARK "hanglab: "

static int on_event(const struct hl_event *event, void *data)
{
	struct guest *guest = data;
	int64_t at = isnan(event->time) ? workload_now() : (int64_t)(event->time * 1e9) + clock_offset;

	if (!marked)
		return 0;
	judge_event(guest->judge, event, at);
	timeline_event(guest, event, at);
	workloads_sample_waits(event->kind, workload_now());
	return 0;
}

int kernel_log_open(struct guest *guest, struct hl_error *err)
{
	quiet = guest->plan.vm->clock == PLAN_CLOCK_REAL ? REAL_QUIET : QUIET;
	kmsg = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		return hl_error_errno(err, errno, "open /dev/kmsg");
	return hl_log_open(&log_reader, NULL, on_event, guest, err);
}

int kernel_log_fd(void)
{
	return kmsg;
}

/* A record: "LEVEL,SEQUENCE,MICROSECONDS,FLAGS;TEXT\n" and lines " KEY=VALUE"
 * (Documentation/ABI/testing/dev-kmsg). */
static void feed(const char *record, size_t size)
{
	char line[8300];
	unsigned long long sequence, microseconds;
	const char *text = memchr(record, ';', size);
	unsigned int level;
	int length;

	if (!text || sscanf(record, "%u,%llu,%llu", &level, &sequence, &microseconds) != 3)
		return;
	if (marked && !mark_time && !strncmp(text + 1, MARK, strlen(MARK)))
		mark_time = (int64_t)microseconds * 1000;
	length = snprintf(line, sizeof(line), "[%5llu.%06llu] %.*s\n", microseconds / 1000000,
			  microseconds % 1000000, (int)(record + size - text - 1), text + 1);
	hl_log_feed(log_reader, line, (size_t)length, NULL);
}

void kernel_log_dispatch(int64_t now)
{
	char record[8192];
	ssize_t got;

	while ((got = read(kmsg, record, sizeof(record) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		if (got < 0) {
			channel_send("lost", now, NULL);
			continue;
		}
		record[got] = '\0';
		got = (ssize_t)strcspn(record, "\n");
		channel_send_record(record, (size_t)got);
		feed(record, (size_t)got);
		last_record = now;
	}
	if (last_record && now >= last_record + quiet) {
		last_record = 0;
		channel_send("quiet", now, NULL);
		hl_log_flush(log_reader, NULL);
	}
}

int64_t kernel_log_next(void)
{
	return last_record ? last_record + quiet : 0;
}

int64_t kernel_log_mark(const char *text)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "<5>" MARK "%s\n", text);
	int64_t written;

	/* What came before must have been read before, or it would be judged. */
	kernel_log_dispatch(workload_now());
	hl_log_flush(log_reader, NULL);
	marked = true;
	written = workload_now();
	file_write_all(kmsg, line, (size_t)length);
	kernel_log_dispatch(workload_now());
	if (mark_time)
		clock_offset = written - mark_time;
	return clock_offset;
}
