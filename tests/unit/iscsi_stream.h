/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_TESTS_ISCSI_STREAM_H
#define HANGLAB_TESTS_ISCSI_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* iSCSI PDUs of the tests' own making. */

/** struct pdu - what a test says about a PDU; the rest is zero or filler that tells its position */
struct pdu {
	uint8_t opcode, flags, ahs_words, status_class;
	uint32_t data_size, tag;
	uint16_t lun;
	const void *data;
};

/**
 * struct stream - PDUs one behind the other
 * @header_digest: those added get one (of filler: nothing checks it)
 * @data_digest: the same
 * @begins: offset of each PDU
 */
struct stream {
	bool header_digest, data_digest;
	uint8_t bytes[16384];
	size_t size, begins[128], count;
};

void stream_add(struct stream *stream, const struct pdu *pdu);

/** stream_add_login() - login text in PDUs of @each bytes; the last ends the login phase */
void stream_add_login(struct stream *stream, bool from_target, const char *text, size_t size, size_t each);

#endif
