// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the iSCSI PDU parser and the account of tasks, both directions of one connection. However
 * the bytes are cut, all of them come out, in order and once, and the PDUs begin and end at the same places.
 */
#include "inject/proxy/iscsi_pdu.h"
#include "inject/proxy/iscsi_tasks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * struct side - one direction, fed with the same bytes as its twin but in other parts
 * @given: how many bytes came out
 * @marks: hash of where PDUs begin and end
 */
struct side {
	struct iscsi_parser parser;
	struct iscsi_tasks *tasks;
	size_t given;
	uint64_t marks;
	bool broken;
};

struct pair {
	struct iscsi_negotiation negotiation;
	struct iscsi_tasks tasks;
	struct side sides[2];
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void mark(struct side *side, const struct iscsi_piece *piece)
{
	if (piece->begins)
		side->marks = side->marks * 31 + 2 * (side->given - piece->size);
	if (piece->ends)
		side->marks = side->marks * 31 + 2 * side->given + 1;
}

/* @stream is all that this side ever gets; @from up to @to come now. */
static void feed(struct side *side, const uint8_t *stream, size_t from, size_t to)
{
	while (from < to && !side->broken) {
		struct iscsi_piece piece;
		size_t used = 0;

		side->broken = iscsi_parser_feed(&side->parser, stream + from, to - from, &used, &piece);
		if (side->broken) {
			require(side->given == from);
			return;
		}
		require(used > 0 && used <= to - from);
		require(!memcmp(piece.bytes ? piece.bytes : stream,
				piece.bytes ? stream + side->given : stream, piece.size));
		if (piece.begins)
			iscsi_tasks_see(side->tasks, piece.bytes);
		side->given += piece.size;
		mark(side, &piece);
		from += used;
		require(side->given <= from && from - side->given < ISCSI_HEADER_SIZE);
	}
}

static void start(struct pair *pair)
{
	*pair = (struct pair){0};
	for (int d = 0; d < 2; d++) {
		iscsi_parser_start(&pair->sides[d].parser, (enum iscsi_direction)d, &pair->negotiation);
		pair->sides[d].tasks = &pair->tasks;
	}
}

/*
 * The input is a list of: one byte with the direction in its lowest bit and a length above it, then as many
 * bytes. One pair gets each part at once, the other byte by byte.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pair whole, bytes;
	uint8_t *streams[2] = {malloc(size + 1), malloc(size + 1)};
	size_t lengths[2] = {0, 0};

	require(streams[0] && streams[1]);
	start(&whole);
	start(&bytes);
	for (size_t next = 0; next < size;) {
		int d = data[next] & 1;
		size_t part = data[next] >> 1;

		next++;
		if (part > size - next)
			part = size - next;
		memcpy(streams[d] + lengths[d], data + next, part);
		feed(&whole.sides[d], streams[d], lengths[d], lengths[d] + part);
		for (size_t i = 0; i < part; i++)
			feed(&bytes.sides[d], streams[d], lengths[d] + i, lengths[d] + i + 1);
		lengths[d] += part;
		next += part;
		require(whole.sides[d].broken == bytes.sides[d].broken);
		require(whole.sides[d].given == bytes.sides[d].given);
		require(whole.sides[d].marks == bytes.sides[d].marks);
		require(!memcmp(&whole.negotiation, &bytes.negotiation, sizeof(whole.negotiation)));
	}
	iscsi_tasks_free(&whole.tasks);
	iscsi_tasks_free(&bytes.tasks);
	free(streams[0]);
	free(streams[1]);
	return 0;
}
