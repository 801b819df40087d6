/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_TESTS_NETWORK_H
#define HANGLAB_TESTS_NETWORK_H

#include "inject/proxy/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both ends of connections through a proxy, on loopback. No call waits longer than NETWORK_TIMEOUT_MS. */

#define NETWORK_TIMEOUT_MS 5000

/**
 * struct network - a target, a proxy in front of it, and one connection through both
 * @target: listening socket
 * @target_port: of it
 * @client: the initiator's end, -1 when closed
 * @server: the target's end, -1 when closed
 * @idle_fds: descriptors of the proxy without a connection
 */
struct network {
	struct proxy proxy;
	int target, target_port;
	int client, server;
	size_t idle_fds;
};

/** network_program() - the hanglab to test: $HANGLAB, else that of this folder */
const char *network_program(void);

/** network_open() - start all of it; on failure the test fails and ends */
struct network network_open(bool iscsi);

/** network_close() - end it, after checking that the proxy still answers and leaked no descriptor */
void network_close(struct network *network);

/** network_reconnect() - close both ends and make a new connection */
void network_reconnect(struct network *network);

/** network_listen() - listen on a free port of 127.0.0.1 */
int network_listen(int *port);

/** network_connect() - Return: a socket, or -errno */
int network_connect(int port);

/** network_accept() - Return: a socket, or -errno */
int network_accept(int listener);

/** network_send() - Return: whether all was sent */
bool network_send(int fd, const void *bytes, size_t size);

/** network_receive() - Return: whether @size bytes came */
bool network_receive(int fd, void *bytes, size_t size);

/** network_ends() - Return: 0 when the stream ends here, -errno of the error, or 1 when a byte came */
int network_ends(int fd);

/** network_send_reset() - close with RST */
void network_send_reset(int fd);

/** network_fill() - bytes that tell their position */
void network_fill(uint8_t *bytes, size_t size, uint64_t position, uint32_t seed);

/**
 * network_transfer() - send @size bytes of network_fill() from one end to the other with a thread
 *
 * Return: how many came in order and intact.
 */
size_t network_transfer(int from, int to, size_t size, uint32_t seed);

/** struct transfer - sends in a thread while the test looks elsewhere */
struct transfer;

struct transfer *network_start_sending(int fd, size_t size, uint32_t seed);

/** network_finish_sending() - Return: whether all was sent */
bool network_finish_sending(struct transfer *transfer);

/** network_receive_filled() - Return: how many of @size bytes came in order and intact */
size_t network_receive_filled(int fd, size_t size, uint32_t seed);

/** network_status() - of the proxy; fails the test when it does not answer */
struct proxy_status network_status(struct network *network);

/**
 * network_await() - poll the status until @is_true
 * @value: for @is_true
 *
 * Return: whether it became true.
 */
bool network_await(struct network *network,
		   bool (*is_true)(const struct proxy_status *status, uint64_t value), uint64_t value);

/** network_await_held_up() - Return: whether the proxy comes to hold exactly @bytes upwards */
bool network_await_held_up(struct network *network, uint64_t bytes);
bool network_await_held_down(struct network *network, uint64_t bytes);

/** network_await_connections() - Return: whether the proxy comes to have @count connections */
bool network_await_connections(struct network *network, uint64_t count);

void network_enable(struct network *network, const char *fault, int64_t value);
void network_disable(struct network *network, const char *fault);

/** network_fds() - open descriptors of the proxy */
size_t network_fds(const struct network *network);

/** network_seconds() - CLOCK_MONOTONIC */
double network_seconds(void);

#endif
