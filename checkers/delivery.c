// SPDX-License-Identifier: GPL-2.0-or-later
#include "delivery.h"
#include "report.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * To choose what to blame and to write an event takes nearly as long as to read its lines. The reader puts
 * complete reports into a ring of places and takes the empty report that it finds there; the thread empties
 * the reports in the same order. To wake a thread costs more than an event, so the thread is only woken for
 * half a ring or when it shall hurry, and only wakes the reader when it has emptied what it took.
 */

#define PLACES 32
#define BATCH  (PLACES / 2)

struct delivery {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t worth_waking, emptied;
	hl_on_event on_event;
	void *data;
	struct report *places[PLACES];
	size_t given, delivered; /* numbers of reports so far */
	bool hurry, stop;
	int status;
};

int deliver_report(struct report *report, hl_on_event on_event, void *data)
{
	int status = 0;

	report_finish(report);
	if (!report->dropped)
		status = on_event(&report->event, data);
	report_clear(report);
	return status;
}

static int deliver_batch(struct delivery *delivery, size_t from, size_t to, int status)
{
	for (; from < to; from++) {
		struct report *report = delivery->places[from % PLACES];

		if (status)
			report_clear(report);
		else
			status = deliver_report(report, delivery->on_event, delivery->data);
	}
	return status;
}

static bool is_worth_delivering(const struct delivery *delivery)
{
	size_t waiting = delivery->given - delivery->delivered;

	return waiting >= BATCH || (waiting && (delivery->hurry || delivery->stop));
}

static void *deliver_all(void *data)
{
	struct delivery *delivery = data;

	pthread_mutex_lock(&delivery->lock);
	for (;;) {
		size_t from = delivery->delivered, to = delivery->given;
		int status = delivery->status;

		if (!is_worth_delivering(delivery)) {
			if (delivery->stop)
				break;
			delivery->hurry = false;
			pthread_cond_wait(&delivery->worth_waking, &delivery->lock);
			continue;
		}
		pthread_mutex_unlock(&delivery->lock);
		status = deliver_batch(delivery, from, to, status);
		pthread_mutex_lock(&delivery->lock);
		delivery->status = status;
		delivery->delivered = to;
		pthread_cond_signal(&delivery->emptied);
	}
	pthread_mutex_unlock(&delivery->lock);
	return NULL;
}

int delivery_exchange(struct delivery *delivery, struct report **report)
{
	struct report **place = &delivery->places[delivery->given % PLACES];
	struct report *complete = *report;
	int status;

	pthread_mutex_lock(&delivery->lock);
	while (delivery->given - delivery->delivered == PLACES)
		pthread_cond_wait(&delivery->emptied, &delivery->lock);
	*report = *place;
	*place = complete;
	delivery->given++;
	if (delivery->given - delivery->delivered == BATCH)
		pthread_cond_signal(&delivery->worth_waking);
	status = delivery->status;
	pthread_mutex_unlock(&delivery->lock);
	return status;
}

void delivery_hurry(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->lock);
	delivery->hurry = true;
	if (is_worth_delivering(delivery))
		pthread_cond_signal(&delivery->worth_waking);
	pthread_mutex_unlock(&delivery->lock);
}

static void free_delivery(struct delivery *delivery)
{
	for (size_t i = 0; i < PLACES; i++)
		report_free(delivery->places[i]);
	pthread_cond_destroy(&delivery->emptied);
	pthread_cond_destroy(&delivery->worth_waking);
	pthread_mutex_destroy(&delivery->lock);
	free(delivery);
}

int delivery_start(struct delivery **delivery, hl_on_event on_event, void *data, struct hl_error *err)
{
	struct delivery *fresh = calloc(1, sizeof(*fresh));
	bool complete = fresh != NULL;

	if (!fresh)
		return hl_error_set(err, ENOMEM, "no memory to deliver events");
	pthread_mutex_init(&fresh->lock, NULL);
	pthread_cond_init(&fresh->worth_waking, NULL);
	pthread_cond_init(&fresh->emptied, NULL);
	fresh->on_event = on_event;
	fresh->data = data;
	for (size_t i = 0; i < PLACES && complete; i++)
		complete = (fresh->places[i] = calloc(1, sizeof(*fresh->places[i]))) != NULL;
	if (!complete || pthread_create(&fresh->thread, NULL, deliver_all, fresh)) {
		free_delivery(fresh);
		return complete ? hl_error_set(err, EAGAIN, "no thread could be started")
				: hl_error_set(err, ENOMEM, "no memory to deliver events");
	}
	*delivery = fresh;
	return 0;
}

int delivery_stop(struct delivery *delivery)
{
	int status;

	pthread_mutex_lock(&delivery->lock);
	delivery->stop = true;
	pthread_cond_signal(&delivery->worth_waking);
	pthread_mutex_unlock(&delivery->lock);
	pthread_join(delivery->thread, NULL);
	status = delivery->status;
	free_delivery(delivery);
	return status;
}
