// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * spte-corrupt: an entry of the second-level page table (EPT, NPT) of the workload nested-guest goes bad, as
 * by faulty memory: written from outside, so that nothing in the lab VM takes part.
 *
 * The entry is found from its end. The page at the guest-physical address bears a mark (nested_guest.h); the
 * entry that points to that page lies at a known place in a table, the entry that points to that table at a
 * known place in the next one, and so on up to the fourth level. A chain of four is no accident.
 */
#include "base/cleanup.h"
#include "inject/inject.h"
#include "inject/nested_guest.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define LEVELS	     4
#define PAGE_SIZE    4096
/* Bits 51 to 12 of an entry (AMD64 manual volume 2, 5.3.3; Intel SDM volume 3, 28.3.2). */
#define ADDRESS_MASK 0x000ffffffffff000ULL
/* NPT: present, writable, user; EPT: read, write, execute. KVM gives all three to memory that was written to.
 */
#define ACCESS_MASK  7ULL
#define BLOCK_SIZE   (1 << 21)

struct spte_corrupt {
	int64_t address, level, set, clear;
};

/**
 * struct spte_state - what was done
 * @tables: of each level, the lab VM's physical address of the table that the walk goes through; [0] is the
 * page
 * @original, @written: the entry before and after
 * @replaced: the lab VM's kernel had replaced the entry itself before the release
 */
struct spte_state {
	uint64_t tables[LEVELS + 1];
	uint64_t original, written;
	bool replaced;
};

/**
 * struct pattern - what a page of memory is recognised by
 * @offset: where in the page
 * @words: what is there
 * @count: how many words
 * @mask: of each word
 */
struct pattern {
	size_t offset, count;
	uint64_t words[3], mask;
};

static bool matches(const struct pattern *pattern, const unsigned char *page)
{
	for (size_t i = 0; i < pattern->count; i++) {
		uint64_t word;

		memcpy(&word, page + pattern->offset + i * sizeof(word), sizeof(word));
		if ((word & pattern->mask) != pattern->words[i])
			return false;
	}
	return true;
}

/* The first such page at or after *@address. Return: 1 when there is one, 0, or -errno. */
static int find_page(const struct injection_vm *vm, const struct pattern *pattern, uint64_t *address,
		     struct hl_error *err)
{
	cleanup_free unsigned char *block = malloc(BLOCK_SIZE);
	size_t got;
	int r;

	if (!block)
		return hl_error_errno(err, ENOMEM, "search the memory of the lab VM");
	for (; !(r = vm->ram_next(vm->vm, address, block, BLOCK_SIZE, &got, err)) && got; *address += got)
		for (size_t offset = 0; offset < got; offset += PAGE_SIZE)
			if (matches(pattern, block + offset)) {
				*address += offset;
				return 1;
			}
	return r;
}

static size_t entry_offset(uint64_t address, size_t level)
{
	return (address >> (12 + 9 * (level - 1)) & 511) * sizeof(uint64_t);
}

/* Finds the tables of @level and above that lead to tables[level - 1]. Return: 1, 0 for none, or -errno. */
static int climb(const struct injection_vm *vm, uint64_t address, size_t level, uint64_t *tables,
		 struct hl_error *err)
{
	const struct pattern pattern = {
		.offset = entry_offset(address, level),
		.count = 1,
		.words = {tables[level - 1] | ACCESS_MASK},
		.mask = ADDRESS_MASK | ACCESS_MASK,
	};
	int r;

	for (tables[level] = 0; (r = find_page(vm, &pattern, &tables[level], err)) > 0;
	     tables[level] += PAGE_SIZE) {
		r = level == LEVELS ? 1 : climb(vm, address, level + 1, tables, err);
		if (r)
			break;
	}
	return r;
}

static int find_tables(const struct injection_vm *vm, uint64_t address, uint64_t *tables,
		       struct hl_error *err)
{
	struct nested_guest_mark mark = nested_guest_mark(address);
	const struct pattern pattern = {
		.offset = NESTED_GUEST_MARK,
		.count = 3,
		.words = {mark.magic[0], mark.magic[1], mark.address},
		.mask = UINT64_MAX,
	};
	int r;

	for (tables[0] = 0; (r = find_page(vm, &pattern, &tables[0], err)) > 0; tables[0] += PAGE_SIZE) {
		r = climb(vm, address, 1, tables, err);
		if (r)
			break;
	}
	return r;
}

static uint64_t place_of_entry(const struct injection *injection, size_t level)
{
	const struct spte_corrupt *parameters = injection->parameters;
	const struct spte_state *state = injection->state;

	return state->tables[level] + entry_offset((uint64_t)parameters->address, level);
}

static int read_entry(const struct injection *injection, size_t level, uint64_t *entry, struct hl_error *err)
{
	return injection->vm->ram_read(injection->vm->vm, place_of_entry(injection, level), entry,
				       sizeof(*entry), err);
}

static int write_entry(const struct injection *injection, uint64_t entry, struct hl_error *err)
{
	const struct spte_corrupt *parameters = injection->parameters;

	return injection->vm->ram_write(injection->vm->vm,
					place_of_entry(injection, (size_t)parameters->level), &entry,
					sizeof(entry), err);
}

