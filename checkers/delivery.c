// SPDX-License-Identifier: GPL-2.0-or-later
#include "delivery.h"
#include "report.h"

#include "base/polling.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * To choose what to blame and to write an event takes nearly as long as to read its lines. The reader puts
 * complete reports into a ring of places and takes the empty report that it finds there; the thread empties
 * the reports in the same order. Each counts what it did for the other to see, so neither locks for a report.
 *
 * To wake a thread costs more than an event, and a kernel that is a guest itself may wake it on the CPU of
 * the one that wakes, since it takes a halted virtual CPU for one that is not there (measured: two threads
 * then were as slow as one). So whoever has nothing to do looks again for a while before it sleeps, and the
 * thread is only woken for half a ring or when it shall hurry.
 */

#define PLACES	    128
#define BATCH	    (PLACES / 2)
#define PATIENCE_NS 200000 /* some times what it takes to wake a thread */

struct delivery {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t worth_waking, emptied;
	hl_on_event on_event;
	void *data;
	struct report *places[PLACES];
	atomic_size_t given, delivered; /* numbers of reports so far */
	atomic_bool thread_sleeps, reader_sleeps, hurry, stop;
	atomic_int status;
};

int deliver_report(struct report *report, hl_on_event on_event, void *data)
{
	int status;

	report_finish(report);
	status = report->dropped ? 0 : on_event(&report->event, data);
	/* By the thread that made the fields: the C library locks what another one frees. */
	report_clear(report);
	return status;
}

static size_t waiting(const struct delivery *delivery)
{
	return atomic_load(&delivery->given) - atomic_load(&delivery->delivered);
}

static bool is_worth_waking(const struct delivery *delivery)
{
	return waiting(delivery) >= BATCH || atomic_load(&delivery->stop) ||
	       (waiting(delivery) && atomic_load(&delivery->hurry));
}

static bool has_work(const struct delivery *delivery)
{
	return waiting(delivery) || atomic_load(&delivery->stop);
}

static bool has_room(const struct delivery *delivery)
{
	return waiting(delivery) < PLACES;
}

/* Lets others run meanwhile. Return: whether @is_so became true before patience ended. */
static bool looks_again(const struct delivery *delivery, bool (*is_so)(const struct delivery *))
{
	struct polling polling;

	if (is_so(delivery))
		return true;
	polling = polling_begin(PATIENCE_NS, 0);
	while (!is_so(delivery)) {
		if (polling_over(&polling))
			return false;
		sched_yield();
	}
	return true;
}

/* What the other one changes before it looks at @sleeps is seen here after @sleeps was set. */
static void sleep_until(struct delivery *delivery, pthread_cond_t *changed, atomic_bool *sleeps,
			bool (*is_so)(const struct delivery *))
{
	pthread_mutex_lock(&delivery->lock);
	atomic_store(sleeps, true);
	while (!is_so(delivery))
		pthread_cond_wait(changed, &delivery->lock);
	atomic_store(sleeps, false);
	pthread_mutex_unlock(&delivery->lock);
}

static void wake(struct delivery *delivery, pthread_cond_t *changed, const atomic_bool *sleeps)
{
	if (!atomic_load(sleeps))
		return;
	pthread_mutex_lock(&delivery->lock);
	pthread_cond_signal(changed);
	pthread_mutex_unlock(&delivery->lock);
}

static void deliver_next(struct delivery *delivery)
{
	size_t number = atomic_load(&delivery->delivered);
	struct report *report = delivery->places[number % PLACES];

	if (atomic_load(&delivery->status))
		report_clear(report);
	else
		atomic_store(&delivery->status, deliver_report(report, delivery->on_event, delivery->data));
	atomic_store(&delivery->delivered, number + 1);
	wake(delivery, &delivery->emptied, &delivery->reader_sleeps);
}

static void *deliver_all(void *data)
{
	struct delivery *delivery = data;

	while (waiting(delivery) || !atomic_load(&delivery->stop)) {
		if (waiting(delivery)) {
			deliver_next(delivery);
			continue;
		}
		atomic_store(&delivery->hurry, false);
		if (!looks_again(delivery, has_work))
			sleep_until(delivery, &delivery->worth_waking, &delivery->thread_sleeps,
				    is_worth_waking);
	}
	return NULL;
}

int delivery_exchange(struct delivery *delivery, struct report **report)
{
	size_t number = atomic_load(&delivery->given);
	struct report **place = &delivery->places[number % PLACES], *complete = *report;

	if (!looks_again(delivery, has_room))
		sleep_until(delivery, &delivery->emptied, &delivery->reader_sleeps, has_room);
	*report = *place;
	*place = complete;
	atomic_store(&delivery->given, number + 1);
	if (is_worth_waking(delivery))
		wake(delivery, &delivery->worth_waking, &delivery->thread_sleeps);
	return atomic_load(&delivery->status);
}

void delivery_hurry(struct delivery *delivery)
{
	atomic_store(&delivery->hurry, true);
	if (is_worth_waking(delivery))
		wake(delivery, &delivery->worth_waking, &delivery->thread_sleeps);
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

	atomic_store(&delivery->stop, true);
	wake(delivery, &delivery->worth_waking, &delivery->thread_sleeps);
	pthread_join(delivery->thread, NULL);
	status = atomic_load(&delivery->status);
	free_delivery(delivery);
	return status;
}
