// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/gdb.h"

#include "base/cleanup.h"
#include "inject/workload/workload.h"

#include <fiu-local.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* QEMU's own limit (MAX_PACKET_LENGTH in gdbstub/internals.h), which is far more than "g" answers. */
#define MOST_PACKET  4096
/* A damaged packet is asked for again; on a local socket even one is a surprise. */
#define MOST_REPEATS 3

/**
 * struct gdb - a connection
 * @running: the VM was continued, and the stub's report of its next stop has not been taken
 * @buffer, @used: what was read and not yet taken
 */
struct gdb {
	int fd, timeout_ms;
	bool running;
	char buffer[2 * MOST_PACKET];
	size_t used;
};

static int64_t deadline_of(const struct gdb *gdb)
{
	return workload_now() + gdb->timeout_ms * 1000000LL;
}

static int send_bytes(struct gdb *gdb, const char *bytes, size_t size, struct hl_error *err)
{
	fiu_do_on("gdb/send", return hl_error_set(err, EPIPE, "QEMU closed the connection of its gdb stub"));
	/* A command fits into the socket's buffer: the stub takes one at a time. */
	if (send(gdb->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size)
		return 0;
	return hl_error_errno(err, errno, "send to the gdb stub");
}

static unsigned int checksum(const char *bytes, size_t size)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += (unsigned char)bytes[i];
	return sum & 0xff;
}

static int send_packet(struct gdb *gdb, const char *command, struct hl_error *err)
{
	char packet[MOST_PACKET];
	int length =
		snprintf(packet, sizeof(packet), "$%s#%02x", command, checksum(command, strlen(command)));

	return send_bytes(gdb, packet, (size_t)length, err);
}

/* One recv(2). Return: 0, -ETIMEDOUT, -EPIPE, -EPROTO. */
static int receive(struct gdb *gdb, int64_t deadline, struct hl_error *err)
{
	struct pollfd watched = {.fd = gdb->fd, .events = POLLIN};
	int64_t left = (deadline - workload_now()) / 1000000;
	ssize_t got;

	if (gdb->used == sizeof(gdb->buffer))
		return hl_error_set(err, EPROTO, "the gdb stub sent a packet without an end");
	if (left <= 0 || !poll(&watched, 1, (int)left))
		return hl_error_set(err, ETIMEDOUT, "the gdb stub has not answered within %d ms",
				    gdb->timeout_ms);
	fiu_do_on("gdb/receive",
		  return hl_error_set(err, EPIPE, "QEMU closed the connection of its gdb stub"));
	got = recv(gdb->fd, gdb->buffer + gdb->used, sizeof(gdb->buffer) - gdb->used, MSG_DONTWAIT);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (got <= 0)
		return hl_error_set(err, EPIPE, "QEMU closed the connection of its gdb stub");
	gdb->used += (size_t)got;
	return 0;
}

static void drop(struct gdb *gdb, size_t size)
{
	gdb->used -= size;
	memmove(gdb->buffer, gdb->buffer + size, gdb->used);
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c | ('A' ^ 'a')) : NULL;

	return found ? (int)(found - digits) : -1;
}

/*
 * Takes a whole packet "$TEXT#CC" out of the buffer; acknowledgements and whatever else lies before it go
 * too.
 *
 * Return: 1 with its text in @answer, 0 when none is complete, -EBADMSG when it was damaged.
 */
static int take_packet(struct gdb *gdb, char *answer)
{
	char *start = memchr(gdb->buffer, '$', gdb->used);
	size_t before = start ? (size_t)(start - gdb->buffer) : gdb->used, length;
	const char *end;
	bool whole;

	drop(gdb, before);
	end = gdb->used ? memchr(gdb->buffer, '#', gdb->used) : NULL;
	length = end ? (size_t)(end - gdb->buffer) - 1 : 0;
	if (!end || gdb->used < length + 4)
		return 0;
	whole = length < MOST_PACKET && digit(end[1]) >= 0 && digit(end[2]) >= 0 &&
		(unsigned int)(digit(end[1]) << 4 | digit(end[2])) == checksum(gdb->buffer + 1, length);
	if (whole) {
		memcpy(answer, gdb->buffer + 1, length);
		answer[length] = '\0';
	}
	drop(gdb, length + 4);
	return whole ? 1 : -EBADMSG;
}

/* The next packet, acknowledged. @answer: MOST_PACKET bytes. */
static int await_packet(struct gdb *gdb, char *answer, struct hl_error *err)
{
	int64_t deadline = deadline_of(gdb);
	int repeats = 0, r = 0;

	while (!r) {
		int taken = take_packet(gdb, answer);

		if (taken > 0)
			return send_bytes(gdb, "+", 1, err);
		if (taken < 0 && repeats++ == MOST_REPEATS)
			return hl_error_set(err, EPROTO, "the gdb stub sends damaged packets");
		r = taken < 0 ? send_bytes(gdb, "-", 1, err) : receive(gdb, deadline, err);
	}
	return r;
}