static int spte_corrupt_inject(struct injection *injection, struct hl_error *err)
{
	const struct spte_corrupt *parameters = injection->parameters;
	struct spte_state *state = injection->state;
	int r;

	r = find_tables(injection->vm, (uint64_t)parameters->address, state->tables, err);
	if (r < 0)
		return r;
	if (!r)
		return hl_error_set(err, ENOENT,
				    "no second-level page table maps the guest-physical page %#" PRIx64
				    ": is the workload nested-guest running, and does it use this page?",
				    parameters->address);
	r = read_entry(injection, (size_t)parameters->level, &state->original, err);
	if (r)
		return r;
	state->written = (state->original & ~(uint64_t)parameters->clear) | (uint64_t)parameters->set;
	if (state->written == state->original)
		return hl_error_set(err, EINVAL,
				    "the entry is %#" PRIx64 ": these bits are so already, nothing changes",
				    state->original);
	return write_entry(injection, state->written, err);
}

/* Walks down again, as the CPU does: each table must still lead to the next. */
static int spte_corrupt_confirm(struct injection *injection, struct hl_error *err)
{
	const struct spte_corrupt *parameters = injection->parameters;
	const struct spte_state *state = injection->state;
	uint64_t entry;
	int r, length;

	length = snprintf(injection->evidence, sizeof(injection->evidence),
			  "level %" PRId64 " entry of page %#" PRIx64 " was %#" PRIx64 "; the walk is now",
			  parameters->level, parameters->address, state->original);
	for (size_t level = LEVELS; level >= (size_t)parameters->level; level--) {
		r = read_entry(injection, level, &entry, err);
		if (r)
			return r;
		length += snprintf(injection->evidence + length, sizeof(injection->evidence) - (size_t)length,
				   " %#" PRIx64, entry);
		if (level > (size_t)parameters->level ? (entry & ADDRESS_MASK) != state->tables[level - 1]
						      : entry != state->written)
			return hl_error_set(err, EIO, "the table has changed meanwhile: %s",
					    injection->evidence);
	}
	return 0;
}

/* What the lab VM's kernel has replaced is not touched. */
static int spte_corrupt_release(struct injection *injection, struct hl_error *err)
{
	const struct spte_corrupt *parameters = injection->parameters;
	struct spte_state *state = injection->state;
	uint64_t entry;
	int r = read_entry(injection, (size_t)parameters->level, &entry, err);

	if (r)
		return r;
	state->replaced = entry != state->written;
	return state->replaced ? 0 : write_entry(injection, state->original, err);
}

static int spte_corrupt_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct spte_corrupt *parameters = injection->parameters;
	const struct spte_state *state = injection->state;
	uint64_t entry;
	int r = read_entry(injection, (size_t)parameters->level, &entry, err);

	if (r)
		return r;
	snprintf(injection->evidence, sizeof(injection->evidence), "the entry is %#" PRIx64 "%s", entry,
		 state->replaced ? ": the lab VM's kernel has repaired it" : " again");
	return entry == state->written ? hl_error_set(err, EIO, "it is still bad: %s", injection->evidence)
				       : 0;
}

static const struct parameter spte_corrupt_parameters[] = {
	{.name = "address",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct spte_corrupt, address),
	 .fallback = "0x50000",
	 .least = 0,
	 .most = NESTED_GUEST_MEMORY - 1,
	 .help = "guest-physical address of a page of the nested guest: the code at 0x1000, or 0x20000 to "
		 "0x6f000"},
	{.name = "level",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct spte_corrupt, level),
	 .fallback = "1",
	 .least = 1,
	 .most = LEVELS,
	 .help = "level of the entry: 1 maps the page, 4 is the root's"},
	{.name = "set",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct spte_corrupt, set),
	 .fallback = "0",
	 .least = 0,
	 .most = INT64_MAX,
	 .help = "bits to set, e.g. 0x40000000000: an address that the CPU does not have"},
	{.name = "clear",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct spte_corrupt, clear),
	 .fallback = "0",
	 .least = 0,
	 .most = INT64_MAX,
	 .help = "bits to clear, e.g. 0x800: KVM's own mark of a present entry"},
	{.name = NULL},
};

const struct injector injector_spte_corrupt = {
	.name = "spte-corrupt",
	.summary = "corrupt an entry of the second-level page table (EPT, NPT) of the nested guest",
	.help = "Needs the workload nested-guest. The entry is found and changed in the lab VM's memory from "
		"outside.\n"
		"Confirmed by a walk down the table; the release puts the old entry back unless the lab VM's "
		"kernel\n"
		"has replaced it already.\n",
	.side = INJECTOR_HOST,
	.parameters = spte_corrupt_parameters,
	.parameters_size = sizeof(struct spte_corrupt),
	.state_size = sizeof(struct spte_state),
	.needs = {.vm_features = VM_RAM},
	.inject = spte_corrupt_inject,
	.confirm = spte_corrupt_confirm,
	.release = spte_corrupt_release,
	.confirm_released = spte_corrupt_confirm_released,
};
