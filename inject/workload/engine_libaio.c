// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include <fcntl.h>
#include <libaio.h>
#include <stdlib.h>
#include <unistd.h>

static int libaio_open(int fd, off_t size, void **state, struct hl_error *err)
{
	io_context_t *context = calloc(1, sizeof(*context));
	int r;

	(void)fd;
	(void)size;
	if (!context)
		return hl_error_errno(err, ENOMEM, "io_setup");
	r = io_setup(1, context);
	if (r) {
		free(context);
		return hl_error_errno(err, -r, "io_setup");
	}
	*state = context;
	return 0;
}

static int libaio_write(int fd, void *state, const void *record, size_t size, off_t offset)
{
	io_context_t *context = state;
	struct io_event event;
	struct iocb request, *requests[] = {&request};
	int r;

	io_prep_pwrite(&request, fd, (void *)record, size, offset);
	r = io_submit(*context, 1, requests);
	if (r != 1)
		return r < 0 ? r : -EIO;
	do {
		r = io_getevents(*context, 1, 1, &event, NULL);
	} while (r == -EINTR);
	if (r != 1)
		return r < 0 ? r : -EIO;
	if ((long)event.res != (long)size)
		return (long)event.res < 0 ? (int)(long)event.res : -ENOSPC;
	return fdatasync(fd) ? -errno : 0;
}

static void libaio_close(void *state)
{
	io_context_t *context = state;

	io_destroy(*context);
	free(context);
}

const struct engine engine_libaio = {
	.name = "libaio",
	.summary = "io_submit(2) with O_DIRECT, io_getevents(2), then fdatasync(2)",
	.open_flags = O_DIRECT,
	.open = libaio_open,
	.write = libaio_write,
	.close = libaio_close,
};
