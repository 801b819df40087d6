// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

/* A status takes less than 1 KiB. */
#define LINE_SIZE 8192

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Return: 0 once the socket has something to read, -ETIMEDOUT or -errno. */
static int await_input(const struct proxy *proxy, int64_t deadline, struct hl_error *err)
{
	struct pollfd watched = {.fd = proxy->socket, .events = POLLIN};
	int r;

	do {
		int64_t left = deadline - now_ms();

		r = poll(&watched, 1, left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return hl_error_errno(err, errno, "proxy");
	return r ? 0 : hl_error_set(err, ETIMEDOUT, "the proxy does not answer");
}

/* Takes the next line off the socket into newly allocated memory. */
static int read_line(struct proxy *proxy, int timeout_ms, char **line, struct hl_error *err)
{
	int64_t deadline = now_ms() + timeout_ms;
	char *end;

	while (!(end = memchr(proxy->line, '\n', proxy->length))) {
		ssize_t got;
		int r = await_input(proxy, deadline, err);

		if (r)
			return r;
		got = recv(proxy->socket, proxy->line + proxy->length, LINE_SIZE - proxy->length, 0);
		if (got <= 0)
			return hl_error_set(err, EPIPE, "the proxy has ended");
		proxy->length += (size_t)got;
	}
	*line = strndup(proxy->line, (size_t)(end - proxy->line));
	proxy->length -= (size_t)(end - proxy->line) + 1;
	memmove(proxy->line, end + 1, proxy->length);
	return *line ? 0 : hl_error_errno(err, ENOMEM, "proxy");
}

static int send_request(struct proxy *proxy, json_t *request, struct hl_error *err)
{
	cleanup_free char *text = json_dumps(request, JSON_COMPACT);
	cleanup_free char *line = text ? file_path("%s\n", text) : NULL;

	if (!line)
		return hl_error_errno(err, ENOMEM, "proxy");
	if (send(proxy->socket, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)strlen(line))
		return hl_error_errno(err, errno, "the proxy takes no command");
	return 0;
}

/* Sends @request, which it frees. Return: 0 with the answer in @answer, or -errno. */
static int ask(struct proxy *proxy, json_t *request, int timeout_ms, json_t **answer, struct hl_error *err)
{
	cleanup_free char *line = NULL;
	json_t *parsed;
	int r = proxy->socket < 0 ? hl_error_set(err, EPIPE, "no proxy runs")
				  : send_request(proxy, request, err);

	json_decref(request);
	if (!r)
		r = read_line(proxy, timeout_ms, &line, err);
	if (r)
		return r;
	parsed = json_loads(line, 0, NULL);
	if (!json_is_true(json_object_get(parsed, "ok"))) {
		const char *reason = json_string_value(json_object_get(parsed, "error"));

		r = hl_error_set(err, EINVAL, "proxy: %s", reason ? reason : line);
		json_decref(parsed);
		return r;
	}
	*answer = parsed;
	return 0;
}

static int switch_fault(struct proxy *proxy, json_t *request, int timeout_ms, struct hl_error *err)
{
	json_t *answer = NULL;
	int r = ask(proxy, request, timeout_ms, &answer, err);

	json_decref(answer);
	return r;
}

int proxy_enable(struct proxy *proxy, const char *fault, int64_t value, int timeout_ms, struct hl_error *err)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "enable", "fault", fault);

	if (value != PROXY_NO_VALUE)
		json_object_set_new(request, "value", json_integer(value));
	return switch_fault(proxy, request, timeout_ms, err);
}

int proxy_disable(struct proxy *proxy, const char *fault, int timeout_ms, struct hl_error *err)
{
	return switch_fault(proxy, json_pack("{s:s, s:s}", "command", "disable", "fault", fault), timeout_ms,
			    err);
}

static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static struct proxy_direction read_direction(const json_t *object)
{
	return (struct proxy_direction){
		.bytes = number(object, "bytes"),
		.held = number(object, "held"),
		.held_pdus = number(object, "held_pdus"),
		.swallowed = number(object, "swallowed"),
		.stopped = json_is_true(json_object_get(object, "stopped")),
	};
}

int proxy_get_status(struct proxy *proxy, struct proxy_status *status, int timeout_ms, struct hl_error *err)
{
	json_t *answer = NULL;
	int r = ask(proxy, json_pack("{s:s}", "command", "status"), timeout_ms, &answer, err);

	if (r)
		return r;
	*status = (struct proxy_status){
		.connections = number(answer, "connections"),
		.accepted = number(answer, "accepted"),
		.turned_away = number(answer, "turned_away"),
		.reset = number(answer, "reset"),
		.not_iscsi = number(answer, "not_iscsi"),
		.up = read_direction(json_object_get(answer, "up")),
		.down = read_direction(json_object_get(answer, "down")),
	};
	json_decref(answer);
	return 0;
}

static int run_program(struct proxy *proxy, const struct proxy_options *options, int socket, int errors,
		       struct hl_error *err)
{
	const struct process_files files = {socket, socket, errors, NULL, 0};
	const char *arguments[] = {options->program ? options->program : "/proc/self/exe",
				   "proxy",
				   "--listen",
				   options->listen ? options->listen : "127.0.0.1:0",
				   "--to",
				   options->to,
				   "--control",
				   "-",
				   options->iscsi ? "--iscsi" : NULL,
				   NULL};

	return process_start(&proxy->process, arguments, &files, err);
}

/* The proxy ended instead of saying its port: what it printed is the reason. */
static int explain(int errors, struct hl_error *err)
{
	char text[512];
	ssize_t length = pread(errors, text, sizeof(text) - 1, 0);

	while (length > 0 && text[length - 1] == '\n')
		length--;
	return length > 0 ? hl_error_set(err, EIO, "%.*s", (int)length, text)
			  : hl_error_prefix(err, "start the proxy");
}

static int read_port(struct proxy *proxy, int timeout_ms, struct hl_error *err)
{
	cleanup_free char *line = NULL;
	int64_t port;
	int r = read_line(proxy, timeout_ms, &line, err);

	if (!r)
		r = units_parse_integer(line, &port, err);
	if (!r)
		proxy->port = (int)port;
	return r;
}

int proxy_start(struct proxy *proxy, const struct proxy_options *options, int timeout_ms,
		struct hl_error *err)
{
	cleanup_fd int theirs = -1, errors = memfd_create("proxy-errors", MFD_CLOEXEC);
	int ends[2], r;

	if (errors < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return hl_error_errno(err, errno, "start the proxy");
	proxy->socket = ends[0];
	theirs = ends[1];
	proxy->line = malloc(LINE_SIZE);
	proxy->length = 0;
	r = proxy->line ? run_program(proxy, options, theirs, errors, err)
			: hl_error_errno(err, ENOMEM, "start the proxy");
	close(take_fd(&theirs));
	if (!r) {
		r = read_port(proxy, timeout_ms, err);
		r = r ? explain(errors, err) : 0;
	}
	if (r)
		proxy_stop(proxy);
	return r;
}

void proxy_stop(struct proxy *proxy)
{
	process_kill(&proxy->process);
	if (proxy->socket >= 0)
		close(proxy->socket);
	free(proxy->line);
	*proxy = (struct proxy)PROXY_STOPPED;
}
