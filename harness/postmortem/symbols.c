// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/symbols.h"

#include "base/cleanup.h"
#include "postmortem/vmcoreinfo.h"

#include <ctype.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

/* More than any kernel has. */
#define MOST_SYMBOLS 4000000
#define LONGEST_NAME 512
/* No function is longer: what is further from a symbol is not in it. */
#define LONGEST_CODE (1ULL << 20)

static uint32_t add_text(struct symbols *symbols, const char *text)
{
	size_t size = strlen(text) + 1, at = symbols->text_size;

	if (!*text && at)
		return 0;
	if (at + size > symbols->text_room) {
		symbols->text_room = 2 * symbols->text_room + size + 65536;
		symbols->text = realloc(symbols->text, symbols->text_room);
		if (!symbols->text)
			abort();
	}
	memcpy(symbols->text + at, text, size);
	symbols->text_size += size;
	return (uint32_t)at;
}

void symbols_add(struct symbols *symbols, uint64_t address, const char *name, const char *module,
		 bool function)
{
	const struct symbol *last = symbols->count ? &symbols->list[symbols->count - 1] : NULL;
	uint32_t module_text;

	if (!symbols->text_size)
		add_text(symbols, "");
	if (symbols->count == symbols->room) {
		symbols->room = 2 * symbols->room + 4096;
		symbols->list = realloc(symbols->list, symbols->room * sizeof(*symbols->list));
		if (!symbols->list)
			abort();
		last = symbols->count ? &symbols->list[symbols->count - 1] : NULL;
	}
	/* Symbols of a module come one after the other. */
	module_text = last && !strcmp(symbols->text + last->module, module) ? last->module
									    : add_text(symbols, module);
	symbols->list[symbols->count++] =
		(struct symbol){address, add_text(symbols, name), module_text, function};
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	/* The first name of several is the kernel's choice too. */
	return x->name < y->name ? -1 : x->name > y->name;
}

void symbols_sort(struct symbols *symbols)
{
	if (symbols->count)
		qsort(symbols->list, symbols->count, sizeof(*symbols->list), by_address);
}

void symbols_close(struct symbols *symbols)
{
	free(symbols->list);
	free(symbols->text);
	memset(symbols, 0, sizeof(*symbols));
}

uint64_t symbols_address(const struct symbols *symbols, const char *name)
{
	for (size_t i = 0; i < symbols->count; i++)
		if (!symbols->text[symbols->list[i].module] &&
		    !strcmp(symbols->text + symbols->list[i].name, name))
			return symbols->list[i].address;
	return 0;
}

