// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "inject/proxy/iscsi_pdu.h"
#include "iscsi_stream.h"
#include "network.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Peers that misbehave. After each of them the proxy must still serve a well-behaved pair, hold nothing, and
 * have no connection and no descriptor left.
 */

#define SCSI_WRITE 0xa0

/* For a peer that surely takes no more, and where that must be told from a proxy that waits for the
 * processor. */
#define PATIENCE_MS	 20
#define LONG_PATIENCE_MS 1000

static void request_login(const struct network *network)
{
	struct stream request = {0};

	stream_add_login(&request, false, "HeaderDigest=None", 18, 100);
	CU_ASSERT_FATAL(network_send(network->client, request.bytes, request.size));
}

static void answer_login(const struct network *network)
{
	struct stream request = {0}, response = {0};
	uint8_t got[512];

	stream_add_login(&request, false, "HeaderDigest=None", 18, 100);
	stream_add_login(&response, true, "HeaderDigest=None", 18, 100);
	CU_ASSERT_FATAL(network_receive(network->server, got, request.size));
	CU_ASSERT_EQUAL(memcmp(got, request.bytes, request.size), 0);
	CU_ASSERT_FATAL(network_send(network->server, response.bytes, response.size));
	CU_ASSERT_FATAL(network_receive(network->client, got, response.size));
}

static void log_in(const struct network *network)
{
	request_login(network);
	answer_login(network);
}

