// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/proxy/iscsi_pdu.h"
#include "inject/proxy/iscsi_tasks.h"
#include "iscsi_stream.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <string.h>

/**
 * struct found - what a parser made of a stream
 * @bytes: all that it gave out
 * @begins: offsets of the headers, @ends of the first byte behind each PDU
 */
struct found {
	uint8_t bytes[4096];
	size_t size, begins[128], ends[128], begin_count, end_count;
	int r;
};

/* Feeds @size bytes in parts: first @first of them, then @each at a time. */
static struct found parse(enum iscsi_direction direction, struct iscsi_negotiation negotiation,
			  const uint8_t *bytes, size_t size, size_t first, size_t each)
{
	struct iscsi_parser parser;
	struct found found = {0};
	size_t part = first;

	iscsi_parser_start(&parser, direction, &negotiation);
	for (size_t done = 0; done < size && !found.r; part = each) {
		const uint8_t *next = bytes + done;
		size_t left = part < size - done ? part : size - done;

		done += left;
		while (left) {
			struct iscsi_piece piece;
			size_t used = 0;

			found.r = iscsi_parser_feed(&parser, next, left, &used, &piece);
			if (found.r)
				break;
			CU_ASSERT_FATAL(used > 0 && used <= left);
			if (piece.begins)
				found.begins[found.begin_count++] = found.size;
			if (piece.size)
				memcpy(found.bytes + found.size, piece.bytes, piece.size);
			found.size += piece.size;
			if (piece.ends)
				found.ends[found.end_count++] = found.size;
			next += used;
			left -= used;
		}
	}
	return found;
}

static const struct iscsi_negotiation no_digests = {.full_feature = true};
static const struct iscsi_negotiation both_digests = {true, true, true};

static bool is_same(const struct found *a, const struct found *b)
{
	return a->size == b->size && a->begin_count == b->begin_count && a->end_count == b->end_count &&
	       !memcmp(a->bytes, b->bytes, a->size) &&
	       !memcmp(a->begins, b->begins, a->begin_count * sizeof(a->begins[0])) &&
	       !memcmp(a->ends, b->ends, a->end_count * sizeof(a->ends[0]));
}

/* PDUs with and without data, all remainders of padding, additional header segments. */
static struct stream mixed_stream(bool header_digest, bool data_digest)
{
	struct stream stream = {.header_digest = header_digest, .data_digest = data_digest};

	stream_add(&stream, &(struct pdu){.opcode = ISCSI_NOP_OUT, .flags = 0x80});
	for (uint32_t size = 0; size < 6; size++)
		stream_add(&stream,
			   &(struct pdu){.opcode = ISCSI_DATA_OUT, .flags = 0x80, .data_size = size});
	stream_add(
		&stream,
		&(struct pdu){.opcode = ISCSI_SCSI_COMMAND, .flags = 0xa0, .ahs_words = 5, .data_size = 131});
	stream_add(&stream, &(struct pdu){.opcode = ISCSI_SCSI_COMMAND, .flags = 0xc0, .ahs_words = 255});
	stream_add(&stream, &(struct pdu){.opcode = ISCSI_LOGOUT_REQUEST, .flags = 0x80});
	return stream;
}

static void check_mixed(bool header_digest, bool data_digest)
{
	struct iscsi_negotiation negotiation = {header_digest, data_digest, true};
	struct stream stream = mixed_stream(header_digest, data_digest);
	struct found whole =
		parse(ISCSI_FROM_INITIATOR, negotiation, stream.bytes, stream.size, stream.size, 1);

	CU_ASSERT_EQUAL(whole.r, 0);
	CU_ASSERT_EQUAL(whole.size, stream.size);
	CU_ASSERT_EQUAL(memcmp(whole.bytes, stream.bytes, stream.size), 0);
	CU_ASSERT_EQUAL(whole.begin_count, stream.count);
	CU_ASSERT_EQUAL(whole.end_count, stream.count);
	for (size_t i = 0; i < stream.count; i++) {
		CU_ASSERT_EQUAL(whole.begins[i], stream.begins[i]);
		CU_ASSERT_EQUAL(whole.ends[i], i + 1 < stream.count ? stream.begins[i + 1] : stream.size);
	}
	for (size_t split = 1; split < stream.size; split++) {
		struct found found = parse(ISCSI_FROM_INITIATOR, negotiation, stream.bytes, stream.size,
					   split, stream.size);

		CU_ASSERT(is_same(&whole, &found));
	}
	for (size_t each = 1; each < 64; each++) {
		struct found found =
			parse(ISCSI_FROM_INITIATOR, negotiation, stream.bytes, stream.size, each, each);

		CU_ASSERT(is_same(&whole, &found));
	}
}

