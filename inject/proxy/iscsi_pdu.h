/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_ISCSI_PDU_H
#define HANGLAB_INJECT_PROXY_ISCSI_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finds the PDUs in the two byte streams of an iSCSI connection (RFC 7143, section 11), without changing a
 * byte. Nothing but a PDU's basic header segment is ever buffered, whatever length the header announces.
 *
 * Where a PDU ends depends on the digests, which the peers negotiate in the login phase: the parser reads
 * the login text of both directions.
 */

#define ISCSI_HEADER_SIZE 48

/* Opcodes, RFC 7143 section 11.2.1.2. */
enum iscsi_opcode {
	ISCSI_NOP_OUT = 0x00,
	ISCSI_SCSI_COMMAND = 0x01,
	ISCSI_LOGIN_REQUEST = 0x03,
	ISCSI_DATA_OUT = 0x05,
	ISCSI_LOGOUT_REQUEST = 0x06,
	ISCSI_SNACK_REQUEST = 0x10,
	ISCSI_NOP_IN = 0x20,
	ISCSI_SCSI_RESPONSE = 0x21,
	ISCSI_LOGIN_RESPONSE = 0x23,
	ISCSI_DATA_IN = 0x25,
	ISCSI_REJECT = 0x3f,
};

/** enum iscsi_direction - which peer speaks */
enum iscsi_direction {
	ISCSI_FROM_INITIATOR,
	ISCSI_FROM_TARGET,
};

/**
 * struct iscsi_negotiation - what both directions of a connection share
 * @header_digest: CRC32C was agreed on for headers
 * @data_digest: CRC32C was agreed on for data
 * @full_feature: the login phase is over, the digests are in force
 *
 * All zero at the start of a connection.
 */
struct iscsi_negotiation {
	bool header_digest, data_digest, full_feature;
};

/**
 * struct iscsi_parser - one direction of a connection
 * @direction: whose PDUs these are
 * @negotiation: shared with the other direction
 * @header: the basic header segment of the PDU at hand
 * @header_filled: how much of it is there
 * @skip: bytes of the PDU before its data segment that are still to come
 * @data: bytes of the data segment still to come
 * @trailer: bytes of padding and data digest still to come
 * @pair: the login text's current "key=value", for as far as it fits
 * @pair_length: its whole length so far
 */
struct iscsi_parser {
	enum iscsi_direction direction;
	struct iscsi_negotiation *negotiation;
	uint8_t header[ISCSI_HEADER_SIZE];
	size_t header_filled;
	uint32_t skip, data, trailer;
	char pair[64];
	size_t pair_length;
};

/**
 * struct iscsi_piece - what iscsi_parser_feed() found
 * @bytes: to be forwarded; in the input, or in the parser's header until the next feed
 * @size: how many; 0 when the input ended inside a header, which the parser keeps
 * @begins: these are the header of a PDU: @bytes is all of its 48 bytes
 * @ends: the PDU ends behind these bytes
 */
struct iscsi_piece {
	const uint8_t *bytes;
	size_t size;
	bool begins, ends;
};

/** iscsi_parser_start() - at the start of a connection */
void iscsi_parser_start(struct iscsi_parser *parser, enum iscsi_direction direction,
			struct iscsi_negotiation *negotiation);

/**
 * iscsi_parser_feed() - take the next piece off a stream
 * @input: next bytes of the stream
 * @size: how many, at least 1
 * @used: how many of them were taken, at least 1
 * @piece: what they are
 *
 * Return: 0, or -EPROTO when this is not iSCSI: the opcode does not exist in this direction or phase. Nothing
 * of
 * @input was taken then, all that came before was given out, and the parser is of no more use.
 */
int iscsi_parser_feed(struct iscsi_parser *parser, const uint8_t *input, size_t size, size_t *used,
		      struct iscsi_piece *piece);

/** iscsi_opcode() - opcode of a header */
static inline enum iscsi_opcode iscsi_opcode(const uint8_t *header)
{
	return (enum iscsi_opcode)(header[0] & 0x3f);
}

/** iscsi_writes() - whether a SCSI Command PDU announces data from the initiator (W bit) */
static inline bool iscsi_writes(const uint8_t *header)
{
	return header[1] & 0x20;
}

/** iscsi_carries_status() - whether a Data-In PDU ends its task (S bit) */
static inline bool iscsi_carries_status(const uint8_t *header)
{
	return header[1] & 0x01;
}

/** iscsi_lun() - number of the logical unit in a header that has one; single-level addressing (SAM-5
 * section 4.7) */
static inline uint16_t iscsi_lun(const uint8_t *header)
{
	return (uint16_t)((header[8] & 0x3f) << 8 | header[9]);
}

/** iscsi_task_tag() - initiator task tag of a header */
static inline uint32_t iscsi_task_tag(const uint8_t *header)
{
	return (uint32_t)header[16] << 24 | (uint32_t)header[17] << 16 | (uint32_t)header[18] << 8 |
	       header[19];
}

#endif
