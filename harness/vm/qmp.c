// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/qmp.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fiu-local.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

/**
 * struct qmp - a connection
 * @fd: the socket
 * @delivered: eventfd, readable while events were delivered that qmp_dispatch() has not answered for
 * @either: epoll descriptor, readable when one of these two is
 * @buffer, @used, @room: what was read and not yet taken as a line
 * @next_id: of the next command, so that a late answer to one that timed out is not taken for another's
 */
struct qmp {
	int fd, delivered, either;
	int timeout_ms;
	qmp_on_event on_event;
	void *data;
	char *buffer;
	size_t used, room;
	json_int_t next_id;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes a whole line out of the buffer; NULL when there is none. */
static json_t *take_line(struct qmp *qmp)
{
	char *end = qmp->used ? memchr(qmp->buffer, '\n', qmp->used) : NULL;
	size_t length;
	json_t *message;

	if (!end)
		return NULL;
	length = (size_t)(end - qmp->buffer) + 1;
	message = json_loadb(qmp->buffer, length, 0, NULL);
	qmp->used -= length;
	memmove(qmp->buffer, qmp->buffer + length, qmp->used);
	return message ? message : json_null();
}

/* One read(2). Return: 0, -EAGAIN, -EPIPE or -errno. */
static int receive(struct qmp *qmp)
{
	ssize_t got;

	fiu_do_on("qmp/receive", return -EPIPE);
	if (qmp->room - qmp->used < 4096) {
		char *larger = realloc(qmp->buffer, qmp->room + 65536);

		if (!larger)
			return -ENOMEM;
		qmp->buffer = larger;
		qmp->room += 65536;
	}
	got = recv(qmp->fd, qmp->buffer + qmp->used, qmp->room - qmp->used, MSG_DONTWAIT);
	if (got < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (!got)
		return -EPIPE;
	qmp->used += (size_t)got;
	return 0;
}

static int next_message(struct qmp *qmp, int64_t deadline, json_t **message, struct hl_error *err)
{
	while (!(*message = take_line(qmp))) {
		struct pollfd watched = {.fd = qmp->fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		int r;

		if (left <= 0 || !poll(&watched, 1, (int)left))
			return hl_error_set(err, ETIMEDOUT, "QEMU has not answered within %d ms",
					    qmp->timeout_ms);
		r = receive(qmp);
		if (r == -EPIPE || r == -ECONNRESET)
			return hl_error_set(err, EPIPE, "QEMU closed the QMP connection");
		if (r && r != -EAGAIN)
			return hl_error_errno(err, -r, "read from QMP");
	}
	return 0;
}

static bool deliver_event(struct qmp *qmp, const json_t *message)
{
	const char *name = json_string_value(json_object_get(message, "event"));

	if (name && qmp->on_event)
		qmp->on_event(qmp->data, name, message);
	if (name)
		eventfd_write(qmp->delivered, 1);
	return name != NULL;
}

static int watch(const struct qmp *qmp, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(qmp->either, EPOLL_CTL_ADD, fd, &event);
}

static int watch_both(struct qmp *qmp, struct hl_error *err)
{
	qmp->delivered = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	qmp->either = epoll_create1(EPOLL_CLOEXEC);
	if (qmp->delivered < 0 || qmp->either < 0 || watch(qmp, qmp->fd) || watch(qmp, qmp->delivered))
		return hl_error_errno(err, errno, "watch QMP");
	return 0;
}

int qmp_open(struct qmp **opened, int fd, int timeout_ms, qmp_on_event on_event, void *data,
	     struct hl_error *err)
{
	struct qmp *qmp = calloc(1, sizeof(*qmp));
	json_t *greeting = NULL;
	int r;

	if (!qmp) {
		close(fd);
		return hl_error_errno(err, ENOMEM, "connect to QMP");
	}
	*qmp = (struct qmp){
		.fd = fd, .timeout_ms = timeout_ms, .on_event = on_event, .data = data, .next_id = 1};
	r = watch_both(qmp, err);
	if (!r)
		r = next_message(qmp, now_ms() + timeout_ms, &greeting, err);
	if (!r && !json_object_get(greeting, "QMP"))
		r = hl_error_set(err, EPROTO, "QEMU did not greet as QMP does");
	json_decref(greeting);
	if (!r)
		r = qmp_execute(qmp, "qmp_capabilities", NULL, NULL, err);
	if (r)
		qmp_close(qmp);
	else
		*opened = qmp;
	return r;
}

void qmp_close(struct qmp *qmp)
{
	if (!qmp)
		return;
	close(qmp->fd);
	if (qmp->delivered >= 0)
		close(qmp->delivered);
	if (qmp->either >= 0)
		close(qmp->either);
	free(qmp->buffer);
	free(qmp);
}

int qmp_set_timeout(struct qmp *qmp, int timeout_ms)
{
	int before = qmp->timeout_ms;

	qmp->timeout_ms = timeout_ms;
	return before;
}

int qmp_fd(const struct qmp *qmp)
{
	return qmp->either;
}

int qmp_dispatch(struct qmp *qmp, struct hl_error *err)
{
	eventfd_t count;
	json_t *message;
	int r;

	do {
		r = receive(qmp);
		while ((message = take_line(qmp))) {
			deliver_event(qmp, message);
			json_decref(message);
		}
	} while (!r);
	eventfd_read(qmp->delivered, &count);
	if (r == -EAGAIN)
		return 0;
	return hl_error_set(err, EPIPE, "QEMU closed the QMP connection");
}

int qmp_await_event(struct qmp *qmp, struct hl_error *err)
{
	int64_t deadline = now_ms() + qmp->timeout_ms;
	bool delivered = false;
	json_t *message;
	int r = 0;

	while (!r && !delivered) {
		r = next_message(qmp, deadline, &message, err);
		if (r)
			break;
		delivered = deliver_event(qmp, message);
		json_decref(message);
	}
	return r;
}

static int send_command(struct qmp *qmp, const char *command, json_t *arguments, struct hl_error *err)
{
	json_t *message = json_pack("{s:s, s:I}", "execute", command, "id", qmp->next_id);
	cleanup_free char *text = NULL;
	size_t size;

	if (arguments)
		json_object_set_new(message, "arguments", arguments);
	text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	if (!text)
		return hl_error_errno(err, ENOMEM, "QMP %s", command);
	fiu_do_on("qmp/send",
		  return hl_error_set(err, EPIPE, "QMP %s: QEMU closed the QMP connection", command));
	size = strlen(text);
	/* A command fits into the socket's buffer: QEMU reads them one at a time. */
	if (send(qmp->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size ||
	    send(qmp->fd, "\n", 1, MSG_NOSIGNAL) != 1)
		return hl_error_errno(err, errno, "QMP %s", command);
	return 0;
}

static int take_answer(const char *command, json_t *message, json_t **answer, struct hl_error *err)
{
	const json_t *error = json_object_get(message, "error");

	if (error)
		return hl_error_set(err, EREMOTEIO, "QMP %s was refused: %s", command,
				    json_string_value(json_object_get(error, "desc")));
	if (answer)
		*answer = json_incref(json_object_get(message, "return"));
	return 0;
}

int qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, json_t **answer,
		struct hl_error *err)
{
	int64_t deadline = now_ms() + qmp->timeout_ms;
	json_int_t id = qmp->next_id;
	json_t *message;
	int r;

	r = send_command(qmp, command, arguments, err);
	qmp->next_id++;
	while (!r) {
		r = next_message(qmp, deadline, &message, err);
		if (r) {
			hl_error_prefix(err, "QMP %s", command);
			break;
		}
		if (!deliver_event(qmp, message) &&
		    json_integer_value(json_object_get(message, "id")) == id) {
			r = take_answer(command, message, answer, err);
			json_decref(message);
			break;
		}
		json_decref(message);
	}
	return r;
}
