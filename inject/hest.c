// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/hest.h"

#include <string.h>

/* From here on q35 puts all memory but the first 2 GiB above 4 GiB (QEMU, hw/i386/pc_q35.c). */
#define MOST_BELOW_4G 0xb0000000ULL
#define LOW_OF_MORE   0x80000000ULL
#define CELL_DISTANCE 4096
#define POLL_MS	      1000

uint64_t hest_cell(uint64_t memory, enum hest_notification notification)
{
	uint64_t end = memory < MOST_BELOW_4G ? memory : LOW_OF_MORE;

	return end - (notification == HEST_NOTIFY_NMI ? 2 : 1) * (uint64_t)CELL_DISTANCE;
}

static struct hest_generic source(uint64_t memory, uint16_t number, enum hest_notification notification)
{
	return (struct hest_generic){
		.type = 9,
		.source_id = number,
		.related_source = 0xffff,
		.enabled = 1,
		.records = 1,
		.max_sections = 1,
		.max_raw_length = HEST_BLOCK_LENGTH,
		.status_address = {.bit_width = 64,
				   .access_size = 4,
				   .address = hest_cell(memory, notification)},
		.notify = {.type = (uint8_t)notification,
			   .length = sizeof(struct hest_notify),
			   .poll_interval = POLL_MS},
		.block_length = HEST_BLOCK_LENGTH,
	};
}

void hest_table(uint64_t memory, void *table)
{
	const uint32_t count = 2;
	const struct hest_generic sources[] = {
		source(memory, HEST_FIRST_SOURCE, HEST_NOTIFY_NMI),
		source(memory, HEST_FIRST_SOURCE + 1, HEST_NOTIFY_POLLED),
	};

	memcpy(table, &count, sizeof(count));
	memcpy((char *)table + sizeof(count), sources, sizeof(sources));
}
