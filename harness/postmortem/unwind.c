// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own unwinder, from outside (arch/x86/kernel/unwind_orc.c,
 * Documentation/arch/x86/orc-unwinder.rst).
 */
#include "postmortem/unwind.h"

#include <stdlib.h>
#include <string.h>

/* What an offset counts from. */
enum base { FROM_UNKNOWN, FROM_SP, FROM_BP, FROM_SP_INDIRECT, FROM_BP_INDIRECT, FROM_PREVIOUS_SP };

/* arch/x86/include/asm/orc_types.h; the second column was read off the tables of 7.3 (6.12 has the first). */
static const enum base bases[2][16] = {
	{[1] = FROM_PREVIOUS_SP,
	 [4] = FROM_BP,
	 [5] = FROM_SP,
	 [8] = FROM_BP_INDIRECT,
	 [9] = FROM_SP_INDIRECT},
	{[3] = FROM_SP,
	 [4] = FROM_BP,
	 [8] = FROM_PREVIOUS_SP,
	 [9] = FROM_SP_INDIRECT,
	 [10] = FROM_BP_INDIRECT},
};

#define OLD_SP 5
#define NEW_SP 3

/* struct pt_regs, in words (arch/x86/include/asm/ptrace.h). */
#define REGS_BP 4
#define REGS_IP 16
#define REGS_CS 17
#define REGS_SP 19

#define MOST_ENTRIES	10000000ULL
#define ENTRIES_TO_TELL 1000

struct entry {
	int16_t sp_offset, bp_offset;
	uint16_t flags;
};

static void add_kernel(struct unwinder *unwinder)
{
	uint64_t entries = symbols_address(unwinder->symbols, "__start_orc_unwind");
	uint64_t addresses = symbols_address(unwinder->symbols, "__start_orc_unwind_ip");
	uint64_t end = symbols_address(unwinder->symbols, "__stop_orc_unwind_ip");
	struct orc_table *larger;

	if (!entries || !addresses || end <= addresses)
		return;
	larger = realloc(unwinder->tables, (unwinder->table_count + 1) * sizeof(*larger));
	if (!larger)
		abort();
	unwinder->tables = larger;
	larger[unwinder->table_count++] =
		(struct orc_table){0, 0, addresses, entries, (end - addresses) / sizeof(int32_t)};
}

/* Each address is relative to where it is stored. */
static uint64_t address_at(const struct unwinder *unwinder, const struct orc_table *table, uint64_t index)
{
	uint64_t at = table->addresses + index * sizeof(int32_t);

	return at + (uint64_t)(int64_t)(int32_t)mapping_number(unwinder->mapping, at, sizeof(int32_t));
}

/* Most of all code finds its caller from the stack pointer: that number is the stack pointer's. */
static bool is_renumbered(const struct unwinder *unwinder)
{
	const struct orc_table *table =
		unwinder->table_count ? &unwinder->tables[unwinder->table_count - 1] : NULL;
	size_t old = 0, new = 0;

	for (uint64_t i = 0; table && i < table->count && i < ENTRIES_TO_TELL; i++) {
		struct entry entry;

		mapping_read(unwinder->mapping, table->entries + i * sizeof(entry), &entry, sizeof(entry));
		old += (entry.flags & 15) == OLD_SP;
		new += (entry.flags & 15) == NEW_SP;
	}
	return new > old;
}

void unwinder_open(struct unwinder *unwinder, const struct mapping *mapping, const struct symbols *symbols,
		   const struct types *types, struct orc_table *tables, size_t table_count)
{
	*unwinder = (struct unwinder){mapping, symbols, tables, table_count, 0, false};
	add_kernel(unwinder);
	unwinder->renumbered = is_renumbered(unwinder);
	for (size_t i = 0; i < unwinder->table_count; i++) {
		struct orc_table *table = &unwinder->tables[i];

		if (table->count > MOST_ENTRIES)
			table->count = 0;
		table->begin = address_at(unwinder, table, 0);
		table->end = table->count ? address_at(unwinder, table, table->count - 1) : 0;
	}
	/* Up to 6.3 an entry has a bit "end" and CALL is type 0; from 6.4 on CALL is type 2. */
	unwinder->call_type = types && !types_field(types, "orc_entry", "end").size ? 2 : 0;
}

void unwinder_close(struct unwinder *unwinder)
{
	free(unwinder->tables);
	memset(unwinder, 0, sizeof(*unwinder));
}

