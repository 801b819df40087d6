// SPDX-License-Identifier: GPL-2.0-or-later
#include "piece.h"

#include <string.h>

/* Many bytes at once: the skipped parts of a log are only looked at for this. */
typedef unsigned char byte_vector __attribute__((vector_size(32)));

/* The thread sanitizer is not ready yet when the choice is made. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("avx2", "default")))
#endif
static uint64_t
count_lines(const char *bytes, size_t size)
{
	uint64_t count = 0;

	while (size >= sizeof(byte_vector)) {
		/* A comparison gives -1 in each byte that matches, so 255 of them fit before a byte
		 * overflows. */
		size_t rounds = size / sizeof(byte_vector) < 255 ? size / sizeof(byte_vector) : 255;
		byte_vector matches = {0};

		for (size_t i = 0; i < rounds; i++, bytes += sizeof(byte_vector)) {
			byte_vector part;

			memcpy(&part, bytes, sizeof(part));
			matches -= (byte_vector)(part == '\n');
		}
		for (size_t i = 0; i < sizeof(byte_vector); i++)
			count += matches[i];
		size -= rounds * sizeof(byte_vector);
	}
	for (size_t i = 0; i < size; i++)
		count += bytes[i] == '\n';
	return count;
}

static void note_hit(size_t offset, void *data)
{
	struct log_piece *piece = data;
	bool same_line = piece->hit_count && !memchr(piece->bytes + piece->seen, '\n', offset - piece->seen);

	piece->seen = offset;
	if (same_line)
		return;
	if (piece->hit_count < PIECE_HITS)
		piece->hits[piece->hit_count++] = (uint32_t)offset;
	else
		piece->dense = true;
}

int piece_scan(struct log_piece *piece, const struct hl_prefilter *prefilter)
{
	piece->hit_count = 0;
	piece->dense = false;
	piece->lines = count_lines(piece->bytes, piece->size);
	piece->scanned = true;
	return prefilter->scan(prefilter->state, piece->bytes, piece->size, note_hit, piece);
}

size_t piece_next(const struct log_piece *piece, size_t *hit, size_t from, size_t end)
{
	const char *newline;
	size_t last;

	while (*hit < piece->hit_count && piece->hits[*hit] <= from)
		++*hit;
	if (*hit == piece->hit_count)
		return piece->dense ? from : end;
	last = piece->hits[*hit] - 1;
	if (last >= end)
		return end;
	newline = memrchr(piece->bytes + from, '\n', last - from);
	return newline ? (size_t)(newline - piece->bytes) + 1 : from;
}

uint64_t piece_lines(const struct log_piece *piece, size_t from, size_t to)
{
	if (to - from < piece->size / 2)
		return count_lines(piece->bytes + from, to - from);
	return piece->lines - count_lines(piece->bytes, from) -
	       count_lines(piece->bytes + to, piece->size - to);
}
