// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/dmesg.h"

#include "base/cleanup.h"
#include "postmortem/vmcoreinfo.h"

#include <inttypes.h>
#include <string.h>

/* Sizes that no kernel comes near to. */
#define MOST_DESCRIPTORS 24
#define MOST_TEXT	 (1ULL << 30)

/* Each line of a record gets the time, as the kernel prints it. */
static void print_record(FILE *out, uint64_t nanoseconds, const char *text, size_t size)
{
	while (size) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;

		fprintf(out, "[%5" PRIu64 ".%06" PRIu64 "] ", nanoseconds / 1000000000,
			nanoseconds / 1000 % 1000000);
		for (size_t i = 0; i < length; i++)
			putc((unsigned char)text[i] < ' ' && text[i] != '\t' ? '?' : text[i], out);
		putc('\n', out);
		length += end != NULL;
		text += length;
		size -= length;
	}
}

/**
 * struct ring - a printk_ringbuffer (kernel/printk/printk_ringbuffer.h)
 * @text: copy of the ring of texts
 * @count: of descriptors, a power of two
 */
struct ring {
	const struct mapping *mapping;
	uint64_t descriptors, infos, count, head, tail;
	uint64_t descriptor_size, info_size, state, begin, next, id_size;
	uint64_t time, length;
	char *text;
	uint64_t text_size;
};

static uint64_t value_of(const struct mapping *mapping, const char *key)
{
	uint64_t value = 0;

	vmcoreinfo_number(mapping->info, key, &value);
	return value;
}

static uint64_t pointer_at(const struct mapping *mapping, uint64_t base, const char *key)
{
	return mapping_pointer(mapping, base + value_of(mapping, key));
}

static int open_ring(struct ring *ring, const struct mapping *mapping, struct hl_error *err)
{
	uint64_t symbol = value_of(mapping, "SYMBOL(prb)"), rb = mapping_pointer(mapping, symbol);
	uint64_t descs = rb + value_of(mapping, "OFFSET(printk_ringbuffer.desc_ring)");
	uint64_t data = rb + value_of(mapping, "OFFSET(printk_ringbuffer.text_data_ring)");
	uint64_t bits =
		mapping_number(mapping, descs + value_of(mapping, "OFFSET(prb_desc_ring.count_bits)"), 4);
	uint64_t text_bits =
		mapping_number(mapping, data + value_of(mapping, "OFFSET(prb_data_ring.size_bits)"), 4);
	uint64_t blocks = value_of(mapping, "OFFSET(prb_desc.text_blk_lpos)");

	*ring = (struct ring){
		.mapping = mapping,
		.descriptors = pointer_at(mapping, descs, "OFFSET(prb_desc_ring.descs)"),
		.infos = pointer_at(mapping, descs, "OFFSET(prb_desc_ring.infos)"),
		.head = pointer_at(mapping, descs, "OFFSET(prb_desc_ring.head_id)"),
		.tail = pointer_at(mapping, descs, "OFFSET(prb_desc_ring.tail_id)"),
		.descriptor_size = value_of(mapping, "SIZE(prb_desc)"),
		.info_size = value_of(mapping, "SIZE(printk_info)"),
		.state = value_of(mapping, "OFFSET(prb_desc.state_var)"),
		.begin = blocks + value_of(mapping, "OFFSET(prb_data_blk_lpos.begin)"),
		.next = blocks + value_of(mapping, "OFFSET(prb_data_blk_lpos.next)"),
		.time = value_of(mapping, "OFFSET(printk_info.ts_nsec)"),
		.length = value_of(mapping, "OFFSET(printk_info.text_len)"),
	};
	if (!bits || bits > MOST_DESCRIPTORS || !text_bits || text_bits > 63 ||
	    1ULL << text_bits > MOST_TEXT || !ring->descriptor_size || !ring->info_size)
		return hl_error_set(err, ENODATA, "the kernel's log buffer makes no sense");
	ring->count = 1ULL << bits;
	ring->text_size = 1ULL << text_bits;
	ring->text = malloc(ring->text_size);
	if (!ring->text || !mapping_read(mapping, pointer_at(mapping, data, "OFFSET(prb_data_ring.data)"),
					 ring->text, ring->text_size)) {
		free(ring->text);
		return hl_error_set(err, ENODATA, "the kernel's log buffer is not in this memory");
	}
	return 0;
}

