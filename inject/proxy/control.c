// SPDX-License-Identifier: GPL-2.0-or-later
#include "control.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "faults.h"

#include <fcntl.h>
#include <fiu-control.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A longer line is no command. */
#define LINE_SIZE 4096

#define MOST_PEERS 16

/**
 * struct peer - somebody who sends commands
 * @control: of the proxy, NULL for a place that is free
 * @input: watches for commands
 * @output: where answers go: the same socket, or standard output
 * @line: what came so far
 */
struct peer {
	struct control *control;
	struct watch input;
	int output;
	char line[LINE_SIZE];
	size_t length;
};

/**
 * struct control - see control.h
 * @listener: watches the control socket
 * @signals: watches SIGTERM and SIGINT
 * @notices: watches the answers of libfiu's remote control
 * @path: of the control socket's file, NULL for none
 */
struct control {
	struct ring *ring;
	struct control_owner owner;
	struct watch listener, signals, notices;
	char *path;
	struct peer peers[MOST_PEERS];
};

/* --- commands --- */

static int run_command(struct control *control, const json_t *request, struct hl_error *err)
{
	const char *command = json_string_value(json_object_get(request, "command"));
	const char *fault = json_string_value(json_object_get(request, "fault"));
	const json_t *value = json_object_get(request, "value");
	int r;

	if (!command)
		return hl_error_set(err, EINVAL, "no \"command\": write enable, disable or status");
	if (!strcmp(command, "status"))
		return 0;
	if (strcmp(command, "enable") != 0 && strcmp(command, "disable") != 0)
		return hl_error_set(err, EINVAL, "unknown command '%s': write enable, disable or status",
				    command);
	if (!fault)
		return hl_error_set(err, EINVAL, "%s needs a \"fault\"", command);
	if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
		return hl_error_set(err, EINVAL, "\"value\" is no whole number");
	if (!control->owner.iscsi && !strncmp(fault, "proxy/iscsi", strlen("proxy/iscsi")))
		return hl_error_set(err, EINVAL, "%s: the proxy was started without --iscsi", fault);
	if (!strcmp(command, "enable"))
		r = faults_enable(fault, value ? json_integer_value(value) : FAULT_NO_VALUE, err);
	else
		r = faults_disable(fault, err);
	control->owner.faults_changed(control->owner.data);
	return r;
}

static json_t *answer_line(struct control *control, const char *line, size_t length)
{
	struct hl_error err = HL_ERROR_INIT;
	json_error_t json_error;
	json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &json_error), *answer;

	if (!json_is_object(request))
		hl_error_set(&err, EINVAL, "not a JSON object%s%s", request ? "" : ": ",
			     request ? "" : json_error.text);
	else
		run_command(control, request, &err);
	json_decref(request);
	if (err.code)
		return json_pack("{s:b, s:s}", "ok", 0, "error", err.text);
	answer = control->owner.status(control->owner.data);
	json_object_set_new(answer, "ok", json_true());
	return answer;
}

/* An answer always fits the buffer of a peer that reads; one that does not read is given up. */
static int send_answer(const struct peer *peer, json_t *answer)
{
	cleanup_free char *text = json_dumps(answer, JSON_COMPACT);
	cleanup_free char *line = text ? file_path("%s\n", text) : NULL;
	size_t length = line ? strlen(line) : 0;
	ssize_t sent;

	json_decref(answer);
	if (!line)
		return -ENOMEM;
	sent = send(peer->output, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno == ENOTSOCK)
		return file_write_all(peer->output, line, length);
	return sent == (ssize_t)length ? 0 : -EPIPE;
}

/* --- peers --- */

static void drop_peer(struct peer *peer)
{
	struct control *control = peer->control;

	if (peer->output == STDOUT_FILENO)
		control->owner.quit(control->owner.data);
	else
		close(peer->input.fd);
	peer->control = NULL;
}

/* Return: 0, or -errno when the peer is to be dropped. */
static int answer_lines(struct peer *peer)
{
	char *end;

	while ((end = memchr(peer->line, '\n', peer->length))) {
		size_t length = (size_t)(end - peer->line);
		int r = send_answer(peer, answer_line(peer->control, peer->line, length));

		if (r)
			return r;
		peer->length -= length + 1;
		memmove(peer->line, end + 1, peer->length);
	}
	return peer->length < sizeof(peer->line) ? 0 : -EMSGSIZE;
}

static void peer_ready(void *data)
{
	struct peer *peer = data;
	ssize_t got = read(peer->input.fd, peer->line + peer->length, sizeof(peer->line) - peer->length);

	if (got > 0)
		peer->length += (size_t)got;
	if (!got || (got < 0 && errno != EAGAIN && errno != EINTR) || answer_lines(peer)) {
		drop_peer(peer);
		return;
	}
	ring_watch(peer->control->ring, &peer->input, POLLIN);
}

