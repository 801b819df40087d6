// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How fast the network fault proxy forwards, beside a direct loopback connection and socat: in turns within
 * one run, because both cores are shared by the two ends and the proxy, and by whatever else runs here.
 */
#include "common/target.h"

#include "base/cleanup.h"
#include "inject/proxy/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS	      9
#define BLOCK_SIZE    (128 * 1024)
#define TRANSFER_SIZE (8000UL * BLOCK_SIZE)
#define MESSAGE_SIZE  48
#define PINGS	      5000

enum way { DIRECT, SOCAT, PROXY, PROXY_ISCSI, WAYS };

static const char *const names[WAYS] = {"direct", "socat", "hanglab proxy", "hanglab proxy --iscsi"};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((in_port_t)port),
				    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static int listen_anywhere(int *port)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		return -1;
	*port = ntohs(address.sin_port);
	return fd;
}

static int connect_to(int port)
{
	struct sockaddr_in address = loopback(port);
	double deadline = now() + 5;
	int fd;

	/* socat says nothing when it listens. */
	do {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fd;
		close(fd);
	} while (now() < deadline);
	return -1;
}

/*
 * What is sent is iSCSI on every way (RFC 7143, section 11): a login of one empty PDU each, then pings, then
 * Data-Out PDUs of one block each.
 */
static void make_request(uint8_t *message, bool login)
{
	memcpy(message, login ? "\x43\x87" : "\x40\x80", 2);
}

static void make_response(uint8_t *message, bool login)
{
	memcpy(message, login ? "\x23\x87" : "\x20\x80", 2);
}

static void make_block(uint8_t *block)
{
	const uint8_t header[8] = {0x05,
				   0x80,
				   0,
				   0,
				   0,
				   (BLOCK_SIZE - 48) >> 16,
				   (BLOCK_SIZE - 48) >> 8 & 0xff,
				   (BLOCK_SIZE - 48) & 0xff};

	memcpy(block, header, sizeof(header));
}

static bool receive_message(int fd)
{
	uint8_t message[MESSAGE_SIZE];

	return recv(fd, message, sizeof(message), MSG_WAITALL) == MESSAGE_SIZE;
}

static bool send_message(int fd, const uint8_t *message)
{
	return send(fd, message, MESSAGE_SIZE, MSG_NOSIGNAL) == MESSAGE_SIZE;
}

/* The far end, in a child: answers the login and the pings, then counts the rest and answers when all came.
 */
static pid_t start_sink(int listener)
{
	static uint8_t block[BLOCK_SIZE];
	uint8_t message[MESSAGE_SIZE] = {0};
	size_t total = 0;
	ssize_t got = 1;
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = accept(listener, NULL, NULL);
	for (int i = 0; i <= PINGS; i++) {
		make_response(message, i == 0);
		if (!receive_message(fd) || !send_message(fd, message))
			_exit(1);
	}
	while (got > 0 && total < TRANSFER_SIZE) {
		got = recv(fd, block, sizeof(block), 0);
		total += got > 0 ? (size_t)got : 0;
	}
	_exit(total == TRANSFER_SIZE && send_message(fd, message) ? 0 : 1);
}

/**
 * struct sample - one transfer
 * @rate: bytes per second
 * @round_trip: seconds of a ping
 */
struct sample {
	double rate, round_trip;
};

static bool ping(int fd, bool login)
{
	uint8_t message[MESSAGE_SIZE] = {0};

	make_request(message, login);
	return send_message(fd, message) && receive_message(fd);
}

static bool send_block(int fd, const uint8_t *block)
{
	for (size_t done = 0; done < BLOCK_SIZE;) {
		ssize_t taken = send(fd, block + done, BLOCK_SIZE - done, MSG_NOSIGNAL);

		if (taken <= 0)
			return false;
		done += (size_t)taken;
	}
	return true;
}

static int measure_from(int fd, struct sample *sample)
{
	static uint8_t block[BLOCK_SIZE];
	double begun;

	if (!ping(fd, true))
		return -EIO;
	begun = now();
	for (int i = 0; i < PINGS; i++)
		if (!ping(fd, false))
			return -EIO;
	sample->round_trip = (now() - begun) / PINGS;
	make_block(block);
	begun = now();
	for (size_t sent = 0; sent < TRANSFER_SIZE; sent += BLOCK_SIZE)
		if (!send_block(fd, block))
			return -EIO;
	if (!receive_message(fd))
		return -EIO;
	sample->rate = (double)TRANSFER_SIZE / (now() - begun);
	return 0;
}