/* Index behind the last symbol at or before an address. */
static size_t behind(const struct symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols->list[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool symbols_function_at(const struct symbols *symbols, uint64_t address, struct symbol_place *place)
{
	size_t end = behind(symbols, address), at = end;
	uint64_t begin;

	if (!at || !symbols->list[at - 1].function)
		return false;
	begin = symbols->list[at - 1].address;
	if (address - begin >= LONGEST_CODE)
		return false;
	/* The first of the names of one address. */
	while (at > 1 && symbols->list[at - 2].address == begin && symbols->list[at - 2].function)
		at--;
	*place = (struct symbol_place){
		.name = symbols->text + symbols->list[at - 1].name,
		.module = symbols->text + symbols->list[at - 1].module,
		.offset = address - begin,
		.size = end < symbols->count ? symbols->list[end].address - begin : 0,
	};
	return true;
}

/* --- kallsyms (scripts/kallsyms.c): names made of tokens, addresses relative to a base --- */

/* How an address is packed into 32 bits. */
enum packing {
	/* CONFIG_KALLSYMS_ABSOLUTE_PERCPU, up to 6.14: what is not negative is an address itself. */
	PACKED_ABSOLUTE_PERCPU,
	/* From 6.15 on: relative to kallsyms_relative_base. */
	PACKED_RELATIVE,
	/* In 7.3 (measured), which has no such base: relative to where the offset itself is stored. */
	PACKED_SELF_RELATIVE,
	PACKINGS
};

/**
 * struct kallsyms - the tables, as they lie in memory
 * @tokens: text of each token, by @token_index
 */
struct kallsyms {
	const struct mapping *mapping;
	uint64_t names, offsets, addresses, base, count;
	char tokens[65536];
	uint16_t token_index[256];
	enum packing packing;
};

static uint64_t symbol_of(const struct mapping *mapping, const char *key)
{
	uint64_t value = 0;

	vmcoreinfo_number(mapping->info, key, &value);
	return value;
}

static uint64_t address_of(const struct kallsyms *table, uint64_t index)
{
	uint64_t at = table->offsets + index * sizeof(int32_t);
	int32_t offset;

	if (table->addresses)
		return mapping_pointer(table->mapping, table->addresses + index * sizeof(uint64_t));
	offset = (int32_t)mapping_number(table->mapping, at, sizeof(offset));
	switch (table->packing) {
	case PACKED_RELATIVE:
		return table->base + (uint32_t)offset;
	case PACKED_SELF_RELATIVE:
		return at + (uint64_t)(int64_t)offset;
	default:
		return offset >= 0 ? (uint64_t)offset : table->base - 1 - (uint64_t)(int64_t)offset;
	}
}

static int open_table(struct kallsyms *table, const struct mapping *mapping, struct hl_error *err)
{
	uint64_t tokens = symbol_of(mapping, "SYMBOL(kallsyms_token_table)");
	uint64_t index = symbol_of(mapping, "SYMBOL(kallsyms_token_index)");
	uint64_t count = symbol_of(mapping, "SYMBOL(kallsyms_num_syms)");
	uint64_t base = symbol_of(mapping, "SYMBOL(kallsyms_relative_base)");

	table->mapping = mapping;
	table->names = symbol_of(mapping, "SYMBOL(kallsyms_names)");
	table->offsets = symbol_of(mapping, "SYMBOL(kallsyms_offsets)");
	table->addresses = symbol_of(mapping, "SYMBOL(kallsyms_addresses)");
	table->count = mapping_number(mapping, count, 4);
	table->base = mapping_pointer(mapping, base);
	if (!table->names || !(table->offsets || table->addresses))
		return hl_error_set(err, ENODATA, "this kernel does not say where its symbols are");
	if (!table->count || table->count > MOST_SYMBOLS ||
	    !mapping_read(mapping, index, table->token_index, sizeof(table->token_index)))
		return hl_error_set(err, ENODATA, "the kernel's symbol table makes no sense");
	/* The table ends somewhere within the space for the largest: as much of it as there is. */
	for (size_t at = 0; at < sizeof(table->tokens); at += 256)
		if (!mapping_read(mapping, tokens + at, table->tokens + at, 256))
			break;
	table->tokens[sizeof(table->tokens) - 1] = '\0';
	return 0;
}

/* One name: its length (two bytes from 128 on, kernels >= 6.1), then one byte per token. Return: its bytes.
 */
static uint64_t expand(const struct kallsyms *table, uint64_t at, char *name)
{
	uint64_t length = mapping_number(table->mapping, at, 1), head = 1;
	uint8_t bytes[LONGEST_NAME];
	size_t used = 0;

	if (length & 0x80) {
		length = (length & 0x7f) | mapping_number(table->mapping, at + 1, 1) << 7;
		head = 2;
	}
	name[0] = '\0';
	if (!length || length > sizeof(bytes) || !mapping_read(table->mapping, at + head, bytes, length))
		return 0;
	for (uint64_t i = 0; i < length; i++) {
		const char *token = table->tokens + table->token_index[bytes[i]];
		size_t size = strlen(token);

		if (used + size >= LONGEST_NAME)
			break;
		memcpy(name + used, token, size);
		used += size;
	}
	name[used] = '\0';
	return head + length;
}

static void read_table(struct symbols *symbols, const struct kallsyms *table)
{
	uint64_t at = table->names;
	char name[LONGEST_NAME];

	for (uint64_t i = 0; i < table->count; i++) {
		uint64_t size = expand(table, at, name);

		if (!size)
			break;
		at += size;
		/* The first character is the type, as nm prints it. */
		if (name[0])
			symbols_add(symbols, address_of(table, i), name + 1, "",
				    strchr("tTwW", name[0]) != NULL);
	}
}

/* How addresses are packed differs between kernels: the right way gives what VMCOREINFO says. */
static bool agrees(const struct symbols *symbols, const struct mapping *mapping)
{
	uint64_t known = symbol_of(mapping, "SYMBOL(init_uts_ns)");

	return known && symbols_address(symbols, "init_uts_ns") == known;
}

int symbols_open(struct symbols *symbols, const struct mapping *mapping, struct hl_error *err)
{
	cleanup_free struct kallsyms *table = calloc(1, sizeof(*table));
	int r = table ? open_table(table, mapping, err) : hl_error_errno(err, ENOMEM, "symbols");

	memset(symbols, 0, sizeof(*symbols));
	for (int packing = 0; !r && packing < PACKINGS; packing++) {
		table->packing = (enum packing)packing;
		read_table(symbols, table);
		if (agrees(symbols, mapping))
			return 0;
		symbols_close(symbols);
	}
	return r ? r : hl_error_set(err, ENODATA, "the kernel's symbol table makes no sense");
}

/* --- vmlinux --- */

static void read_section(struct symbols *symbols, Elf *elf, Elf_Scn *section, uint64_t moved)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Shdr header;
	GElf_Sym symbol;

	if (!data || !gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
		return;
	for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
		const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
		unsigned char type = GELF_ST_TYPE(symbol.st_info);

		/* Symbols of per-CPU data are offsets, which do not move. */
		if (name && *name && symbol.st_shndx != SHN_UNDEF && type != STT_FILE && type != STT_SECTION)
			symbols_add(symbols,
				    symbol.st_value >= KERNEL_MAP_START ? symbol.st_value + moved
									: symbol.st_value,
				    name, "", type == STT_FUNC);
	}
}

int symbols_open_vmlinux(struct symbols *symbols, const struct mapping *mapping, const char *path,
			 struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char moved[32];
	Elf *elf;

	memset(symbols, 0, sizeof(*symbols));
	if (fd < 0)
		return hl_error_errno(err, errno, "open %s", path);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	vmcoreinfo_text(mapping->info, "KERNELOFFSET", moved, sizeof(moved));
	for (Elf_Scn *section = NULL; elf && (section = elf_nextscn(elf, section));)
		read_section(symbols, elf, section, strtoull(moved, NULL, 16));
	elf_end(elf);
	if (agrees(symbols, mapping))
		return 0;
	symbols_close(symbols);
	return hl_error_set(err, EBADMSG, "%s is not the vmlinux of this kernel, or has no symbols", path);
}