static void close_end(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void reset_end(int *fd)
{
	network_send_reset(*fd);
	*fd = -1;
}

/* Send @size bytes @times over, until nothing is taken for @patience_ms. Return: whether all was taken. */
static bool flood(int fd, const uint8_t *bytes, size_t size, size_t times, int patience_ms)
{
	for (size_t i = 0; i < times; i++)
		for (size_t done = 0; done < size;) {
			struct pollfd writable = {.fd = fd, .events = POLLOUT};
			ssize_t sent = send(fd, bytes + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);

			if (sent < 0 && (errno != EAGAIN || !poll(&writable, 1, patience_ms)))
				return false;
			done += sent > 0 ? (size_t)sent : 0;
		}
	return true;
}

/* Throw away all that comes to @fd within @milliseconds of silence. */
static size_t drain(int fd, int milliseconds)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	uint8_t bytes[65536];
	size_t total = 0;
	ssize_t got;

	while (poll(&readable, 1, milliseconds) > 0 &&
	       (got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		total += (size_t)got;
	return total;
}

static void send_pdu(int fd, struct pdu pdu)
{
	struct stream stream = {0};

	stream_add(&stream, &pdu);
	network_send(fd, stream.bytes, stream.size);
}

/* --- peers that come and go --- */

static void connects_and_closes(struct network *network)
{
	close_end(&network->client);
	CU_ASSERT_EQUAL(network_ends(network->server), 0);
}

static void target_closes_at_once(struct network *network)
{
	close_end(&network->server);
	CU_ASSERT_EQUAL(network_ends(network->client), 0);
}

static void initiator_half_open(struct network *network)
{
	log_in(network);
	shutdown(network->client, SHUT_WR);
	CU_ASSERT_EQUAL(network_ends(network->server), 0);
	CU_ASSERT_EQUAL(network_status(network).connections, 1);
}

static void target_half_open(struct network *network)
{
	log_in(network);
	shutdown(network->server, SHUT_WR);
	CU_ASSERT_EQUAL(network_ends(network->client), 0);
	CU_ASSERT_EQUAL(network_status(network).connections, 1);
}

static void resets_in_mid_pdu(struct network *network)
{
	uint8_t byte;

	log_in(network);
	send_pdu(network->client, (struct pdu){.opcode = ISCSI_NOP_OUT});
	CU_ASSERT(network_send(network->client, "\x01\x80", 2));
	CU_ASSERT(network_receive(network->server, &byte, 1));
	reset_end(&network->client);
}

static void target_resets_in_mid_pdu(struct network *network)
{
	uint8_t got[50];

	log_in(network);
	CU_ASSERT(network_send(network->server, "\x25\x80\0\0\0\0\xff\xff", 8));
	CU_ASSERT(network_send(network->server, got, 42) && network_receive(network->client, got, 48));
	reset_end(&network->server);
	CU_ASSERT_EQUAL(network_ends(network->client) <= 1, true);
}

static void both_reset(struct network *network)
{
	log_in(network);
	reset_end(&network->server);
	reset_end(&network->client);
}

static void connects_in_a_flood(struct network *network)
{
	for (int i = 0; i < 500; i++) {
		int fd = network_connect(network->proxy.port);

		CU_ASSERT_FATAL(fd >= 0);
		if (i % 2)
			network_send_reset(fd);
		else
			close(fd);
	}
}

static void connects_while_refuse_flaps(struct network *network)
{
	for (int i = 0; i < 50; i++) {
		int fd;

		network_enable(network, "proxy/refuse", PROXY_NO_VALUE);
		CU_ASSERT_EQUAL(network_connect(network->proxy.port), -ECONNREFUSED);
		network_disable(network, "proxy/refuse");
		fd = network_connect(network->proxy.port);
		CU_ASSERT(fd >= 0);
		close(fd);
	}
}

static void connects_to_a_dead_target(struct network *network)
{
	close(network->target);
	for (int i = 0; i < 100; i++) {
		int fd = network_connect(network->proxy.port);

		CU_ASSERT_FATAL(fd >= 0);
		CU_ASSERT_EQUAL(network_ends(fd), -ECONNRESET);
		close(fd);
	}
	CU_ASSERT_EQUAL(network_status(network).turned_away, 100);
	proxy_stop(&network->proxy);
	close_end(&network->client);
	close_end(&network->server);
	*network = network_open(true);
}

static void vanishes_during_a_stall(struct network *network)
{
	network_enable(network, "proxy/stall", PROXY_NO_VALUE);
	for (int i = 0; i < 50; i++) {
		int fd = network_connect(network->proxy.port);

		network_send(fd, "hello", 5);
		if (i % 2)
			network_send_reset(fd);
		else
			close(fd);
	}
	network_disable(network, "proxy/stall");
}

static void vanishes_during_a_delay(struct network *network)
{
	network_enable(network, "proxy/delay", 3600 * 1000);
	network_send(network->client, "hello", 5);
	network_send(network->server, "hello", 5);
	CU_ASSERT_TRUE(network_await_held_up(network, 5) && network_await_held_down(network, 5));
	reset_end(&network->client);
	CU_ASSERT_TRUE(network_await_connections(network, 0));
	network_disable(network, "proxy/delay");
}

static void resets_in_a_black_hole(struct network *network)
{
	int fd;

	network_enable(network, "proxy/black-hole", PROXY_NO_VALUE);
	fd = network_connect(network->proxy.port);
	network_send(fd, "hello", 5);
	network_send_reset(fd);
	reset_end(&network->client);
	CU_ASSERT_TRUE(network_await_connections(network, 0));
	network_disable(network, "proxy/black-hole");
}

/* --- malformed PDUs --- */

static void truncated_header(struct network *network)
{
	uint8_t got[64];

	log_in(network);
	CU_ASSERT(network_send(network->client, "\x01\x80\x00\x00\x00", 5));
	shutdown(network->client, SHUT_WR);
	CU_ASSERT(network_receive(network->server, got, 5));
	CU_ASSERT_EQUAL(network_ends(network->server), 0);
}

static void noise_from_the_initiator(struct network *network)
{
	CU_ASSERT_EQUAL(network_transfer(network->client, network->server, 1 << 20, 77), 1 << 20);
}

static void noise_from_the_target(struct network *network)
{
	CU_ASSERT_EQUAL(network_transfer(network->server, network->client, 1 << 20, 78), 1 << 20);
}

static void noise_after_login(struct network *network)
{
	log_in(network);
	CU_ASSERT_EQUAL(network_transfer(network->client, network->server, 1 << 20, 79), 1 << 20);
	CU_ASSERT_EQUAL(network_transfer(network->server, network->client, 1 << 20, 80), 1 << 20);
}

/* Every first byte there is. */
static void every_opcode(struct network *network)
{
	for (int first = 0; first < 256; first++) {
		uint8_t header[48] = {(uint8_t)first}, got[48];

		network_reconnect(network);
		log_in(network);
		CU_ASSERT(network_send(network->client, header, 48) &&
			  network_receive(network->server, got, 48));
		CU_ASSERT_EQUAL(memcmp(header, got, 48), 0);
	}
}

static void opcode_of_the_other_side(struct network *network)
{
	uint8_t got[48];

	log_in(network);
	send_pdu(network->client, (struct pdu){.opcode = ISCSI_SCSI_RESPONSE});
	CU_ASSERT_TRUE(network_receive(network->server, got, 48));
	send_pdu(network->server, (struct pdu){.opcode = ISCSI_SCSI_COMMAND});
	CU_ASSERT_TRUE(network_receive(network->client, got, 48));
}

static void command_before_login(struct network *network)
{
	uint8_t got[48];

	network_enable(network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	send_pdu(network->client, (struct pdu){.opcode = ISCSI_SCSI_COMMAND, .flags = SCSI_WRITE});
	CU_ASSERT_TRUE(network_receive(network->server, got, 48));
}

static void second_login(struct network *network)
{
	log_in(network);
	log_in(network);
}

static void largest_data_segment(struct network *network)
{
	uint8_t header[48] = {0x05, 0x80, 0, 0, 0xff, 0xff, 0xff, 0xff};
	static uint8_t data[4096];

	log_in(network);
	CU_ASSERT(network_send(network->client, header, 48));
	for (int i = 0; i < 100; i++)
		CU_ASSERT(network_send(network->client, data, sizeof(data)));
	CU_ASSERT_EQUAL(network_receive_filled(network->server, 1, 0), 0);
	reset_end(&network->client);
}

static void largest_data_segment_in_login(struct network *network)
{
	uint8_t header[48] = {0x43, 0x87, 0, 0, 0xff, 0xff, 0xff, 0xff};
	static uint8_t text[1 << 20];

	memset(text, '=', sizeof(text));
	CU_ASSERT(network_send(network->client, header, 48));
	CU_ASSERT(network_receive(network->server, header, 48));
	flood(network->client, text, sizeof(text), 4, PATIENCE_MS);
	CU_ASSERT(drain(network->server, 20) > 0);
}

static void login_text_without_end(struct network *network)
{
	for (int i = 0; i < 200; i++) {
		struct stream stream = {0};
		uint8_t got[sizeof(stream.bytes)];

		stream_add(&stream,
			   &(struct pdu){.opcode = ISCSI_LOGIN_REQUEST, .flags = 0x44, .data_size = 8000});
		memset(stream.bytes + 48, 'H', 8000);
		CU_ASSERT_FATAL(network_send(network->client, stream.bytes, stream.size));
		CU_ASSERT_FATAL(network_receive(network->server, got, stream.size));
	}
}

static void login_that_ends_in_mid_key(struct network *network)
{
	struct stream stream = {0};
	uint8_t got[512];

	stream_add_login(&stream, true, "HeaderDigest=CRC3", 17, 100);
	CU_ASSERT(network_send(network->server, stream.bytes, stream.size));
	CU_ASSERT(network_receive(network->client, got, stream.size));
}

static void flood_of_tasks(struct network *network)
{
	log_in(network);
	for (uint32_t i = 0; i < 10000; i += 50) {
		struct stream stream = {0};
		uint8_t got[sizeof(stream.bytes)];

		for (uint32_t j = 0; j < 50; j++)
			stream_add(&stream,
				   &(struct pdu){.opcode = ISCSI_SCSI_COMMAND, .tag = i + j, .lun = 1});
		CU_ASSERT_FATAL(network_send(network->client, stream.bytes, stream.size));
		CU_ASSERT_FATAL(network_receive(network->server, got, stream.size));
	}
}

static void responses_to_nothing(struct network *network)
{
	log_in(network);
	network_enable(network, "proxy/iscsi/hold-responses", 0);
	for (uint32_t i = 0; i < 1000; i++) {
		uint8_t got[48];

		send_pdu(network->server, (struct pdu){.opcode = ISCSI_SCSI_RESPONSE, .tag = i});
		CU_ASSERT(network_receive(network->client, got, 48));
	}
}

static void flood_of_zeroes(struct network *network)
{
	static const uint8_t zeroes[65536];

	log_in(network);
	flood(network->client, zeroes, sizeof(zeroes), 64, PATIENCE_MS);
	CU_ASSERT(drain(network->server, 20) > 0);
}

/* --- peers that do not read, and memory --- */

static void target_never_reads(struct network *network)
{
	static const uint8_t bytes[65536];

	flood(network->client, bytes, sizeof(bytes), 1000, PATIENCE_MS);
	CU_ASSERT(network_status(network).up.bytes > 0);
}

static void neither_reads(struct network *network)
{
	static const uint8_t bytes[65536];

	flood(network->client, bytes, sizeof(bytes), 500, PATIENCE_MS);
	flood(network->server, bytes, sizeof(bytes), 500, PATIENCE_MS);
	reset_end(&network->client);
}

static void nobody_reads_held_pdus(struct network *network)
{
	log_in(network);
	network_enable(network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	for (int i = 0; i < 2000; i++)
		send_pdu(network->client, (struct pdu){.opcode = ISCSI_DATA_OUT, .data_size = 1});
	CU_ASSERT_TRUE(network_await_held_up(network, 2000 * 52));
	reset_end(&network->server);
	reset_end(&network->client);
}

static size_t memory_of(const struct network *network)
{
	cleanup_free char *path = file_path("/proc/%d/statm", (int)network->proxy.process.pid), *text = NULL;
	unsigned long size = 0, resident = 0;

	CU_ASSERT_FATAL(!file_read(path, &text, NULL, NULL) &&
			sscanf(text, "%lu %lu", &size, &resident) == 2);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* More than may be kept: the sender is stopped instead. */
static void holds_only_so_much(struct network *network)
{
	uint8_t header[48] = {0x05, 0x80, 0, 0, 0, 0xff, 0xff, 0xff};
	static const uint8_t bytes[1 << 20];
	bool stopped = false;

	log_in(network);
	network_enable(network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	for (int i = 0; i < 10 && !stopped; i++)
		if (!flood(network->client, header, 48, 1, LONG_PATIENCE_MS) ||
		    !flood(network->client, bytes, sizeof(bytes), 16, LONG_PATIENCE_MS))
			stopped = true;
	CU_ASSERT_TRUE(stopped);
	CU_ASSERT(network_status(network).up.held >= 32UL << 20);
	CU_ASSERT(memory_of(network) < 100UL << 20);
	reset_end(&network->client);
}

static void one_byte_at_a_time(struct network *network)
{
	uint8_t got[3000];

	log_in(network);
	for (size_t i = 0; i < sizeof(got); i++)
		CU_ASSERT(network_send(network->client, "", 1));
	/* The rest is no whole header. */
	CU_ASSERT_TRUE(network_receive(network->server, got, sizeof(got) / 48 * 48));
	CU_ASSERT_TRUE(network_await_held_up(network, sizeof(got) % 48));
}

static void urgent_data(struct network *network)
{
	CU_ASSERT_EQUAL(send(network->client, "x", 1, MSG_OOB), 1);
	CU_ASSERT_TRUE(network_send(network->client, "yz", 2));
	CU_ASSERT_TRUE(network_receive(network->server, (char[2]){0}, 2));
}

static void every_fault_flaps(struct network *network)
{
	static const char *const faults[] = {"proxy/stall", "proxy/delay", "proxy/bandwidth", "proxy/iscsi",
					     "proxy/refuse"};
	struct transfer *up = network_start_sending(network->client, 16 << 20, 1);
	struct transfer *down = network_start_sending(network->server, 16 << 20, 2);

	for (int i = 0; i < 200; i++) {
		network_enable(network, faults[i % 5], PROXY_NO_VALUE);
		if (i % 3)
			network_disable(network, faults[i % 5]);
	}
	network_disable(network, "proxy");
	CU_ASSERT_EQUAL(network_receive_filled(network->server, 16 << 20, 1), 16 << 20);
	CU_ASSERT_EQUAL(network_receive_filled(network->client, 16 << 20, 2), 16 << 20);
	network_finish_sending(up);
	network_finish_sending(down);
}

/* Connections that came and went are still in the target's queue: close them until the proxy has only @count.
 */
static bool settles(struct network *network, uint64_t count)
{
	struct pollfd waiting = {.fd = network->target, .events = POLLIN};
	double deadline = network_seconds() + NETWORK_TIMEOUT_MS / 1000.0;

	while (network_status(network).connections != count && network_seconds() < deadline)
		if (poll(&waiting, 1, 1) > 0)
			close(network_accept(network->target));
	return network_status(network).connections == count;
}

/* Among those in the queue, the one whose initiator wants to log in. */
static int accept_login(const struct network *network)
{
	for (;;) {
		int fd = network_accept(network->target);
		uint8_t first = 0;

		CU_ASSERT_FATAL(fd >= 0);
		if (recv(fd, &first, 1, MSG_PEEK) == 1 && first == (ISCSI_LOGIN_REQUEST | 0x40))
			return fd;
		close(fd);
	}
}

/* Whatever the peers did, a new pair is served. */
static void check_served(struct network *network)
{
	network_disable(network, "proxy");
	if (network->client >= 0)
		close_end(&network->client);
	if (network->server >= 0)
		close_end(&network->server);
	CU_ASSERT_TRUE(settles(network, 0));
	network->client = network_connect(network->proxy.port);
	CU_ASSERT_FATAL(network->client >= 0);
	request_login(network);
	network->server = accept_login(network);
	answer_login(network);
	CU_ASSERT_TRUE(settles(network, 1));
}

static void survive(void (*misbehave)(struct network *network))
{
	struct network network = network_open(true);

	misbehave(&network);
	check_served(&network);
	network_close(&network);
}

#define BAD_INPUTS                                                                                           \
	BAD_INPUT(connects_and_closes)                                                                       \
	BAD_INPUT(target_closes_at_once)                                                                     \
	BAD_INPUT(initiator_half_open)                                                                       \
	BAD_INPUT(target_half_open)                                                                          \
	BAD_INPUT(resets_in_mid_pdu)                                                                         \
	BAD_INPUT(target_resets_in_mid_pdu)                                                                  \
	BAD_INPUT(both_reset)                                                                                \
	BAD_INPUT(connects_in_a_flood)                                                                       \
	BAD_INPUT(connects_while_refuse_flaps)                                                               \
	BAD_INPUT(connects_to_a_dead_target)                                                                 \
	BAD_INPUT(vanishes_during_a_stall)                                                                   \
	BAD_INPUT(vanishes_during_a_delay)                                                                   \
	BAD_INPUT(resets_in_a_black_hole)                                                                    \
	BAD_INPUT(truncated_header)                                                                          \
	BAD_INPUT(noise_from_the_initiator)                                                                  \
	BAD_INPUT(noise_from_the_target)                                                                     \
	BAD_INPUT(noise_after_login)                                                                         \
	BAD_INPUT(every_opcode)                                                                              \
	BAD_INPUT(opcode_of_the_other_side)                                                                  \
	BAD_INPUT(command_before_login)                                                                      \
	BAD_INPUT(second_login)                                                                              \
	BAD_INPUT(largest_data_segment)                                                                      \
	BAD_INPUT(largest_data_segment_in_login)                                                             \
	BAD_INPUT(login_text_without_end)                                                                    \
	BAD_INPUT(login_that_ends_in_mid_key)                                                                \
	BAD_INPUT(flood_of_tasks)                                                                            \
	BAD_INPUT(responses_to_nothing)                                                                      \
	BAD_INPUT(flood_of_zeroes)                                                                           \
	BAD_INPUT(target_never_reads)                                                                        \
	BAD_INPUT(neither_reads)                                                                             \
	BAD_INPUT(nobody_reads_held_pdus)                                                                    \
	BAD_INPUT(holds_only_so_much)                                                                        \
	BAD_INPUT(one_byte_at_a_time)                                                                        \
	BAD_INPUT(urgent_data)                                                                               \
	BAD_INPUT(every_fault_flaps)

#define BAD_INPUT(name)                                                                                      \
	static void survives_##name(void)                                                                    \
	{                                                                                                    \
		survive(name);                                                                               \
	}
BAD_INPUTS
#undef BAD_INPUT

CU_TestInfo proxy_bad_input_tests[] = {
#define BAD_INPUT(name) {#name, survives_##name},
	BAD_INPUTS
#undef BAD_INPUT
		CU_TEST_INFO_NULL,
};
