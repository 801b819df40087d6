// SPDX-License-Identifier: GPL-2.0-or-later
#include "ring.h"

#include "base/units.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* What a completion belongs to: one of these, twice a timer's number plus 1, or the address of a watch. */
#define COMPLETION_IGNORED 0
#define COMPLETION_ACCEPT  2
#define COMPLETION_TIMER   1

/* After an accept failed for want of descriptors or memory. */
#define ACCEPT_RETRY_NS (100 * 1000 * 1000LL)

int64_t ring_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

int ring_open(struct ring *ring, struct hl_error *err)
{
	/* Completions are processed when we ask for them, not by interrupting us. Linux 6.1 and later. */
	struct io_uring_params best = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
	struct io_uring_params plain = {0};
	int r = io_uring_queue_init_params(1024, &ring->uring, &best);

	if (r == -EINVAL)
		r = io_uring_queue_init_params(1024, &ring->uring, &plain);
	if (r)
		return hl_error_errno(err, -r, "io_uring");
	ring->listener = -1;
	ring->timer = INT64_MAX;
	return 0;
}

void ring_close(struct ring *ring)
{
	io_uring_queue_exit(&ring->uring);
}

static struct io_uring_sqe *get_request(struct ring *ring)
{
	struct io_uring_sqe *request = io_uring_get_sqe(&ring->uring);

	while (!request) {
		io_uring_submit(&ring->uring);
		request = io_uring_get_sqe(&ring->uring);
	}
	return request;
}

void ring_watch(struct ring *ring, struct watch *watch, short events)
{
	struct io_uring_sqe *request;

	if (watch->pending)
		return;
	request = get_request(ring);
	io_uring_prep_poll_add(request, watch->fd, (unsigned int)events);
	io_uring_sqe_set_data(request, watch);
	watch->pending = true;
}

void ring_cancel(struct ring *ring, struct watch *watch)
{
	struct io_uring_sqe *request;

	if (!watch->pending)
		return;
	request = get_request(ring);
	io_uring_prep_cancel64(request, (uintptr_t)watch, 0);
	io_uring_sqe_set_data64(request, COMPLETION_IGNORED);
}

static void start_accept(struct ring *ring)
{
	struct io_uring_sqe *request = get_request(ring);

	io_uring_prep_multishot_accept(request, ring->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	io_uring_sqe_set_data64(request, COMPLETION_ACCEPT);
	ring->accepting = true;
}

void ring_accept(struct ring *ring, int listener)
{
	ring->accept_wanted = listener >= 0;
	if (listener >= 0)
		ring->listener = listener;
	if (ring->accept_wanted && !ring->accepting)
		start_accept(ring);
	if (!ring->accept_wanted && ring->accepting) {
		struct io_uring_sqe *request = get_request(ring);

		io_uring_prep_cancel64(request, COMPLETION_ACCEPT, 0);
		io_uring_sqe_set_data64(request, COMPLETION_IGNORED);
	}
}

void ring_timer(struct ring *ring, int64_t when)
{
	struct io_uring_sqe *request;

	if (when >= ring->timer)
		return;
	/* The kernel copies the time at submission; an older request in the same submission gets it too, and
	 * is ignored. */
	ring->timer = when;
	ring->timer_number++;
	ring->timer_request.tv_sec = when / NANOSECONDS_PER_SECOND;
	ring->timer_request.tv_nsec = when % NANOSECONDS_PER_SECOND;
	request = get_request(ring);
	io_uring_prep_timeout(request, &ring->timer_request, 0, IORING_TIMEOUT_ABS);
	io_uring_sqe_set_data64(request, ring->timer_number << 1 | COMPLETION_TIMER);
}

static void complete_accept(struct ring *ring, int result, unsigned int flags)
{
	if (!(flags & IORING_CQE_F_MORE))
		ring->accepting = false;
	if (result >= 0)
		ring->accepted(ring->data, result);
	if (ring->accepting || !ring->accept_wanted)
		return;
	if (result >= 0 || result == -ECANCELED || result == -ECONNABORTED)
		start_accept(ring);
	else
		ring_timer(ring, ring_now() + ACCEPT_RETRY_NS);
}

static void complete_timer(struct ring *ring, uint64_t number)
{
	if (number != ring->timer_number)
		return;
	ring->timer = INT64_MAX;
	if (ring->accept_wanted && !ring->accepting)
		start_accept(ring);
	ring->timed(ring->data);
}

static void complete_watch(struct watch *watch)
{
	watch->pending = false;
	watch->ready(watch->data);
}

static void complete(struct ring *ring, const struct io_uring_cqe *completion)
{
	uint64_t data = completion->user_data;
	int result = completion->res;
	unsigned int flags = completion->flags;

	io_uring_cqe_seen(&ring->uring, (struct io_uring_cqe *)completion);
	if (data == COMPLETION_ACCEPT)
		complete_accept(ring, result, flags);
	else if (data & COMPLETION_TIMER)
		complete_timer(ring, data >> 1);
	else if (data != COMPLETION_IGNORED)
		complete_watch((struct watch *)(uintptr_t)data);
}

int ring_run(struct ring *ring, const bool *done, struct hl_error *err)
{
	while (!*done) {
		struct io_uring_cqe *completion;
		int r = io_uring_submit_and_wait(&ring->uring, 1);

		if (r < 0 && r != -EINTR && r != -EBUSY && r != -EAGAIN)
			return hl_error_errno(err, -r, "io_uring");
		while (!*done && !io_uring_peek_cqe(&ring->uring, &completion))
			complete(ring, completion);
	}
	return 0;
}
