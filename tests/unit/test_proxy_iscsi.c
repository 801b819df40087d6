// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/proxy/iscsi_pdu.h"
#include "iscsi_stream.h"
#include "network.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SCSI_READ  0xc0
#define SCSI_WRITE 0xa0

/**
 * struct session - a connection that has logged in, and what was agreed on
 * @up: adds PDUs of the initiator
 * @down: adds PDUs of the target
 */
struct session {
	struct network network;
	bool digests;
};

static bool pass(int from, int to, const struct stream *stream)
{
	uint8_t got[sizeof(stream->bytes)];

	return network_send(from, stream->bytes, stream->size) && network_receive(to, got, stream->size) &&
	       !memcmp(got, stream->bytes, stream->size);
}

static void log_in(struct session *session)
{
	static const char offer[] = "InitiatorName=iqn.x\0HeaderDigest=CRC32C,None\0DataDigest=CRC32C,None";
	static const char with[] = "HeaderDigest=CRC32C\0DataDigest=CRC32C";
	static const char without[] = "HeaderDigest=None\0DataDigest=None";
	struct stream request = {0}, response = {0};

	stream_add_login(&request, false, offer, sizeof(offer), 20);
	if (session->digests)
		stream_add_login(&response, true, with, sizeof(with), 10);
	else
		stream_add_login(&response, true, without, sizeof(without), 100);
	CU_ASSERT_TRUE_FATAL(pass(session->network.client, session->network.server, &request));
	CU_ASSERT_TRUE_FATAL(pass(session->network.server, session->network.client, &response));
}

static struct session open_session(bool digests)
{
	struct session session = {network_open(true), digests};

	log_in(&session);
	return session;
}

static void close_session(struct session *session)
{
	network_close(&session->network);
}

static struct stream make(const struct session *session, struct pdu pdu)
{
	struct stream stream = {.header_digest = session->digests, .data_digest = session->digests};

	stream_add(&stream, &pdu);
	return stream;
}

static bool send_up(const struct session *session, const struct stream *stream)
{
	return network_send(session->network.client, stream->bytes, stream->size);
}

static bool send_down(const struct session *session, const struct stream *stream)
{
	return network_send(session->network.server, stream->bytes, stream->size);
}

static bool comes(int fd, const struct stream *stream)
{
	uint8_t got[sizeof(stream->bytes)];

	return network_receive(fd, got, stream->size) && !memcmp(got, stream->bytes, stream->size);
}

static bool comes_up(const struct session *session, const struct stream *stream)
{
	return comes(session->network.server, stream);
}

static bool comes_down(const struct session *session, const struct stream *stream)
{
	return comes(session->network.client, stream);
}

static void check_hold_writes(bool digests)
{
	struct session session = open_session(digests);
	struct stream write =
		make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_WRITE, .tag = 1, .data_size = 4095});
	struct stream data = make(&session, (struct pdu){ISCSI_DATA_OUT, 0x80, .tag = 1, .data_size = 513});
	struct stream read =
		make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_READ, .tag = 2, .ahs_words = 2});
	struct stream nop =
		make(&session, (struct pdu){ISCSI_NOP_OUT | 0x40, 0x80, .tag = 3, .data_size = 2});
	struct stream response = make(&session, (struct pdu){ISCSI_SCSI_RESPONSE, 0x80, .tag = 2});
	struct proxy_status status;

	network_enable(&session.network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	CU_ASSERT(send_up(&session, &write) && send_up(&session, &read) && send_up(&session, &data) &&
		  send_up(&session, &nop));
	CU_ASSERT_TRUE(comes_up(&session, &read));
	CU_ASSERT_TRUE(comes_up(&session, &nop));
	CU_ASSERT_TRUE(send_down(&session, &response) && comes_down(&session, &response));
	status = network_status(&session.network);
	CU_ASSERT_EQUAL(status.up.held_pdus, 2);
	CU_ASSERT_EQUAL(status.up.held, write.size + data.size);
	CU_ASSERT_EQUAL(status.down.held, 0);
	CU_ASSERT_EQUAL(status.not_iscsi, 0);
	network_disable(&session.network, "proxy/iscsi");
	CU_ASSERT_TRUE(comes_up(&session, &write));
	CU_ASSERT_TRUE(comes_up(&session, &data));
	CU_ASSERT_EQUAL(network_status(&session.network).up.held_pdus, 0);
	CU_ASSERT(send_up(&session, &write) && comes_up(&session, &write));
	close_session(&session);
}