/* Index of the last entry of a table that begins at or before an address, plus one. */
static uint64_t behind(const struct unwinder *unwinder, const struct orc_table *table, uint64_t ip)
{
	uint64_t low = 0, high = table->count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (address_at(unwinder, table, middle) <= ip)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The entry that covers an address. Ranges of modules may overlap: the nearest entry is the right one. */
static bool find_entry(const struct unwinder *unwinder, uint64_t ip, struct entry *entry)
{
	uint64_t best = 0, entry_at = 0;

	for (size_t i = 0; i < unwinder->table_count; i++) {
		const struct orc_table *table = &unwinder->tables[i];
		uint64_t index = ip >= table->begin && ip < table->end ? behind(unwinder, table, ip) : 0;
		uint64_t address = index ? address_at(unwinder, table, index - 1) : 0;

		if (address <= best)
			continue;
		best = address;
		entry_at = table->entries + (index - 1) * sizeof(*entry);
	}
	return best && mapping_read(unwinder->mapping, entry_at, entry, sizeof(*entry));
}

/* The stack pointer before the call. Return: false when it depends on a register that is not known. */
static bool previous_stack(const struct unwinder *unwinder, const struct unwind_state *state,
			   const struct entry *entry, uint64_t *sp)
{
	uint64_t offset = (uint64_t)(int64_t)entry->sp_offset;

	switch (bases[unwinder->renumbered][entry->flags & 15]) {
	case FROM_SP:
		*sp = state->sp + offset;
		return true;
	case FROM_BP:
		*sp = state->bp + offset;
		return true;
	case FROM_SP_INDIRECT:
		*sp = mapping_pointer(unwinder->mapping, state->sp) + offset;
		return true;
	case FROM_BP_INDIRECT:
		*sp = mapping_pointer(unwinder->mapping, state->bp + offset);
		return true;
	default:
		return false;
	}
}

static uint64_t word(const struct unwinder *unwinder, uint64_t base, uint64_t index)
{
	return mapping_pointer(unwinder->mapping, base + index * sizeof(uint64_t));
}

/* An exception or interrupt: its saved registers lie on the stack. Return: false for one of user mode. */
static bool step_over_registers(const struct unwinder *unwinder, struct unwind_state *state, uint64_t regs,
				bool partial)
{
	if (partial)
		regs -= REGS_IP * sizeof(uint64_t);
	if (word(unwinder, regs, REGS_CS) & 3)
		return false;
	if (!partial)
		state->bp = word(unwinder, regs, REGS_BP);
	state->ip = word(unwinder, regs, REGS_IP);
	state->sp = word(unwinder, regs, REGS_SP);
	return true;
}

static void step_bp(const struct unwinder *unwinder, struct unwind_state *state, const struct entry *entry,
		    uint64_t sp)
{
	uint64_t offset = (uint64_t)(int64_t)entry->bp_offset;

	switch (bases[unwinder->renumbered][entry->flags >> 4 & 15]) {
	case FROM_PREVIOUS_SP:
		state->bp = mapping_pointer(unwinder->mapping, sp + offset);
		break;
	case FROM_BP:
		state->bp = mapping_pointer(unwinder->mapping, state->bp + offset);
		break;
	default:
		break;
	}
}

/* One frame outwards. @call: the address is a return address, so the call is just before it. */
static bool step(const struct unwinder *unwinder, struct unwind_state *state, bool *call)
{
	struct entry entry;
	uint64_t sp, ip_at;
	int type;

	if (!find_entry(unwinder, state->ip - *call, &entry) || !previous_stack(unwinder, state, &entry, &sp))
		return false;
	type = (entry.flags >> 8 & (unwinder->call_type ? 7 : 3)) - unwinder->call_type;
	*call = type == 0;
	if (type == 1 || type == 2)
		return step_over_registers(unwinder, state, sp, type == 2);
	if (type)
		return false;
	ip_at = sp - sizeof(uint64_t);
	state->ip = mapping_pointer(unwinder->mapping, ip_at);
	step_bp(unwinder, state, &entry, sp);
	state->sp = sp;
	return state->ip != 0;
}

static bool follows_call(const struct unwinder *unwinder, uint64_t address)
{
	uint8_t code[6];
	struct symbol_place place;

	if (!symbols_function_at(unwinder->symbols, address - 1, &place) ||
	    !mapping_read(unwinder->mapping, address - sizeof(code), code, sizeof(code)))
		return false;
	/* call rel32; call [rip+disp32]; call reg */
	return code[1] == 0xe8 || (code[0] == 0xff && code[1] == 0x15) ||
	       (code[4] == 0xff && (code[5] & 0xf8) == 0xd0);
}

/* Without tables: whatever looks like a return address, up to the end of the stack's page group. */
static size_t scan_stack(const struct unwinder *unwinder, uint64_t sp, struct frame *frames, size_t count)
{
	uint64_t end = (sp | 0x3fff) + 1;

	for (sp &= -8ULL; sp < end && sp && count < UNWIND_MOST_FRAMES; sp += 8) {
		uint64_t value = mapping_pointer(unwinder->mapping, sp);

		if (value && follows_call(unwinder, value))
			frames[count++] = (struct frame){value, false};
	}
	return count;
}

size_t unwind(const struct unwinder *unwinder, struct unwind_state state,
	      struct frame frames[UNWIND_MOST_FRAMES])
{
	size_t count = 0;
	bool call = false;

	frames[count++] = (struct frame){state.ip, true};
	if (!unwinder->table_count)
		return scan_stack(unwinder, state.sp, frames, count);
	while (count < UNWIND_MOST_FRAMES) {
		uint64_t before = state.sp, code = state.ip;

		if (!step(unwinder, &state, &call) || (state.sp == before && state.ip == code))
			break;
		frames[count++] = (struct frame){state.ip, true};
	}
	return count;
}
