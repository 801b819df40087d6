// SPDX-License-Identifier: GPL-2.0-or-later
#include "network.h"

#include "base/file.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PART 65536

double network_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((in_port_t)port),
				    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static void limit_waits(int fd)
{
	const struct timeval limit = {.tv_sec = NETWORK_TIMEOUT_MS / 1000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

int network_listen(int *port)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_FATAL(fd >= 0 && !bind(fd, (struct sockaddr *)&address, size) && !listen(fd, 4096));
	CU_ASSERT_FATAL(!getsockname(fd, (struct sockaddr *)&address, &size));
	limit_waits(fd);
	*port = ntohs(address.sin_port);
	return fd;
}

int network_connect(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	limit_waits(fd);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -errno;
}

int network_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	limit_waits(fd);
	return fd;
}

bool network_send(int fd, const void *bytes, size_t size)
{
	const uint8_t *next = bytes;

	while (size) {
		ssize_t sent = send(fd, next, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		next += sent;
		size -= (size_t)sent;
	}
	return true;
}

bool network_receive(int fd, void *bytes, size_t size)
{
	return recv(fd, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

int network_ends(int fd)
{
	uint8_t byte;
	ssize_t got = recv(fd, &byte, 1, 0);

	return got < 0 ? -errno : (int)got;
}

void network_send_reset(int fd)
{
	const struct linger abort_it = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
	close(fd);
}

void network_fill(uint8_t *bytes, size_t size, uint64_t position, uint32_t seed)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t mixed = (position + i + 1) * 0x9e3779b97f4a7c15ULL + seed;

		bytes[i] = (uint8_t)(mixed >> 40);
	}
}

struct transfer {
	pthread_t thread;
	int fd;
	size_t size;
	uint32_t seed;
	bool sent;
};

static void *send_filled(void *data)
{
	struct transfer *transfer = data;
	uint8_t bytes[PART];

	transfer->sent = true;
	for (size_t done = 0; done < transfer->size && transfer->sent; done += PART) {
		size_t part = transfer->size - done < PART ? transfer->size - done : PART;

		network_fill(bytes, part, done, transfer->seed);
		transfer->sent = network_send(transfer->fd, bytes, part);
	}
	return NULL;
}

struct transfer *network_start_sending(int fd, size_t size, uint32_t seed)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	CU_ASSERT_PTR_NOT_NULL_FATAL(transfer);
	transfer->fd = fd;
	transfer->size = size;
	transfer->seed = seed;
	CU_ASSERT_FATAL(!pthread_create(&transfer->thread, NULL, send_filled, transfer));
	return transfer;
}

bool network_finish_sending(struct transfer *transfer)
{
	bool sent;

	pthread_join(transfer->thread, NULL);
	sent = transfer->sent;
	free(transfer);
	return sent;
}

size_t network_receive_filled(int fd, size_t size, uint32_t seed)
{
	uint8_t got[PART], expected[PART];
	size_t done = 0;

	while (done < size) {
		size_t part = size - done < PART ? size - done : PART;
		ssize_t came = recv(fd, got, part, 0);

		if (came <= 0)
			break;
		network_fill(expected, (size_t)came, done, seed);
		if (memcmp(got, expected, (size_t)came) != 0)
			break;
		done += (size_t)came;
	}
	return done;
}

size_t network_transfer(int from, int to, size_t size, uint32_t seed)
{
	struct transfer *transfer = network_start_sending(from, size, seed);
	size_t done = network_receive_filled(to, size, seed);

	network_finish_sending(transfer);
	return done;
}

struct proxy_status network_status(struct network *network)
{
	struct hl_error err = HL_ERROR_INIT;
	struct proxy_status status = {0};

	if (proxy_get_status(&network->proxy, &status, NETWORK_TIMEOUT_MS, &err)) {
		fprintf(stderr, "%s\n", err.text);
		CU_FAIL_FATAL("the proxy does not answer");
	}
	return status;
}

bool network_await(struct network *network,
		   bool (*is_true)(const struct proxy_status *status, uint64_t value), uint64_t value)
{
	double deadline = network_seconds() + NETWORK_TIMEOUT_MS / 1000.0;

	while (network_seconds() < deadline) {
		struct proxy_status status = network_status(network);

		if (is_true(&status, value))
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static bool has_held_up(const struct proxy_status *status, uint64_t value)
{
	return status->up.held == value;
}

static bool has_held_down(const struct proxy_status *status, uint64_t value)
{
	return status->down.held == value;
}

static bool has_connections(const struct proxy_status *status, uint64_t value)
{
	return status->connections == value;
}

bool network_await_held_up(struct network *network, uint64_t bytes)
{
	return network_await(network, has_held_up, bytes);
}

bool network_await_held_down(struct network *network, uint64_t bytes)
{
	return network_await(network, has_held_down, bytes);
}

bool network_await_connections(struct network *network, uint64_t count)
{
	return network_await(network, has_connections, count);
}

static void report(int r, const struct hl_error *err)
{
	if (!r)
		return;
	fprintf(stderr, "%s\n", err->text);
	CU_FAIL_FATAL("the proxy cannot switch a fault");
}

void network_enable(struct network *network, const char *fault, int64_t value)
{
	struct hl_error err = HL_ERROR_INIT;

	report(proxy_enable(&network->proxy, fault, value, NETWORK_TIMEOUT_MS, &err), &err);
}

void network_disable(struct network *network, const char *fault)
{
	struct hl_error err = HL_ERROR_INIT;

	report(proxy_disable(&network->proxy, fault, NETWORK_TIMEOUT_MS, &err), &err);
}

size_t network_fds(const struct network *network)
{
	char path[64];
	size_t count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)network->proxy.process.pid);
	folder = opendir(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void network_reconnect(struct network *network)
{
	close_end(&network->client);
	close_end(&network->server);
	network->client = network_connect(network->proxy.port);
	CU_ASSERT_FATAL(network->client >= 0);
	network->server = network_accept(network->target);
	CU_ASSERT_FATAL(network->server >= 0);
}

const char *network_program(void)
{
	const char *program = getenv("HANGLAB");

	return program ? program : "./hanglab";
}

struct network network_open(bool iscsi)
{
	struct network network = {.proxy = PROXY_STOPPED, .client = -1, .server = -1};
	struct hl_error err = HL_ERROR_INIT;
	char target[32];

	network.target = network_listen(&network.target_port);
	snprintf(target, sizeof(target), "127.0.0.1:%d", network.target_port);
	if (proxy_start(&network.proxy,
			&(struct proxy_options){.to = target, .iscsi = iscsi, .program = network_program()},
			NETWORK_TIMEOUT_MS, &err)) {
		fprintf(stderr, "%s\n", err.text);
		CU_FAIL_FATAL("no proxy");
	}
	network_status(&network);
	network.idle_fds = network_fds(&network);
	network_reconnect(&network);
	return network;
}

void network_close(struct network *network)
{
	close_end(&network->client);
	close_end(&network->server);
	CU_ASSERT(network_await_connections(network, 0));
	CU_ASSERT_EQUAL(network_fds(network), network->idle_fds);
	proxy_stop(&network->proxy);
	close(network->target);
}
