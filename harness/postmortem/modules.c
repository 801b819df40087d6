// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/modules.h"

#include <elf.h>
#include <stdlib.h>

#define MOST_MODULES	    1000
#define MOST_MODULE_SYMBOLS 100000

/** struct layout - where things are in a struct module */
struct layout {
	struct field list, name, kallsyms, orc_addresses, orc_entries, orc_count;
	struct field symtab, symbol_count, strtab;
};

static struct layout find_layout(const struct types *types)
{
	return (struct layout){
		.list = types_field(types, "module", "list"),
		.name = types_field(types, "module", "name"),
		.kallsyms = types_field(types, "module", "kallsyms"),
		.orc_addresses = types_field(types, "module", "arch.orc_unwind_ip"),
		.orc_entries = types_field(types, "module", "arch.orc_unwind"),
		.orc_count = types_field(types, "module", "arch.num_orcs"),
		.symtab = types_field(types, "mod_kallsyms", "symtab"),
		.symbol_count = types_field(types, "mod_kallsyms", "num_symtab"),
		.strtab = types_field(types, "mod_kallsyms", "strtab"),
	};
}

static void read_symbols(const struct mapping *mapping, const struct layout *layout, uint64_t module,
			 struct symbols *symbols)
{
	uint64_t kallsyms = field_read(mapping, module, layout->kallsyms);
	uint64_t symtab = field_read(mapping, kallsyms, layout->symtab);
	uint64_t strtab = field_read(mapping, kallsyms, layout->strtab);
	uint64_t count = field_read(mapping, kallsyms, layout->symbol_count);
	char name[64];

	mapping_string(mapping, module + layout->name.offset, name, sizeof(name));
	for (uint64_t i = 0; i < count && i < MOST_MODULE_SYMBOLS; i++) {
		char text[256];
		Elf64_Sym symbol;

		if (!mapping_read(mapping, symtab + i * sizeof(symbol), &symbol, sizeof(symbol)))
			return;
		mapping_string(mapping, strtab + symbol.st_name, text, sizeof(text));
		if (text[0] && symbol.st_value)
			symbols_add(symbols, symbol.st_value, text, name,
				    ELF64_ST_TYPE(symbol.st_info) == STT_FUNC);
	}
}

static void read_table(const struct mapping *mapping, const struct layout *layout, uint64_t module,
		       struct orc_table **tables, size_t *count)
{
	struct orc_table table = {
		.addresses = field_read(mapping, module, layout->orc_addresses),
		.entries = field_read(mapping, module, layout->orc_entries),
		.count = field_read(mapping, module, layout->orc_count),
	};
	struct orc_table *larger = realloc(*tables, (*count + 1) * sizeof(**tables));

	if (!larger)
		abort();
	*tables = larger;
	if (table.addresses && table.entries && table.count)
		larger[(*count)++] = table;
}

void modules_read(const struct mapping *mapping, const struct types *types, struct symbols *symbols,
		  struct orc_table **tables, size_t *count)
{
	struct layout layout = find_layout(types);
	uint64_t head = symbols_address(symbols, "modules"), entry = mapping_pointer(mapping, head);

	if (!head || !layout.list.size || !layout.name.size)
		return;
	for (int i = 0; i < MOST_MODULES && entry && entry != head; i++) {
		uint64_t module = entry - layout.list.offset;

		read_symbols(mapping, &layout, module, symbols);
		read_table(mapping, &layout, module, tables, count);
		entry = mapping_pointer(mapping, entry);
	}
}
