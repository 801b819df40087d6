/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_SYMBOLS_H
#define HANGLAB_POSTMORTEM_SYMBOLS_H

#include "postmortem/mapping.h"

/** struct symbol - a symbol of the kernel or a module; names are offsets into struct symbols' text */
struct symbol {
	uint64_t address;
	uint32_t name, module;
	bool function;
};

/**
 * struct symbols - all symbols; symbols_close() it
 * @list: sorted by address
 * @text: all names; offset 0 is ""
 */
struct symbols {
	struct symbol *list;
	size_t count, room;
	char *text;
	size_t text_size, text_room;
};

/**
 * struct symbol_place - where an address is
 * @name, @module: borrowed; module "" for the kernel itself
 * @offset: from the symbol's begin
 * @size: to the next symbol
 */
struct symbol_place {
	const char *name, *module;
	uint64_t offset, size;
};

/**
 * symbols_open() - read the kernel's own symbol table (kallsyms) out of its memory
 *
 * Where it is stands in VMCOREINFO of kernels from 6.0 on.
 *
 * Return: 0, -ENODATA when it is not there or makes no sense.
 */
int symbols_open(struct symbols *symbols, const struct mapping *mapping, struct hl_error *err);

/**
 * symbols_open_vmlinux() - read them from a vmlinux with symbol table, moved by what KASLR did
 *
 * Return: 0, -EBADMSG or -errno.
 */
int symbols_open_vmlinux(struct symbols *symbols, const struct mapping *mapping, const char *path,
			 struct hl_error *err);

/** symbols_close() - accepts a zeroed one */
void symbols_close(struct symbols *symbols);

/** symbols_add() - add one; symbols_sort() when all are there */
void symbols_add(struct symbols *symbols, uint64_t address, const char *name, const char *module,
		 bool function);

/** symbols_sort() - make the list searchable */
void symbols_sort(struct symbols *symbols);

/** symbols_address() - address of a symbol of the kernel itself, 0 when there is none */
uint64_t symbols_address(const struct symbols *symbols, const char *name);

/** symbols_function_at() - the function that an address is in. Return: false when it is in none. */
bool symbols_function_at(const struct symbols *symbols, uint64_t address, struct symbol_place *place);

#endif