static void finds_every_pdu_however_split(void)
{
	check_mixed(false, false);
	check_mixed(true, false);
	check_mixed(false, true);
	check_mixed(true, true);
}

static void needs_the_digests_it_was_told(void)
{
	struct stream stream = mixed_stream(true, true);
	struct found found =
		parse(ISCSI_FROM_INITIATOR, no_digests, stream.bytes, stream.size, stream.size, 1);

	/* With the wrong idea of the digests, the boundaries cannot be right. */
	CU_ASSERT(found.r || found.begin_count != stream.count);
	found = parse(ISCSI_FROM_INITIATOR, both_digests, stream.bytes, stream.size, stream.size, 1);
	CU_ASSERT_EQUAL(found.begin_count, stream.count);
}

/* One login: @offer by the initiator, @answer by the target, each cut into PDUs of @each bytes. */
static struct iscsi_negotiation log_in(const char *offer, size_t offer_size, const char *answer,
				       size_t answer_size, size_t each)
{
	struct iscsi_negotiation negotiation = {0};
	struct iscsi_parser up, down;

	iscsi_parser_start(&up, ISCSI_FROM_INITIATOR, &negotiation);
	iscsi_parser_start(&down, ISCSI_FROM_TARGET, &negotiation);
	for (int side = 0; side < 2; side++) {
		struct stream stream = {0};
		struct iscsi_piece piece;
		size_t used;

		stream_add_login(&stream, side, side ? answer : offer, side ? answer_size : offer_size, each);
		for (size_t done = 0; done < stream.size; done += used)
			CU_ASSERT_FATAL(!iscsi_parser_feed(side ? &down : &up, stream.bytes + done,
							   stream.size - done, &used, &piece));
	}
	return negotiation;
}

#define LOG_IN(offer, answer, each) log_in(offer, sizeof(offer), answer, sizeof(answer), each)

static void learns_the_digests_from_the_login(void)
{
	for (size_t each = 1; each < 60; each++) {
		struct iscsi_negotiation negotiation;

		negotiation = LOG_IN("InitiatorName=iqn.x\0HeaderDigest=CRC32C,None\0DataDigest=None,CRC32C",
				     "HeaderDigest=CRC32C\0DataDigest=None", each);
		CU_ASSERT(negotiation.full_feature && negotiation.header_digest && !negotiation.data_digest);
		negotiation = LOG_IN("DataDigest=CRC32C,None\0HeaderDigest=None",
				     "DataDigest=CRC32C\0HeaderDigest=None", each);
		CU_ASSERT(negotiation.full_feature && !negotiation.header_digest && negotiation.data_digest);
	}
	/* An offer alone is no agreement, and a key must match in full. */
	CU_ASSERT_FALSE(LOG_IN("HeaderDigest=CRC32C,None", "HeaderDigest=None", 100).header_digest);
	CU_ASSERT_FALSE(LOG_IN("HeaderDigest=CRC32C", "HeaderDigest=Reject", 100).header_digest);
	CU_ASSERT_FALSE(LOG_IN("a=b", "XHeaderDigest=CRC32C\0HeaderDigest=CRC32CX\0headerdigest=CRC32C", 100)
				.header_digest);
	CU_ASSERT_FALSE(LOG_IN("a=b",
			       "TargetAlias=0123456789012345678901234567890123456789012345678901234567890\0a="
			       "HeaderDigest=CRC32C",
			       100)
				.header_digest);
	CU_ASSERT_TRUE(
		LOG_IN("a=b",
		       "TargetAlias="
		       "0123456789012345678901234567890123456789012345678901234567890\0HeaderDigest=CRC32C",
		       100)
			.header_digest);
}

static void a_failed_login_changes_nothing(void)
{
	struct iscsi_negotiation negotiation = {0};
	struct iscsi_parser down;
	struct stream stream = {0};
	struct iscsi_piece piece;
	size_t used;

	stream_add(&stream, &(struct pdu){.opcode = ISCSI_LOGIN_RESPONSE, .flags = 0x87, .status_class = 2});
	stream_add(&stream, &(struct pdu){.opcode = ISCSI_LOGIN_RESPONSE, .flags = 0x81});
	stream_add(&stream, &(struct pdu){.opcode = ISCSI_LOGIN_RESPONSE, .flags = 0x07});
	iscsi_parser_start(&down, ISCSI_FROM_TARGET, &negotiation);
	for (size_t done = 0; done < stream.size; done += used)
		CU_ASSERT_FATAL(
			!iscsi_parser_feed(&down, stream.bytes + done, stream.size - done, &used, &piece));
	CU_ASSERT_FALSE(negotiation.full_feature);
}

