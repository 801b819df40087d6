// SPDX-License-Identifier: GPL-2.0-or-later
#include "iscsi_pdu.h"

#include <errno.h>
#include <string.h>

#define BIT(opcode) (1ULL << (opcode))

/* RFC 7143 section 11.2.1.2; the last three of each group but Reject are vendor specific. */
static const uint64_t opcodes[] = {
	[ISCSI_FROM_INITIATOR] = BIT(0x00) | BIT(0x01) | BIT(0x02) | BIT(0x03) | BIT(0x04) | BIT(0x05) |
				 BIT(0x06) | BIT(0x10) | BIT(0x1c) | BIT(0x1d) | BIT(0x1e),
	[ISCSI_FROM_TARGET] = BIT(0x20) | BIT(0x21) | BIT(0x22) | BIT(0x23) | BIT(0x24) | BIT(0x25) |
			      BIT(0x26) | BIT(0x31) | BIT(0x32) | BIT(0x3c) | BIT(0x3d) | BIT(0x3e) |
			      BIT(0x3f),
};

static const uint64_t login_opcodes[] = {
	[ISCSI_FROM_INITIATOR] = BIT(ISCSI_LOGIN_REQUEST),
	[ISCSI_FROM_TARGET] = BIT(ISCSI_LOGIN_RESPONSE) | BIT(ISCSI_REJECT),
};

void iscsi_parser_start(struct iscsi_parser *parser, enum iscsi_direction direction,
			struct iscsi_negotiation *negotiation)
{
	*parser = (struct iscsi_parser){.direction = direction, .negotiation = negotiation};
}

/* The first byte decides: bit 7 is reserved, bit 6 marks immediate delivery, the rest is the opcode. */
static bool is_possible(const struct iscsi_parser *parser, uint8_t first)
{
	const uint64_t *known = parser->negotiation->full_feature ? opcodes : login_opcodes;

	return !(first & 0x80) && (known[parser->direction] & BIT(first & 0x3f));
}

/* RFC 7143 section 11.2: header, additional header segments, header digest, data, padding, data digest. */
static void measure(struct iscsi_parser *parser)
{
	const struct iscsi_negotiation *negotiation = parser->negotiation;
	bool digests = negotiation->full_feature;
	const uint8_t *header = parser->header;

	parser->data = (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 | header[7];
	parser->skip = 4U * header[4] + (digests && negotiation->header_digest ? 4 : 0);
	parser->trailer = -parser->data & 3;
	if (parser->data && digests && negotiation->data_digest)
		parser->trailer += 4;
}

static bool is_login(const struct iscsi_parser *parser)
{
	enum iscsi_opcode opcode = iscsi_opcode(parser->header);

	return opcode == ISCSI_LOGIN_REQUEST || opcode == ISCSI_LOGIN_RESPONSE;
}

/*
 * An offer is a list, and the answer one of it (RFC 7143 section 6.2.1) or "Reject", whichever side offers.
 * So the last value is what was agreed on.
 */
static void take_digest(const char *pair, const char *key, bool *digest)
{
	size_t length = strlen(key);

	if (!strncmp(pair, key, length))
		*digest = !strcmp(pair + length, "CRC32C");
}

static void take_pair(struct iscsi_parser *parser)
{
	if (parser->pair_length < sizeof(parser->pair)) {
		parser->pair[parser->pair_length] = '\0';
		take_digest(parser->pair, "HeaderDigest=", &parser->negotiation->header_digest);
		take_digest(parser->pair, "DataDigest=", &parser->negotiation->data_digest);
	}
	parser->pair_length = 0;
}

/* Login text may be cut anywhere into PDUs (C bit, section 11.12.2), so the pair outlives its PDU. */
static void read_login_text(struct iscsi_parser *parser, const uint8_t *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!text[i]) {
			take_pair(parser);
			continue;
		}
		if (parser->pair_length < sizeof(parser->pair))
			parser->pair[parser->pair_length++] = (char)text[i];
	}
}

/* The login response with the T bit, next stage "full feature" and status class "success" ends the login
 * phase. */
static void end_pdu(struct iscsi_parser *parser)
{
	const uint8_t *header = parser->header;

	parser->header_filled = 0;
	if (iscsi_opcode(header) == ISCSI_LOGIN_RESPONSE && (header[1] & 0x83) == 0x83 && !header[36])
		parser->negotiation->full_feature = true;
}

static size_t shorter(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t take_header(struct iscsi_parser *parser, const uint8_t *input, size_t size,
			  struct iscsi_piece *piece)
{
	bool whole = !parser->header_filled && size >= ISCSI_HEADER_SIZE;
	size_t taken = shorter(size, ISCSI_HEADER_SIZE - parser->header_filled);

	memcpy(parser->header + parser->header_filled, input, taken);
	parser->header_filled += taken;
	if (parser->header_filled < ISCSI_HEADER_SIZE)
		return taken;
	measure(parser);
	piece->bytes = whole ? input : parser->header;
	piece->size = ISCSI_HEADER_SIZE;
	piece->begins = true;
	return taken;
}

static size_t take_body(struct iscsi_parser *parser, const uint8_t *input, size_t size,
			struct iscsi_piece *piece)
{
	uint32_t *part = parser->skip ? &parser->skip : parser->data ? &parser->data : &parser->trailer;
	size_t taken = shorter(size, *part);

	if (part == &parser->data && is_login(parser))
		read_login_text(parser, input, taken);
	*part -= (uint32_t)taken;
	piece->bytes = input;
	piece->size = taken;
	return taken;
}

int iscsi_parser_feed(struct iscsi_parser *parser, const uint8_t *input, size_t size, size_t *used,
		      struct iscsi_piece *piece)
{
	*piece = (struct iscsi_piece){0};
	if (!parser->header_filled && !is_possible(parser, input[0]))
		return -EPROTO;
	if (parser->header_filled < ISCSI_HEADER_SIZE)
		*used = take_header(parser, input, size, piece);
	else
		*used = take_body(parser, input, size, piece);
	if (piece->size && !parser->skip && !parser->data && !parser->trailer) {
		piece->ends = true;
		end_pdu(parser);
	}
	return 0;
}
