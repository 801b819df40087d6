// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"
#include "read_ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * In a large log nearly everything is skipped, so the time goes into reading and scanning, which threads can
 * do for different pieces at once. They fill slots in turn; the caller's thread takes the slots in order and
 * has little to do but to count lines and to look at the few that hold anchors.
 */

#define PIECE_SIZE   (1024 * 1024)
#define MOST_THREADS 4
#define SLOTS	     (MOST_THREADS + 2)

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
	uint64_t next; /* number of the piece that the next free thread takes */
	bool stop;
	struct slot slots[SLOTS];
	pthread_t threads[MOST_THREADS];
	size_t thread_count;
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

static void *fill_slots(void *data)
{
	struct reader *reader = data;
	struct hl_prefilter prefilter = *reader->prefilter;

	prefilter.state = prefilter.clone(reader->prefilter->state);
	pthread_mutex_lock(&reader->lock);
	while (!reader->stop) {
		struct slot *slot = &reader->slots[reader->next % SLOTS];
		off_t offset;

		if (slot->state != SLOT_FREE) {
			pthread_cond_wait(&reader->changed, &reader->lock);
			continue;
		}
		offset = reader->offset + (off_t)(reader->next++ * PIECE_SIZE);
		slot->state = SLOT_BUSY;
		pthread_mutex_unlock(&reader->lock);
		slot->error = prefilter.state ? fill(slot, reader->fd, offset, &prefilter) : -ENOMEM;
		pthread_mutex_lock(&reader->lock);
		slot->state = SLOT_FILLED;
		pthread_cond_broadcast(&reader->changed);
	}
	pthread_mutex_unlock(&reader->lock);
	if (prefilter.state)
		prefilter.release(prefilter.state);
	return NULL;
}

static void set_state(struct reader *reader, struct slot *slot, enum slot_state state)
{
	pthread_mutex_lock(&reader->lock);
	slot->state = state;
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

static void wait_filled(struct reader *reader, const struct slot *slot)
{
	pthread_mutex_lock(&reader->lock);
	while (slot->state != SLOT_FILLED)
		pthread_cond_wait(&reader->changed, &reader->lock);
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
		set_state(reader, slot, SLOT_FREE);
	}
}

static void stop_threads(struct reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->stop = true;
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
	for (size_t i = 0; i < reader->thread_count; i++)
		pthread_join(reader->threads[i], NULL);
}

static int start_threads(struct reader *reader, size_t count, struct hl_error *err)
{
	for (size_t i = 0; i < SLOTS; i++) {
		reader->slots[i].buffer = malloc(PIECE_SIZE);
		if (!reader->slots[i].buffer)
			return hl_error_set(err, ENOMEM, "no memory to read ahead");
	}
	while (reader->thread_count < count &&
	       pthread_create(&reader->threads[reader->thread_count], NULL, fill_slots, reader) == 0)
		reader->thread_count++;
	return reader->thread_count ? 0 : hl_error_set(err, EAGAIN, "no thread could be started");
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
	status = start_threads(reader, cpus < MOST_THREADS ? (size_t)cpus : MOST_THREADS, err);
	if (!status)
		status = take_slots(reader, log, err);
	stop_threads(reader);
	for (size_t i = 0; i < SLOTS; i++)
		free(reader->slots[i].buffer);
	pthread_cond_destroy(&reader->changed);
	pthread_mutex_destroy(&reader->lock);
	free(reader);
	return status;
}