static bool is_accepted(enum iscsi_direction direction, struct iscsi_negotiation negotiation, uint8_t first)
{
	return !parse(direction, negotiation, &first, 1, 1, 1).r;
}

static void rejects_what_is_no_iscsi(void)
{
	const struct iscsi_negotiation login = {0};

	CU_ASSERT_FALSE(is_accepted(ISCSI_FROM_INITIATOR, login, 'G'));
	CU_ASSERT_TRUE(is_accepted(ISCSI_FROM_INITIATOR, login, 0x43));
	CU_ASSERT_FALSE(is_accepted(ISCSI_FROM_INITIATOR, login, 0xc3));
	CU_ASSERT_FALSE(is_accepted(ISCSI_FROM_INITIATOR, login, 0x01));
	CU_ASSERT_FALSE(is_accepted(ISCSI_FROM_TARGET, login, 0x21));
	CU_ASSERT_TRUE(is_accepted(ISCSI_FROM_TARGET, login, 0x23));
	CU_ASSERT_TRUE(is_accepted(ISCSI_FROM_TARGET, login, 0x3f));
	CU_ASSERT_TRUE(is_accepted(ISCSI_FROM_TARGET, no_digests, 0x21));
	CU_ASSERT_FALSE(is_accepted(ISCSI_FROM_TARGET, no_digests, 0x01));
	CU_ASSERT_FALSE(is_accepted(ISCSI_FROM_INITIATOR, no_digests, 0x21));
	CU_ASSERT_FALSE(is_accepted(ISCSI_FROM_INITIATOR, no_digests, 0x07));
}

static int see(struct iscsi_tasks *tasks, struct pdu pdu)
{
	struct stream stream = {0};

	stream_add(&stream, &pdu);
	return iscsi_tasks_see(tasks, stream.bytes);
}

static void knows_the_lun_of_every_task(void)
{
	struct iscsi_tasks tasks = {0};

	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_SCSI_COMMAND, .lun = 3, .tag = 10}), 3);
	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_SCSI_COMMAND, .lun = 500, .tag = 11}), 500);
	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_DATA_OUT, .lun = 0, .tag = 10}), 3);
	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_DATA_IN, .tag = 11}), 500);
	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_DATA_IN, .flags = 0x81, .tag = 11}), 500);
	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_DATA_IN, .tag = 11}), ISCSI_LUN_UNKNOWN);
	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_SCSI_RESPONSE, .tag = 10}), 3);
	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_SCSI_RESPONSE, .tag = 10}),
			ISCSI_LUN_UNKNOWN);
	CU_ASSERT_EQUAL(see(&tasks, (struct pdu){.opcode = ISCSI_NOP_OUT, .lun = 3, .tag = 10}),
			ISCSI_LUN_UNKNOWN);
	CU_ASSERT_EQUAL(tasks.count, 0);
	iscsi_tasks_free(&tasks);
}

static void forgets_no_task_in_a_flood(void)
{
	struct iscsi_tasks tasks = {0};

	for (uint32_t tag = 0; tag < 5000; tag++)
		CU_ASSERT(see(&tasks, (struct pdu){.opcode = ISCSI_SCSI_COMMAND, .lun = 1, .tag = tag}) == 1);
	CU_ASSERT(tasks.count >= 2048 && tasks.count <= 4096);
	for (uint32_t tag = 0; tag < 2048; tag++)
		CU_ASSERT(see(&tasks, (struct pdu){.opcode = ISCSI_SCSI_RESPONSE, .tag = tag}) == 1);
	iscsi_tasks_free(&tasks);
}

CU_TestInfo iscsi_pdu_tests[] = {
	{"finds every PDU however split", finds_every_pdu_however_split},
	{"needs the digests it was told", needs_the_digests_it_was_told},
	{"learns the digests from the login", learns_the_digests_from_the_login},
	{"a failed login changes nothing", a_failed_login_changes_nothing},
	{"rejects what is no iSCSI", rejects_what_is_no_iscsi},
	{"knows the LUN of every task", knows_the_lun_of_every_task},
	{"forgets no task in a flood", forgets_no_task_in_a_flood},
	CU_TEST_INFO_NULL,
};
