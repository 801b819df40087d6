// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/mapping.h"

#include "postmortem/vmcoreinfo.h"

#include <stdlib.h>
#include <string.h>

/* Page table entries (Intel SDM volume 3A, 4.5). */
#define ENTRY_PRESENT	 1ULL
#define ENTRY_LARGE	 0x80ULL
#define ENTRY_ADDRESS	 0x000ffffffffff000ULL
#define TABLE_ENTRIES	 512ULL
/* Below it in the kernel's half: a guard hole and the LDT remap (Documentation/arch/x86/x86_64/mm.rst). */
#define DIRECT_MAP_INDEX 273ULL

static uint64_t entry_at(const struct mapping *mapping, uint64_t table, uint64_t index)
{
	uint64_t entry;

	image_read(mapping->image, (table & ENTRY_ADDRESS) + index * sizeof(entry), &entry, sizeof(entry));
	return entry;
}

bool mapping_translate(const struct mapping *mapping, uint64_t address, uint64_t *physical)
{
	uint64_t entry = mapping->top;

	for (int level = mapping->levels; level; level--) {
		int shift = 12 + 9 * (level - 1);

		entry = entry_at(mapping, entry, (address >> shift) % TABLE_ENTRIES);
		if (!(entry & ENTRY_PRESENT))
			return false;
		if (level == 1 || (level <= 3 && (entry & ENTRY_LARGE))) {
			uint64_t page = (1ULL << shift) - 1;

			*physical = (entry & ENTRY_ADDRESS & ~page) | (address & page);
			return true;
		}
	}
	return false;
}

bool mapping_read(const struct mapping *mapping, uint64_t address, void *data, size_t size)
{
	char *out = data;

	while (size) {
		size_t part = 4096 - address % 4096;
		uint64_t physical;

		if (part > size)
			part = size;
		if (!mapping_translate(mapping, address, &physical) ||
		    !image_read(mapping->image, physical, out, part)) {
			memset(data, 0, size + (size_t)(out - (char *)data));
			return false;
		}
		address += part;
		out += part;
		size -= part;
	}
	return true;
}

uint64_t mapping_number(const struct mapping *mapping, uint64_t address, size_t size)
{
	uint64_t value = 0;

	if (size <= sizeof(value))
		mapping_read(mapping, address, &value, size);
	return value;
}

uint64_t mapping_pointer(const struct mapping *mapping, uint64_t address)
{
	return mapping_number(mapping, address, sizeof(uint64_t));
}

void mapping_string(const struct mapping *mapping, uint64_t address, char *text, size_t size)
{
	size_t length = 0;

	while (length + 1 < size) {
		char c = (char)mapping_number(mapping, address + length, 1);

		if (!c)
			break;
		text[length++] = c >= ' ' && c <= '~' ? c : '?';
	}
	text[length] = '\0';
}

/* The first address from @table on that is mapped by a table of 1 GiB entries (KASLR moves it by these). */
uint64_t mapping_direct_map(const struct mapping *mapping)
{
	/* Canonical: the bits above those that the tables translate. */
	uint64_t address = ~0ULL << (12 + 9 * mapping->levels), entry = mapping->top, from = DIRECT_MAP_INDEX;
	uint64_t physical;

	for (int level = mapping->levels; level >= 3; level--) {
		uint64_t table = entry, index = from;

		while (index < TABLE_ENTRIES && !(entry_at(mapping, table, index) & ENTRY_PRESENT))
			index++;
		if (index == TABLE_ENTRIES)
			return 0;
		entry = entry_at(mapping, table, index);
		address |= index << (12 + 9 * (level - 1));
		from = 0;
	}
	return mapping_translate(mapping, address + 0x100000, &physical) && physical == 0x100000 ? address
												 : 0;
}

static bool names_this_kernel(struct mapping *mapping)
{
	uint64_t table, symbol, base = 0, levels5 = 0, physical;

	if (!vmcoreinfo_number(mapping->info, "SYMBOL(swapper_pg_dir)", &table) ||
	    !vmcoreinfo_number(mapping->info, "SYMBOL(init_uts_ns)", &symbol))
		return false;
	vmcoreinfo_number(mapping->info, "NUMBER(phys_base)", &base);
	vmcoreinfo_number(mapping->info, "NUMBER(pgtable_l5_enabled)", &levels5);
	mapping->top = table - KERNEL_MAP_START + base;
	mapping->levels = levels5 ? 5 : 4;
	return mapping_translate(mapping, symbol, &physical) && physical == symbol - KERNEL_MAP_START + base;
}

int mapping_open(struct mapping *mapping, const struct image *image, struct hl_error *err)
{
	uint64_t position = 0;

	memset(mapping, 0, sizeof(*mapping));
	mapping->image = image;
	mapping->info = image->vmcoreinfo ? strdup(image->vmcoreinfo) : vmcoreinfo_find(image, &position);
	while (mapping->info) {
		if (names_this_kernel(mapping))
			return 0;
		free(mapping->info);
		mapping->info = vmcoreinfo_find(image, &position);
	}
	return hl_error_set(
		err, ENODATA,
		"there is no Linux kernel in this memory (no VMCOREINFO that its page tables confirm)");
}

void mapping_close(struct mapping *mapping)
{
	free(mapping->info);
	memset(mapping, 0, sizeof(*mapping));
}
