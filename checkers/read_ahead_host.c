// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"
#include "read_ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * In a large log nearly everything is skipped, so the time goes into reading and scanning, which threads can
 * do for different pieces at once. They fill slots in turn; the caller's thread takes the slots in order,
 * looks at the few lines that hold anchors, and fills slots like the others as long as the next one is not
 * ready. In a log of many reports the time goes into the lines and the events, so these have a thread each.
 */

#define MOST_HELPERS 3
#define SLOTS	     (MOST_HELPERS + 3)

enum slot_state {
	SLOT_FREE,   /* a thread may fill it */
	SLOT_FILLED, /* the caller may take it */
	SLOT_BUSY,   /* a thread is at it */
};

struct slot {
	enum slot_state state;
	struct log_piece piece;
	char *buffer;
	int error;
};

struct reader {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const struct hl_prefilter *prefilter;
	int fd;
	off_t offset;
	uint64_t next; /* number of the piece that whoever is free takes */
	bool stop;
	struct slot slots[SLOTS];
	pthread_t helpers[MOST_HELPERS];
	size_t helper_count;
};

/* A whole piece, or what there is at the end of the file. */
static int fill(struct slot *slot, int fd, off_t offset, const struct hl_prefilter *prefilter)
{
	size_t size = 0;

	while (size < PIECE_SIZE) {
		ssize_t got = pread(fd, slot->buffer + size, PIECE_SIZE - size, offset + (off_t)size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	slot->piece.bytes = slot->buffer;
	slot->piece.size = size;
	return piece_scan(&slot->piece, prefilter);
}

/* The lock is held, but not meanwhile. Return: false when the next slot is still in use. */
static bool fill_next(struct reader *reader, const struct hl_prefilter *prefilter)
{
	struct slot *slot = &reader->slots[reader->next % SLOTS];
	off_t offset = reader->offset + (off_t)(reader->next * PIECE_SIZE);

	if (slot->state != SLOT_FREE)
		return false;
	reader->next++;
	slot->state = SLOT_BUSY;
	pthread_mutex_unlock(&reader->lock);
	slot->error = prefilter->state ? fill(slot, reader->fd, offset, prefilter) : -ENOMEM;
	pthread_mutex_lock(&reader->lock);
	slot->state = SLOT_FILLED;
	pthread_cond_broadcast(&reader->changed);
	return true;
}

static void *help(void *data)
{
	struct reader *reader = data;
	struct hl_prefilter prefilter = *reader->prefilter;

	prefilter.state = prefilter.clone(reader->prefilter->state);
	pthread_mutex_lock(&reader->lock);
	while (!reader->stop)
		if (!fill_next(reader, &prefilter))
			pthread_cond_wait(&reader->changed, &reader->lock);
	pthread_mutex_unlock(&reader->lock);
	if (prefilter.state)
		prefilter.release(prefilter.state);
	return NULL;
}

static void wait_filled(struct reader *reader, const struct slot *slot)
{
	pthread_mutex_lock(&reader->lock);
	while (slot->state != SLOT_FILLED)
		if (!fill_next(reader, reader->prefilter))
			pthread_cond_wait(&reader->changed, &reader->lock);
	pthread_mutex_unlock(&reader->lock);
}

static void set_free(struct reader *reader, struct slot *slot)
{
	pthread_mutex_lock(&reader->lock);
	slot->state = SLOT_FREE;
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

static int take_slots(struct reader *reader, struct hl_log *log, struct hl_error *err)
{
	for (uint64_t number = 0;; number++) {
		struct slot *slot = &reader->slots[number % SLOTS];
		int status;

		wait_filled(reader, slot);
		if (slot->error)
			return hl_error_errno(err, -slot->error, "read");
		status = log_feed_piece(log, &slot->piece, err);
		if (status || slot->piece.size < PIECE_SIZE)
			return status;
		set_free(reader, slot);
	}
}

static void stop_helpers(struct reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->stop = true;
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
	for (size_t i = 0; i < reader->helper_count; i++)
		pthread_join(reader->helpers[i], NULL);
}

static int start_helpers(struct reader *reader, size_t count, struct hl_error *err)
{
	for (size_t i = 0; i < SLOTS; i++) {
		reader->slots[i].buffer = malloc(PIECE_SIZE);
		if (!reader->slots[i].buffer)
			return hl_error_set(err, ENOMEM, "no memory to read ahead");
	}
	while (reader->helper_count < count &&
	       pthread_create(&reader->helpers[reader->helper_count], NULL, help, reader) == 0)
		reader->helper_count++;
	return reader->helper_count ? 0 : hl_error_set(err, EAGAIN, "no thread could be started");
}

static int read_and_deliver(struct reader *reader, struct hl_log *log, struct hl_error *err)
{
	int status = log_deliver_beside(log, err), rest;

	if (status)
		return status;
	status = take_slots(reader, log, err);
	rest = log_deliver_rest(log, status ? NULL : err);
	return status ? status : rest;
}

int read_ahead(struct hl_log *log, int fd, off_t offset, struct hl_error *err)
{
	const struct hl_prefilter *prefilter = log_prefilter(log);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct reader *reader;
	int status;

	if (cpus < 2 || !prefilter || !prefilter->clone)
		return -ENOTSUP;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return hl_error_set(err, ENOMEM, "no memory to read ahead");
	pthread_mutex_init(&reader->lock, NULL);
	pthread_cond_init(&reader->changed, NULL);
	reader->prefilter = prefilter;
	reader->fd = fd;
	reader->offset = offset;
	status = start_helpers(reader, cpus <= MOST_HELPERS ? (size_t)cpus - 1 : MOST_HELPERS, err);
	if (!status)
		status = read_and_deliver(reader, log, err);
	stop_helpers(reader);
	for (size_t i = 0; i < SLOTS; i++)
		free(reader->slots[i].buffer);
	pthread_cond_destroy(&reader->changed);
	pthread_mutex_destroy(&reader->lock);
	free(reader);
	return status;
}