static void holds_only_writes(void)
{
	check_hold_writes(false);
	check_hold_writes(true);
}

static void check_hold_responses(bool digests)
{
	struct session session = open_session(digests);
	struct stream read = make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_READ, .tag = 1});
	struct stream data = make(&session, (struct pdu){ISCSI_DATA_IN, 0x80, .tag = 1, .data_size = 4097});
	struct stream response = make(&session, (struct pdu){ISCSI_SCSI_RESPONSE, 0x80, .tag = 1});
	struct stream nop = make(&session, (struct pdu){ISCSI_NOP_IN, 0x80, .tag = 3});

	network_enable(&session.network, "proxy/iscsi/hold-responses", PROXY_NO_VALUE);
	CU_ASSERT(send_up(&session, &read) && comes_up(&session, &read));
	CU_ASSERT(send_down(&session, &data) && send_down(&session, &response) && send_down(&session, &nop));
	CU_ASSERT_TRUE(comes_down(&session, &nop));
	CU_ASSERT_EQUAL(network_status(&session.network).down.held_pdus, 2);
	network_disable(&session.network, "proxy/iscsi/hold-responses");
	CU_ASSERT_TRUE(comes_down(&session, &data));
	CU_ASSERT_TRUE(comes_down(&session, &response));
	close_session(&session);
}

static void holds_only_responses(void)
{
	check_hold_responses(false);
	check_hold_responses(true);
}

static void holds_only_one_lun(void)
{
	struct session session = open_session(true);
	struct stream first =
		make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_WRITE, .tag = 1, .lun = 1});
	struct stream zeroth =
		make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_WRITE, .tag = 2, .lun = 0});
	/* Their own LUN field is reserved. */
	struct stream first_data =
		make(&session, (struct pdu){ISCSI_DATA_OUT, 0x80, .tag = 1, .data_size = 9});
	struct stream zeroth_data =
		make(&session, (struct pdu){ISCSI_DATA_OUT, 0x80, .tag = 2, .data_size = 8});
	struct stream first_response = make(&session, (struct pdu){ISCSI_SCSI_RESPONSE, 0x80, .tag = 1});
	struct stream zeroth_response = make(&session, (struct pdu){ISCSI_SCSI_RESPONSE, 0x80, .tag = 2});

	network_enable(&session.network, "proxy/iscsi/hold-writes", 1);
	CU_ASSERT(send_up(&session, &first) && send_up(&session, &first_data) && send_up(&session, &zeroth) &&
		  send_up(&session, &zeroth_data));
	CU_ASSERT(comes_up(&session, &zeroth) && comes_up(&session, &zeroth_data));
	CU_ASSERT_EQUAL(network_status(&session.network).up.held_pdus, 2);
	/* Another LUN now: the first is released. */
	network_enable(&session.network, "proxy/iscsi/hold-writes", 0);
	CU_ASSERT(comes_up(&session, &first) && comes_up(&session, &first_data));
	network_disable(&session.network, "proxy/iscsi/hold-writes");
	network_enable(&session.network, "proxy/iscsi/hold-responses", 0);
	CU_ASSERT(send_down(&session, &zeroth_response) && send_down(&session, &first_response));
	CU_ASSERT_TRUE(comes_down(&session, &first_response));
	CU_ASSERT_EQUAL(network_status(&session.network).down.held_pdus, 1);
	network_disable(&session.network, "proxy/iscsi/hold-responses");
	CU_ASSERT_TRUE(comes_down(&session, &zeroth_response));
	close_session(&session);
}