/* State of a descriptor: 1 committed, 2 finalized; others have no text yet, or no more. */
static bool has_text(uint64_t state_var, uint64_t id)
{
	uint64_t state = state_var >> 62, mask = ~0ULL >> 2;

	return (state == 1 || state == 2) && (state_var & mask) == (id & mask);
}

static void print_descriptor(const struct ring *ring, uint64_t id, FILE *out)
{
	const struct mapping *mapping = ring->mapping;
	uint64_t descriptor = ring->descriptors + id % ring->count * ring->descriptor_size;
	uint64_t info = ring->infos + id % ring->count * ring->info_size;
	uint64_t begin = mapping_pointer(mapping, descriptor + ring->begin);
	uint64_t next = mapping_pointer(mapping, descriptor + ring->next);
	uint64_t length = mapping_number(mapping, info + ring->length, 2), room;

	/* Odd positions stand for a record without text. */
	if (!has_text(mapping_pointer(mapping, descriptor + ring->state), id) || begin & 1)
		return;
	begin %= ring->text_size;
	next %= ring->text_size;
	/* A block is never split: one that would not fit begins again at the start. */
	if (begin > next)
		begin = 0;
	room = next - begin;
	if (room <= sizeof(uint64_t))
		return;
	/* The block's first word is the id. */
	room -= sizeof(uint64_t);
	print_record(out, mapping_pointer(mapping, info + ring->time), ring->text + begin + sizeof(uint64_t),
		     length < room ? length : room);
}

static int print_ring(const struct mapping *mapping, FILE *out, struct hl_error *err)
{
	struct ring ring;
	int r = open_ring(&ring, mapping, err);

	if (r)
		return r;
	if (ring.head - ring.tail < ring.count)
		for (uint64_t id = ring.tail; id != ring.head + 1; id++)
			print_descriptor(&ring, id, out);
	free(ring.text);
	return 0;
}

/* Kernels 3.5 to 5.9: records of struct printk_log one after the other, a length of 0 begins anew. */
static int print_records(const struct mapping *mapping, FILE *out, struct hl_error *err)
{
	uint64_t log = mapping_pointer(mapping, value_of(mapping, "SYMBOL(log_buf)"));
	uint64_t size = mapping_number(mapping, value_of(mapping, "SYMBOL(log_buf_len)"), 4);
	uint64_t at = mapping_number(mapping, value_of(mapping, "SYMBOL(log_first_idx)"), 4);
	uint64_t end = mapping_number(mapping, value_of(mapping, "SYMBOL(log_next_idx)"), 4);
	uint64_t header = value_of(mapping, "SIZE(printk_log)");
	uint64_t seen = 0;
	char text[65536];

	if (!log || !header || size > MOST_TEXT || at >= size || end >= size)
		return hl_error_set(err, ENODATA, "the kernel's log buffer makes no sense");
	while (at != end && seen < size) {
		uint64_t record = log + at;
		uint64_t length =
			mapping_number(mapping, record + value_of(mapping, "OFFSET(printk_log.len)"), 2);
		uint64_t text_size =
			mapping_number(mapping, record + value_of(mapping, "OFFSET(printk_log.text_len)"), 2);

		if (!length) {
			if (!at)
				break;
			at = 0;
			continue;
		}
		if (mapping_read(mapping, record + header, text, text_size))
			print_record(
				out,
				mapping_pointer(mapping,
						record + value_of(mapping, "OFFSET(printk_log.ts_nsec)")),
				text, text_size);
		at = (at + length) % size;
		seen += length;
	}
	return 0;
}

int dmesg_read(const struct mapping *mapping, char **text, struct hl_error *err)
{
	uint64_t ignored;
	size_t size;
	FILE *out = open_memstream(text, &size);
	int r;

	if (!out)
		return hl_error_errno(err, errno, "read the kernel's log");
	if (vmcoreinfo_number(mapping->info, "SYMBOL(prb)", &ignored))
		r = print_ring(mapping, out, err);
	else if (vmcoreinfo_number(mapping->info, "SYMBOL(log_first_idx)", &ignored))
		r = print_records(mapping, out, err);
	else
		r = hl_error_set(err, ENODATA, "this kernel does not say where its log is");
	if (fclose(out) && !r)
		r = hl_error_errno(err, ENOMEM, "read the kernel's log");
	if (r) {
		free(*text);
		*text = NULL;
	}
	return r;
}
