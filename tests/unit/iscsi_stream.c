// SPDX-License-Identifier: GPL-2.0-or-later
#include "iscsi_stream.h"

#include "inject/proxy/iscsi_pdu.h"

#include <CUnit/CUnit.h>
#include <string.h>

/* RFC 7143 section 11.12: the T bit with current stage 1 and next stage 3; the C bit. */
#define LOGIN_TRANSIT  0x87
#define LOGIN_CONTINUE 0x44

static void add_filler(struct stream *stream, size_t size)
{
	CU_ASSERT_FATAL(stream->size + size <= sizeof(stream->bytes));
	for (size_t i = 0; i < size; i++, stream->size++)
		stream->bytes[stream->size] = (uint8_t)(stream->size * 7 + 0x80);
}

static void add_bytes(struct stream *stream, const void *bytes, size_t size)
{
	CU_ASSERT_FATAL(stream->size + size <= sizeof(stream->bytes));
	memcpy(stream->bytes + stream->size, bytes, size);
	stream->size += size;
}

static void add_header(struct stream *stream, const struct pdu *pdu)
{
	uint8_t header[ISCSI_HEADER_SIZE] = {
		[0] = pdu->opcode,
		[1] = pdu->flags,
		[4] = pdu->ahs_words,
		[5] = (uint8_t)(pdu->data_size >> 16),
		[6] = (uint8_t)(pdu->data_size >> 8),
		[7] = (uint8_t)pdu->data_size,
		/* Flat addressing for large numbers, as Linux's initiator does. */
		[8] = (uint8_t)(pdu->lun > 255 ? 0x40 | pdu->lun >> 8 : 0),
		[9] = (uint8_t)pdu->lun,
		[16] = (uint8_t)(pdu->tag >> 24),
		[17] = (uint8_t)(pdu->tag >> 16),
		[18] = (uint8_t)(pdu->tag >> 8),
		[19] = (uint8_t)pdu->tag,
		[36] = pdu->status_class,
	};

	add_bytes(stream, header, sizeof(header));
}

void stream_add(struct stream *stream, const struct pdu *pdu)
{
	CU_ASSERT_FATAL(stream->count < sizeof(stream->begins) / sizeof(stream->begins[0]));
	stream->begins[stream->count++] = stream->size;
	add_header(stream, pdu);
	add_filler(stream, 4U * pdu->ahs_words + (stream->header_digest ? 4 : 0));
	if (pdu->data)
		add_bytes(stream, pdu->data, pdu->data_size);
	else
		add_filler(stream, pdu->data_size);
	add_filler(stream, -pdu->data_size & 3);
	if (pdu->data_size && stream->data_digest)
		add_filler(stream, 4);
}

void stream_add_login(struct stream *stream, bool from_target, const char *text, size_t size, size_t each)
{
	for (size_t done = 0; done < size; done += each) {
		bool last = size - done <= each;

		stream_add(stream,
			   &(struct pdu){
				   .opcode = from_target ? ISCSI_LOGIN_RESPONSE : ISCSI_LOGIN_REQUEST | 0x40,
				   .flags = last ? LOGIN_TRANSIT : LOGIN_CONTINUE,
				   .data = text + done,
				   .data_size = (uint32_t)(last ? size - done : each),
			   });
	}
}
