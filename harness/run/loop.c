// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/loop.h"

#include "base/units.h"

#include <liburing.h>
#include <poll.h>
#include <stdlib.h>

/**
 * struct loop_source - a descriptor or a timer
 * @fd: -1 for a timer
 * @generation: number of the request in flight; a completion of an older one is ignored
 * @requests: of this source that the kernel has not completed: it may be freed at 0
 * @removed: no more callbacks
 * @handle: of a timer: the caller's handle, set to NULL when the timer fires
 * @duration: of the timer; the kernel may read it until the request completes
 */
struct loop_source {
	struct loop_source *next;
	int fd;
	loop_callback callback;
	void *data;
	unsigned int generation, requests;
	bool removed;
	struct loop_source **handle;
	struct __kernel_timespec duration;
};

struct loop {
	struct io_uring ring;
	struct loop_source *sources;
};

int loop_open(struct loop **opened, struct hl_error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return hl_error_errno(err, ENOMEM, "event loop");
	r = io_uring_queue_init(64, &loop->ring, 0);
	if (r) {
		free(loop);
		if (r == -EPERM || r == -ENOSYS || r == -EACCES)
			return hl_error_set(err, -r,
					    "io_uring is not permitted here: set the sysctl "
					    "kernel.io_uring_disabled to 0, or "
					    "allow io_uring in the container's seccomp profile");
		return hl_error_errno(err, -r, "io_uring");
	}
	*opened = loop;
	return 0;
}

void loop_close(struct loop *loop)
{
	if (!loop)
		return;
	io_uring_queue_exit(&loop->ring);
	while (loop->sources) {
		struct loop_source *next = loop->sources->next;

		free(loop->sources);
		loop->sources = next;
	}
	free(loop);
}

/* The low bits of a completion's data carry the generation; sources are aligned to 16 bytes by malloc. */
static void *tag(struct loop_source *source)
{
	return (void *)((uintptr_t)source | (source->generation & 15));
}

static struct io_uring_sqe *get_request(struct loop *loop)
{
	struct io_uring_sqe *request = io_uring_get_sqe(&loop->ring);

	if (!request) {
		io_uring_submit(&loop->ring);
		request = io_uring_get_sqe(&loop->ring);
	}
	return request;
}

static void arm(struct loop *loop, struct loop_source *source)
{
	struct io_uring_sqe *request = get_request(loop);

	if (source->fd >= 0)
		io_uring_prep_poll_add(request, source->fd, POLLIN);
	else
		io_uring_prep_timeout(request, &source->duration, 0, 0);
	io_uring_sqe_set_data(request, tag(source));
	source->requests++;
}

/* The completion of the cancelled request still comes, with an older generation. */
static void disarm(struct loop *loop, struct loop_source *source)
{
	struct io_uring_sqe *request;

	if (!source->requests)
		return;
	request = get_request(loop);
	io_uring_prep_cancel(request, tag(source), 0);
	io_uring_sqe_set_data(request, NULL);
	source->generation++;
}

static struct loop_source *add(struct loop *loop, int fd, loop_callback callback, void *data)
{
	struct loop_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->fd = fd;
	source->callback = callback;
	source->data = data;
	source->next = loop->sources;
	loop->sources = source;
	return source;
}

int loop_watch(struct loop *loop, int fd, loop_callback callback, void *data, struct loop_source **handle,
	       struct hl_error *err)
{
	struct loop_source *source = add(loop, fd, callback, data);

	if (!source)
		return hl_error_errno(err, ENOMEM, "event loop");
	arm(loop, source);
	if (handle)
		*handle = source;
	return 0;
}

int loop_timer(struct loop *loop, int64_t nanoseconds, loop_callback callback, void *data,
	       struct loop_source **handle, struct hl_error *err)
{
	/* Always a new source: the kernel may still read the old one's duration. */
	struct loop_source *source = add(loop, -1, callback, data);

	if (!source)
		return hl_error_errno(err, ENOMEM, "event loop");
	loop_remove(loop, handle);
	source->duration.tv_sec = nanoseconds / NANOSECONDS_PER_SECOND;
	source->duration.tv_nsec = nanoseconds % NANOSECONDS_PER_SECOND;
	arm(loop, source);
	source->handle = handle;
	*handle = source;
	return 0;
}

void loop_remove(struct loop *loop, struct loop_source **source)
{
	if (!*source)
		return;
	(*source)->removed = true;
	disarm(loop, *source);
	*source = NULL;
}

static void free_removed(struct loop *loop)
{
	struct loop_source **link = &loop->sources;

	while (*link) {
		struct loop_source *source = *link;

		if (!source->removed || source->requests) {
			link = &source->next;
			continue;
		}
		*link = source->next;
		free(source);
	}
}

static void complete(struct loop *loop, uintptr_t data)
{
	struct loop_source *source = (struct loop_source *)(data & ~(uintptr_t)15);

	if (!source)
		return;
	source->requests--;
	if (source->removed || (data & 15) != (source->generation & 15))
		return;
	if (source->fd < 0) {
		source->removed = true;
		*source->handle = NULL;
	}
	source->callback(source->data);
	if (source->fd >= 0 && !source->removed)
		arm(loop, source);
}

int loop_run(struct loop *loop, const bool *done, struct hl_error *err)
{
	while (!*done) {
		struct io_uring_cqe *completion;
		int r = io_uring_submit_and_wait(&loop->ring, 1);

		if (r < 0 && r != -EINTR)
			return hl_error_errno(err, -r, "event loop");
		while (!*done && !io_uring_peek_cqe(&loop->ring, &completion)) {
			uintptr_t data = (uintptr_t)io_uring_cqe_get_data(completion);

			io_uring_cqe_seen(&loop->ring, completion);
			complete(loop, data);
		}
		free_removed(loop);
	}
	return 0;
}