static void a_fault_begins_and_ends_between_pdus(void)
{
	struct session session = open_session(false);
	struct stream write =
		make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_WRITE, .tag = 1, .data_size = 1000});
	struct stream nop = make(&session, (struct pdu){ISCSI_NOP_OUT, 0x80, .tag = 2, .data_size = 1000});
	struct stream other =
		make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_WRITE, .tag = 3, .data_size = 100});
	int client = session.network.client, server = session.network.server;
	uint8_t got[2048];

	/* Under way when the fault begins: goes on. */
	CU_ASSERT(network_send(client, write.bytes, 60) && network_receive(server, got, 60));
	network_enable(&session.network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	CU_ASSERT(network_send(client, write.bytes + 60, write.size - 60) &&
		  network_receive(server, got, write.size - 60));
	/* Half of it held when the fault ends: comes whole, before what follows. */
	CU_ASSERT(network_send(client, other.bytes, 77) && network_await_held_up(&session.network, 77));
	network_disable(&session.network, "proxy/iscsi/hold-writes");
	CU_ASSERT(network_send(client, other.bytes + 77, other.size - 77) && send_up(&session, &nop));
	CU_ASSERT(comes_up(&session, &other) && comes_up(&session, &nop));
	/* Another one half forwarded when the fault ends: the held one does not cut it in two. */
	network_enable(&session.network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	CU_ASSERT(send_up(&session, &write) && network_send(client, nop.bytes, 500) &&
		  network_receive(server, got, 500));
	network_disable(&session.network, "proxy/iscsi/hold-writes");
	CU_ASSERT(network_send(client, nop.bytes + 500, nop.size - 500) && send_up(&session, &other));
	CU_ASSERT(network_receive(server, got + 500, nop.size - 500) && !memcmp(got, nop.bytes, nop.size));
	CU_ASSERT(comes_up(&session, &write) && comes_up(&session, &other));
	close_session(&session);
}

static void a_header_in_pieces_is_held_or_passed(void)
{
	struct session session = open_session(true);
	struct stream stream = {.header_digest = true, .data_digest = true};
	struct stream read = make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_READ, .tag = 7});

	for (uint32_t i = 0; i < 10; i++) {
		stream_add(&stream, &(struct pdu){ISCSI_SCSI_COMMAND, SCSI_WRITE, .tag = i, .data_size = i});
		stream_add(&stream, &(struct pdu){ISCSI_SCSI_COMMAND, SCSI_READ, .tag = 7});
	}
	network_enable(&session.network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	for (size_t i = 0; i < stream.size; i++) {
		CU_ASSERT_FATAL(network_send(session.network.client, stream.bytes + i, 1));
		/* Now and then everything so far must have been looked at, so that the cuts fall where they
		 * are. */
		if (i % 5 == 0)
			network_status(&session.network);
	}
	for (uint32_t i = 0; i < 10; i++) {
		uint8_t got[52];

		CU_ASSERT(network_receive(session.network.server, got, sizeof(got)));
		CU_ASSERT_EQUAL(got[1], SCSI_READ);
		CU_ASSERT_EQUAL(memcmp(got, read.bytes, ISCSI_HEADER_SIZE), 0);
	}
	CU_ASSERT_EQUAL(network_status(&session.network).up.held_pdus, 10);
	network_disable(&session.network, "proxy/iscsi/hold-writes");
	for (uint32_t i = 0; i < 20; i += 2) {
		size_t size = stream.begins[i + 1] - stream.begins[i];
		uint8_t got[128];

		CU_ASSERT(network_receive(session.network.server, got, size));
		CU_ASSERT_EQUAL(memcmp(got, stream.bytes + stream.begins[i], size), 0);
	}
	close_session(&session);
}