static int execute(struct gdb *gdb, const char *command, char *answer, struct hl_error *err)
{
	int r = send_packet(gdb, command, err);

	if (!r)
		r = await_packet(gdb, answer, err);
	if (r)
		return hl_error_prefix(err, "gdb command %s", command);
	if (answer[0] == 'E' || !answer[0])
		return hl_error_set(err, EREMOTEIO, "the gdb stub refused %s: %s", command,
				    answer[0] ? answer : "it does not know it");
	return 0;
}

int gdb_open(struct gdb **opened, int fd, int timeout_ms, struct hl_error *err)
{
	struct gdb *gdb = calloc(1, sizeof(*gdb));
	char answer[MOST_PACKET];
	int r;

	if (!gdb) {
		close(fd);
		return hl_error_errno(err, ENOMEM, "attach to the gdb stub");
	}
	*gdb = (struct gdb){.fd = fd, .timeout_ms = timeout_ms};
	r = execute(gdb, "qSupported:multiprocess+", answer, err);
	if (!r && !strstr(answer, "multiprocess+"))
		r = hl_error_set(err, EPROTO, "the gdb stub knows no vCPUs: it says '%.100s'", answer);
	if (!r)
		r = execute(gdb, "?", answer, err);
	if (!r && answer[0] != 'T' && answer[0] != 'S')
		r = hl_error_set(err, EPROTO, "the gdb stub does not say why the VM stands still: '%.100s'",
				 answer);
	if (r)
		gdb_close(gdb);
	else
		*opened = gdb;
	return r;
}

void gdb_close(struct gdb *gdb)
{
	if (!gdb)
		return;
	close(gdb->fd);
	free(gdb);
}

/* A vCPU is a thread of process 1, numbered from 1. */
int gdb_continue(struct gdb *gdb, int64_t count, uint64_t held, struct hl_error *err)
{
	char command[2048] = "vCont";
	size_t length = strlen(command);
	int r;

	/* A stub that lets them go all the same: the injector must find out. */
	fiu_do_on("gdb/hold", held = 0);
	for (int64_t cpu = 0; cpu < count; cpu++)
		if (cpu >= 64 || !(held >> cpu & 1))
			length += (size_t)snprintf(command + length, sizeof(command) - length,
						   ";c:p1.%" PRIx64, cpu + 1);
	r = send_packet(gdb, command, err);
	if (!r)
		gdb->running = true;
	return r;
}

int gdb_await_stop(struct gdb *gdb, struct hl_error *err)
{
	char answer[MOST_PACKET];
	int r = gdb->running ? await_packet(gdb, answer, err) : 0;

	if (!r && gdb->running && answer[0] != 'T' && answer[0] != 'S')
		r = hl_error_set(err, EPROTO, "the gdb stub reports no stop: '%.100s'", answer);
	if (!r)
		gdb->running = false;
	return r;
}

/* Little-endian hexadecimal, 8 bytes. */
static int parse_register(const char *text, uint64_t *value)
{
	*value = 0;
	for (int byte = 7; byte >= 0; byte--) {
		int high = digit(text[2 * byte]), low = high < 0 ? -1 : digit(text[2 * byte + 1]);

		if (low < 0)
			return -EPROTO;
		*value = *value << 8 | (unsigned int)(high << 4 | low);
	}
	return 0;
}

int gdb_read_registers(struct gdb *gdb, int cpu, struct vcpu_registers *registers, struct hl_error *err)
{
	struct vcpu_registers found = {.rip = 0};
	char command[32], answer[MOST_PACKET];
	int r;

	snprintf(command, sizeof(command), "Hgp1.%x", (unsigned int)cpu + 1);
	r = execute(gdb, command, answer, err);
	if (!r)
		r = execute(gdb, "g", answer, err);
	if (r)
		return r;
	/* gdb's order of the registers of amd64: 16 general ones, then rip (features/i386/64bit-core.xml). */
	for (size_t i = 0; i < VCPU_GENERAL_REGISTERS + 1; i++) {
		uint64_t *value = i < VCPU_GENERAL_REGISTERS ? &found.general[i] : &found.rip;

		if (strlen(answer) < 16 * (i + 1) || parse_register(answer + 16 * i, value))
			return hl_error_set(err, EPROTO, "the gdb stub does not tell the registers: '%.100s'",
					    answer);
	}
	*registers = found;
	return 0;
}