static int add_peer(struct control *control, int input, int output)
{
	for (size_t i = 0; i < MOST_PEERS; i++) {
		struct peer *peer = &control->peers[i];

		if (peer->control)
			continue;
		peer->control = control;
		peer->input = (struct watch){peer_ready, peer, input, false};
		peer->output = output;
		peer->length = 0;
		ring_watch(control->ring, &peer->input, POLLIN);
		return 0;
	}
	return -EMFILE;
}

static void listener_ready(void *data)
{
	struct control *control = data;
	int fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && add_peer(control, fd, fd))
		close(fd);
	ring_watch(control->ring, &control->listener, POLLIN);
}

/* --- the control socket --- */

static int socket_address(const char *path, struct sockaddr_un *address, socklen_t *size,
			  struct hl_error *err)
{
	size_t length = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!length || length >= sizeof(address->sun_path))
		return hl_error_set(err, ENAMETOOLONG, "control socket '%s': a path has 1 to %zu characters",
				    path, sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, length);
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	if (path[0] == '@') {
		address->sun_path[0] = '\0';
		*size -= 1;
	}
	return 0;
}

/* A socket file that nobody listens on was left by a proxy that was killed. */
static void remove_stale(const char *path, const struct sockaddr_un *address, socklen_t size)
{
	cleanup_fd int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (probe >= 0 && connect(probe, (const struct sockaddr *)address, size) && errno == ECONNREFUSED)
		unlink(path);
}

static int listen_on(struct control *control, const char *path, struct hl_error *err)
{
	struct sockaddr_un address;
	socklen_t size = 0;
	int fd, r = socket_address(path, &address, &size, err);

	if (r)
		return r;
	fd = control->listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return hl_error_errno(err, errno, "control socket");
	if (path[0] != '@')
		remove_stale(path, &address, size);
	if (bind(fd, (struct sockaddr *)&address, size))
		return hl_error_errno(err, errno, "control socket %s", path);
	if (path[0] != '@')
		control->path = file_path("%s", path);
	if (listen(fd, MOST_PEERS))
		return hl_error_errno(err, errno, "control socket %s", path);
	ring_watch(control->ring, &control->listener, POLLIN);
	return 0;
}

/* --- signals --- */

static void signal_ready(void *data)
{
	struct control *control = data;

	control->owner.quit(control->owner.data);
}

static int watch_signals(struct control *control, struct hl_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	control->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (control->signals.fd < 0)
		return hl_error_errno(err, errno, "watch for signals");
	ring_watch(control->ring, &control->signals, POLLIN);
	return 0;
}

/* --- libfiu's remote control --- */

static void notice_ready(void *data)
{
	struct control *control = data;
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(control->notices.fd, events, sizeof(events)) > 0)
		;
	control->owner.faults_changed(control->owner.data);
	ring_watch(control->ring, &control->notices, POLLIN);
}

/*
 * libfiu obeys in a thread of its own and has no callback. But it writes each answer to its output pipe after
 * it obeyed, and that can be watched.
 */
static int open_fiu(struct control *control, const char *prefix, struct hl_error *err)
{
	cleanup_free char *answers = file_path("%s-%d.out", prefix, (int)getpid());

	if (fiu_rc_fifo(prefix))
		return hl_error_errno(err, errno ? errno : EIO, "create libfiu's pipes %s-%d.in and .out",
				      prefix, (int)getpid());
	control->notices.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (control->notices.fd < 0 || inotify_add_watch(control->notices.fd, answers, IN_MODIFY) < 0)
		return hl_error_errno(err, errno, "watch %s", answers);
	ring_watch(control->ring, &control->notices, POLLIN);
	return 0;
}

/* --- all of it --- */

int control_open(struct control **opened, struct ring *ring, const struct control_owner *owner,
		 const char *path, const char *fiu_prefix, struct hl_error *err)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return hl_error_errno(err, ENOMEM, "control");
	control->ring = ring;
	control->owner = *owner;
	control->listener = (struct watch){listener_ready, control, -1, false};
	control->signals = (struct watch){signal_ready, control, -1, false};
	control->notices = (struct watch){notice_ready, control, -1, false};
	*opened = control;
	r = watch_signals(control, err);
	if (!r && path)
		r = strcmp(path, "-") ? listen_on(control, path, err)
				      : add_peer(control, STDIN_FILENO, STDOUT_FILENO);
	if (!r && fiu_prefix)
		r = open_fiu(control, fiu_prefix, err);
	return r;
}

static void close_watch(const struct watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
}

void control_close(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < MOST_PEERS; i++)
		if (control->peers[i].control && control->peers[i].output != STDOUT_FILENO)
			close(control->peers[i].input.fd);
	close_watch(&control->listener);
	close_watch(&control->signals);
	close_watch(&control->notices);
	if (control->path)
		unlink(control->path);
	free(control->path);
	free(control);
}