static void stall_and_delay_hold_pdus_too(void)
{
	struct session session = open_session(true);
	struct stream write =
		make(&session, (struct pdu){ISCSI_SCSI_COMMAND, SCSI_WRITE, .tag = 1, .data_size = 1000});
	struct stream nop = make(&session, (struct pdu){ISCSI_NOP_OUT, 0x80, .tag = 2});
	double begun;

	network_enable(&session.network, "proxy/stall", PROXY_NO_VALUE);
	CU_ASSERT(send_up(&session, &write) && network_await_held_up(&session.network, write.size));
	network_disable(&session.network, "proxy/stall");
	CU_ASSERT_TRUE(comes_up(&session, &write));
	network_enable(&session.network, "proxy/delay/up", 100);
	network_enable(&session.network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	begun = network_seconds();
	CU_ASSERT(send_up(&session, &write) && send_up(&session, &nop) && comes_up(&session, &nop));
	CU_ASSERT(network_seconds() - begun >= 0.1);
	network_disable(&session.network, "proxy");
	CU_ASSERT_TRUE(comes_up(&session, &write));
	close_session(&session);
}

static void what_is_no_iscsi_is_forwarded_as_it_is(void)
{
	struct network network = network_open(true);
	struct session session = {network, false};

	network_enable(&network, "proxy/iscsi", PROXY_NO_VALUE);
	CU_ASSERT_EQUAL(network_transfer(network.client, network.server, 1 << 20, 1), 1 << 20);
	CU_ASSERT_EQUAL(network_transfer(network.server, network.client, 1 << 20, 2), 1 << 20);
	network_reconnect(&network);
	CU_ASSERT_EQUAL(network_transfer(network.server, network.client, 1000, 3), 1000);
	network_reconnect(&network);
	CU_ASSERT_EQUAL(network_status(&network).not_iscsi, 2);
	network_disable(&network, "proxy/iscsi");
	session.network = network;
	log_in(&session);
	CU_ASSERT_TRUE(network_send(network.client, "GET / HTTP/1.1\r\n", 16));
	CU_ASSERT_TRUE(network_receive(network.server, (char[16]){0}, 16));
	network_close(&network);
}

/* Half a header stays in the parser; it must come out when the peer stops or turns out not to speak iSCSI. */
static void half_a_header_is_not_lost(void)
{
	struct session session = open_session(false);
	struct stream nop = make(&session, (struct pdu){ISCSI_NOP_OUT, 0x80, .tag = 1});
	uint8_t got[48];

	CU_ASSERT(network_send(session.network.client, nop.bytes, 47) &&
		  network_await_held_up(&session.network, 47));
	CU_ASSERT(network_send(session.network.server, "no iSCSI", 8) &&
		  network_receive(session.network.client, got, 8));
	CU_ASSERT_TRUE(network_receive(session.network.server, got, 47));
	CU_ASSERT_EQUAL(memcmp(got, nop.bytes, 47), 0);
	network_reconnect(&session.network);
	log_in(&session);
	CU_ASSERT_TRUE(network_send(session.network.client, nop.bytes, 30));
	close(session.network.client);
	session.network.client = -1;
	CU_ASSERT_TRUE(network_receive(session.network.server, got, 30));
	CU_ASSERT_EQUAL(network_ends(session.network.server), 0);
	network_reconnect(&session.network);
	log_in(&session);
	network_enable(&session.network, "proxy/stall", PROXY_NO_VALUE);
	CU_ASSERT(network_send(session.network.client, nop.bytes, 30) &&
		  network_send(session.network.server, "no iSCSI", 8));
	CU_ASSERT(network_await_held_up(&session.network, 30) &&
		  network_await_held_down(&session.network, 8));
	network_disable(&session.network, "proxy/stall");
	CU_ASSERT_TRUE(network_receive(session.network.server, got, 30));
	close_session(&session);
}

static void megabytes_pass_intact_around_a_hold(void)
{
	struct session session = open_session(true);
	static struct stream batch;
	size_t count = 400, held = 0;

	batch = (struct stream){.header_digest = true, .data_digest = true};
	stream_add(&batch, &(struct pdu){ISCSI_SCSI_COMMAND, SCSI_WRITE, .tag = 1, .data_size = 3001});
	stream_add(&batch, &(struct pdu){ISCSI_NOP_OUT, 0x80, .tag = 2, .data_size = 4002});
	network_enable(&session.network, "proxy/iscsi/hold-writes", PROXY_NO_VALUE);
	for (size_t i = 0; i < count; i++) {
		size_t size = batch.size - batch.begins[1];
		uint8_t got[8192];

		CU_ASSERT_FATAL(send_up(&session, &batch));
		CU_ASSERT_FATAL(network_receive(session.network.server, got, size));
		CU_ASSERT(!memcmp(got, batch.bytes + batch.begins[1], size));
		held += batch.begins[1];
	}
	CU_ASSERT_EQUAL(network_status(&session.network).up.held, held);
	CU_ASSERT_EQUAL(network_status(&session.network).up.held_pdus, count);
	network_disable(&session.network, "proxy/iscsi/hold-writes");
	for (size_t i = 0; i < count; i++) {
		uint8_t got[8192];

		CU_ASSERT_FATAL(network_receive(session.network.server, got, batch.begins[1]));
		CU_ASSERT(!memcmp(got, batch.bytes, batch.begins[1]));
	}
	close_session(&session);
}

CU_TestInfo proxy_iscsi_tests[] = {
	{"holds only writes", holds_only_writes},
	{"holds only responses", holds_only_responses},
	{"holds only one LUN", holds_only_one_lun},
	{"a fault begins and ends between PDUs", a_fault_begins_and_ends_between_pdus},
	{"a header in pieces is held or passed", a_header_in_pieces_is_held_or_passed},
	{"stall and delay hold PDUs too", stall_and_delay_hold_pdus_too},
	{"what is no iSCSI is forwarded as it is", what_is_no_iscsi_is_forwarded_as_it_is},
	{"half a header is not lost", half_a_header_is_not_lost},
	{"megabytes pass intact around a hold", megabytes_pass_intact_around_a_hold},
	CU_TEST_INFO_NULL,
};
