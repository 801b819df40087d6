// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include <liburing.h>
#include <stdlib.h>

static int io_uring_open(int fd, off_t size, void **state, struct hl_error *err)
{
	struct io_uring *ring = malloc(sizeof(*ring));
	int r;

	(void)fd;
	(void)size;
	if (!ring)
		return hl_error_errno(err, ENOMEM, "io_uring_setup");
	r = io_uring_queue_init(4, ring, 0);
	if (r) {
		free(ring);
		return hl_error_errno(err, -r, "io_uring_setup");
	}
	*state = ring;
	return 0;
}

/* Waits for one completion and returns its result. */
static int await_completion(struct io_uring *ring)
{
	struct io_uring_cqe *completion;
	int r;

	do {
		r = io_uring_wait_cqe(ring, &completion);
	} while (r == -EINTR);
	if (r)
		return r;
	r = completion->res;
	io_uring_cqe_seen(ring, completion);
	return r;
}

static int submit(struct io_uring *ring)
{
	int r = io_uring_submit(ring);

	if (r < 0)
		return r;
	return await_completion(ring);
}

static int io_uring_write(int fd, void *state, const void *record, size_t size, off_t offset)
{
	struct io_uring *ring = state;
	int r;

	io_uring_prep_write(io_uring_get_sqe(ring), fd, record, (unsigned int)size, (uint64_t)offset);
	r = submit(ring);
	if (r != (int)size)
		return r < 0 ? r : -ENOSPC;
	io_uring_prep_fsync(io_uring_get_sqe(ring), fd, IORING_FSYNC_DATASYNC);
	r = submit(ring);
	return r < 0 ? r : 0;
}

static void io_uring_close(void *state)
{
	io_uring_queue_exit(state);
	free(state);
}

const struct engine engine_io_uring = {
	.name = "io_uring",
	.summary = "IORING_OP_WRITE, then IORING_OP_FSYNC (kernel 5.6 or newer)",
	.open = io_uring_open,
	.write = io_uring_write,
	.close = io_uring_close,
};