static int start_socat(struct process *socat, int target_port, int *port)
{
	char listen_on[64], connect_with[64];
	int fd = listen_anywhere(port);

	close(fd);
	snprintf(listen_on, sizeof(listen_on), "TCP4-LISTEN:%d,bind=127.0.0.1,reuseaddr,nodelay", *port);
	snprintf(connect_with, sizeof(connect_with), "TCP4:127.0.0.1:%d,nodelay", target_port);
	return process_start(socat, (const char *[]){"socat", listen_on, connect_with, NULL}, NULL, NULL);
}

static int start_proxy(struct proxy *proxy, int target_port, bool iscsi, int *port)
{
	struct hl_error err = HL_ERROR_INIT;
	char target[32];
	int r;

	snprintf(target, sizeof(target), "127.0.0.1:%d", target_port);
	r = proxy_start(proxy, &(struct proxy_options){.to = target, .iscsi = iscsi, .program = "./hanglab"},
			5000, &err);
	if (r)
		fprintf(stderr, "bench: %s\n", err.text);
	*port = proxy->port;
	return r;
}

/* Otherwise the proxy would forward plain bytes, and another thing be measured. */
static int check_iscsi(struct proxy *proxy)
{
	struct proxy_status status = {0};

	return proxy_get_status(proxy, &status, 5000, NULL) || status.not_iscsi ? -EIO : 0;
}

static int measure(enum way way, struct sample *sample)
{
	struct process socat = PROCESS_NONE;
	struct proxy proxy = PROXY_STOPPED;
	int port, r = 0, status = -1;
	cleanup_fd int listener = listen_anywhere(&port);
	cleanup_fd int fd = -1;
	pid_t sink = start_sink(listener);

	if (way == SOCAT)
		r = start_socat(&socat, port, &port);
	else if (way != DIRECT)
		r = start_proxy(&proxy, port, way == PROXY_ISCSI, &port);
	if (!r)
		fd = connect_to(port);
	if (!r)
		r = fd < 0 ? -ECONNREFUSED : measure_from(fd, sample);
	if (!r && way == PROXY_ISCSI)
		r = check_iscsi(&proxy);
	if (r)
		kill(sink, SIGKILL);
	waitpid(sink, &status, 0);
	process_kill(&socat);
	proxy_stop(&proxy);
	return r || status ? -EIO : 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

/* The ratio of each round, then their median: what else runs here touches both sides of a round alike. */
static double median_ratio(struct sample samples[WAYS][ROUNDS], enum way a, enum way b)
{
	double ratios[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		ratios[i] = samples[a][i].rate / samples[b][i].rate;
	return median(ratios);
}

static void print_way(struct sample samples[WAYS][ROUNDS], enum way way)
{
	double rates[ROUNDS], round_trips[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		rates[i] = samples[way][i].rate;
		round_trips[i] = samples[way][i].round_trip;
	}
	printf("proxy: %-22s %6.0f MB/s, %5.1f us round trip (medians of %d)\n", names[way],
	       median(rates) / 1e6, median(round_trips) * 1e6, ROUNDS);
}

int main(void)
{
	static struct sample samples[WAYS][ROUNDS];
	cleanup_free char *socat = process_find_program("socat");

	for (int round = 0; round < ROUNDS; round++)
		for (int way = 0; way < WAYS; way++)
			if ((way != SOCAT || socat) && measure((enum way)way, &samples[way][round])) {
				fprintf(stderr, "bench: the transfer through %s failed\n", names[way]);
				return 1;
			}
	for (int way = 0; way < WAYS; way++)
		if (way != SOCAT || socat)
			print_way(samples, (enum way)way);
	if (socat)
		target("proxy: times socat", median_ratio(samples, PROXY, SOCAT), ">=", 1.5);
	else
		printf("proxy: SKIP socat, which is not installed\n");
	target("proxy: % of a direct connection", 100 * median_ratio(samples, PROXY, DIRECT), ">=", 40);
	printf("proxy: %.0f %% of it with --iscsi\n", 100 * median_ratio(samples, PROXY_ISCSI, DIRECT));
	return targets_status();
}
