// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/qtest.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Two digits for each byte, and the words around them. */
#define LONGEST_LINE (2 * QTEST_LARGEST + 128)

/**
 * struct qtest - a connection
 * @useless: an answer is missing or made no sense
 * @line, @used: what was read and not yet taken
 */
struct qtest {
	int fd, timeout_ms;
	bool useless;
	char line[LONGEST_LINE];
	size_t used;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int qtest_open(struct qtest **opened, int fd, int timeout_ms, struct hl_error *err)
{
	struct qtest *qtest = calloc(1, sizeof(*qtest));

	if (!qtest) {
		close(fd);
		return hl_error_errno(err, ENOMEM, "connect to qtest");
	}
	qtest->fd = fd;
	qtest->timeout_ms = timeout_ms;
	*opened = qtest;
	return 0;
}

void qtest_close(struct qtest *qtest)
{
	if (!qtest)
		return;
	close(qtest->fd);
	free(qtest);
}

static int send_line(struct qtest *qtest, const char *line, size_t size, struct hl_error *err)
{
	/* A command fits into the socket's buffer: QEMU has read all before it. */
	ssize_t sent = send(qtest->fd, line, size, MSG_NOSIGNAL);

	if (sent == (ssize_t)size)
		return 0;
	if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
		return hl_error_set(err, EPIPE, "QEMU closed the qtest connection");
	return hl_error_errno(err, sent < 0 ? errno : EAGAIN, "write to qtest");
}

static int receive(struct qtest *qtest, int64_t deadline, struct hl_error *err)
{
	struct pollfd watched = {.fd = qtest->fd, .events = POLLIN};
	int64_t left = deadline - now_ms();
	ssize_t got;

	if (qtest->used == sizeof(qtest->line))
		return hl_error_set(err, EPROTO, "qtest sent a line of more than %zu bytes",
				    sizeof(qtest->line));
	if (left <= 0 || !poll(&watched, 1, (int)left))
		return hl_error_set(err, ETIMEDOUT, "qtest has not answered within %d ms", qtest->timeout_ms);
	got = recv(qtest->fd, qtest->line + qtest->used, sizeof(qtest->line) - qtest->used, MSG_DONTWAIT);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (!got || (got < 0 && errno == ECONNRESET))
		return hl_error_set(err, EPIPE, "QEMU closed the qtest connection");
	if (got < 0)
		return hl_error_errno(err, errno, "read from qtest");
	qtest->used += (size_t)got;
	return 0;
}

static bool take_line(struct qtest *qtest, char *line)
{
	char *end = memchr(qtest->line, '\n', qtest->used);
	size_t length;

	if (!end)
		return false;
	length = (size_t)(end - qtest->line);
	memcpy(line, qtest->line, length);
	line[length] = '\0';
	qtest->used -= length + 1;
	memmove(qtest->line, end + 1, qtest->used);
	return true;
}

/* The next line that answers a command: interrupts ("IRQ raise 3") are told between them. */
static int next_answer(struct qtest *qtest, char *line, struct hl_error *err)
{
	int64_t deadline = now_ms() + qtest->timeout_ms;

	do {
		while (!take_line(qtest, line)) {
			int r = receive(qtest, deadline, err);

			if (r)
				return r;
		}
	} while (!strncmp(line, "IRQ ", strlen("IRQ ")));
	return 0;
}

/* One command and its answer. Return: 0 with what stands behind "OK" at the start of @line. */
static int call(struct qtest *qtest, char *line, struct hl_error *err)
{
	int r;

	if (qtest->useless)
		return hl_error_set(err, EPIPE, "the qtest connection is of no use since an earlier failure");
	r = send_line(qtest, line, strlen(line), err);
	if (!r)
		r = next_answer(qtest, line, err);
	if (!r && (!strncmp(line, "FAIL", 4) || !strncmp(line, "ERR", 3)))
		return hl_error_set(err, EREMOTEIO, "qtest refused: %.200s", line);
	if (!r && (strncmp(line, "OK", 2) || (line[2] && line[2] != ' ')))
		r = hl_error_set(err, EPROTO, "qtest answered \"%.100s\"", line);
	if (!r)
		memmove(line, line + 2, strlen(line + 2) + 1);
	qtest->useless = r;
	return r;
}

static int digit_value(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

/* " 0x0102" to bytes, exactly @size of them. */
static bool parse_bytes(const char *text, uint8_t *bytes, size_t size)
{
	if (strncmp(text, " 0x", 3) || strlen(text) != 3 + 2 * size)
		return false;
	text += 3;
	if (text[strspn(text, "0123456789abcdefABCDEF")])
		return false;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(digit_value(text[2 * i]) << 4 | digit_value(text[2 * i + 1]));
	return true;
}

static int check_size(size_t size, struct hl_error *err)
{
	return size && size <= QTEST_LARGEST
		       ? 0
		       : hl_error_set(err, EMSGSIZE, "qtest moves 1 to %d bytes at once, not %zu",
				      QTEST_LARGEST, size);
}

int qtest_read(struct qtest *qtest, uint64_t address, void *data, size_t size, struct hl_error *err)
{
	char line[LONGEST_LINE];
	int r = check_size(size, err);

	if (r)
		return r;
	snprintf(line, sizeof(line), "read 0x%" PRIx64 " 0x%zx\n", address, size);
	r = call(qtest, line, err);
	if (!r && !parse_bytes(line, data, size)) {
		qtest->useless = true;
		r = hl_error_set(err, EPROTO, "qtest answered \"OK%.100s\" to a read of %zu bytes", line,
				 size);
	}
	if (r)
		hl_error_prefix(err, "read 0x%" PRIx64, address);
	return r;
}

int qtest_write(struct qtest *qtest, uint64_t address, const void *data, size_t size, struct hl_error *err)
{
	const uint8_t *bytes = data;
	char line[LONGEST_LINE];
	int r = check_size(size, err), used;

	if (r)
		return r;
	used = snprintf(line, sizeof(line), "write 0x%" PRIx64 " 0x%zx 0x", address, size);
	for (size_t i = 0; i < size; i++)
		used += snprintf(line + used, sizeof(line) - (size_t)used, "%02x", bytes[i]);
	snprintf(line + used, sizeof(line) - (size_t)used, "\n");
	r = call(qtest, line, err);
	if (r)
		hl_error_prefix(err, "write 0x%" PRIx64, address);
	return r;
}
