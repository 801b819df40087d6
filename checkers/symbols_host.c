// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "debug_file.h"
#include "memory.h"
#include "symbols.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_INLINED  16
#define MAX_OBJECTS  256
#define MOST_PADDING 64 /* between two functions */

/**
 * struct symbol - a function of the kernel
 * @name: in the symbol table, which lives as long as the Dwfl
 * @address: where it is linked to
 * @size: st_size
 */
struct symbol {
	const char *name;
	GElf_Addr address;
	GElf_Xword size;
};

/**
 * struct object - the kernel itself or one of its modules
 * @name: NULL for the kernel
 * @module: in the Dwfl, or NULL when there is no file of it
 * @symbols: sorted by name
 * @count: number of @symbols
 */
struct object {
	char *name;
	Dwfl_Module *module;
	struct symbol *symbols;
	size_t count;
};

/** struct hl_symbols - the kernel is objects[0]; modules are added when the first frame in them is met */
struct hl_symbols {
	char *path;
	Dwfl *dwfl;
	struct object objects[MAX_OBJECTS];
	size_t count;
};

static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->address < y->address ? -1 : x->address > y->address;
}

static int index_symbols(struct object *object, struct hl_error *err)
{
	int count = dwfl_module_getsymtab(object->module);

	if (count <= 0)
		return hl_error_set(err, EINVAL, "no symbol table: %s", dwfl_errmsg(-1));
	object->symbols = calloc((size_t)count, sizeof(*object->symbols));
	if (!object->symbols)
		return hl_error_set(err, ENOMEM, "no memory for %d symbols", count);
	for (int i = 0; i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr address;
		const char *name =
			dwfl_module_getsym_info(object->module, i, &symbol, &address, NULL, NULL, NULL);

		if (name && *name && GELF_ST_TYPE(symbol.st_info) == STT_FUNC)
			object->symbols[object->count++] = (struct symbol){name, address, symbol.st_size};
	}
	qsort(object->symbols, object->count, sizeof(*object->symbols), compare_symbols);
	return 0;
}

static int load(struct hl_symbols *symbols, struct object *object, struct hl_error *err)
{
	int fd = debug_file_open(symbols->path, object->name, err);

	if (fd < 0)
		return fd;
	dwfl_report_begin_add(symbols->dwfl);
	object->module =
		dwfl_report_offline(symbols->dwfl, object->name ? object->name : "kernel", symbols->path, fd);
	if (!object->module) {
		close(fd);
		return hl_error_set(err, EINVAL, "%s", dwfl_errmsg(-1));
	}
	dwfl_report_end(symbols->dwfl, NULL, NULL);
	return index_symbols(object, err);
}

static int open_kernel(struct hl_symbols *symbols, const char *path, struct hl_error *err)
{
	static char *debuginfo_path;
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &debuginfo_path,
	};

	symbols->path = strdup(path);
	symbols->dwfl = dwfl_begin(&callbacks);
	if (!symbols->path || !symbols->dwfl)
		return hl_error_set(err, ENOMEM, "no memory for symbols");
	return load(symbols, &symbols->objects[symbols->count++], err);
}

int hl_symbols_open(struct hl_symbols **symbols, const char *path, struct hl_error *err)
{
	struct hl_symbols *fresh = calloc(1, sizeof(*fresh));
	int status;

	if (!fresh)
		return hl_error_set(err, ENOMEM, "no memory for symbols");
	status = open_kernel(fresh, path, err);
	if (status) {
		hl_error_prefix(err, "read symbols of %s", path);
		hl_symbols_close(fresh);
		return status;
	}
	*symbols = fresh;
	return 0;
}

void hl_symbols_close(struct hl_symbols *symbols)
{
	if (!symbols)
		return;
	dwfl_end(symbols->dwfl);
	for (size_t i = 0; i < symbols->count; i++) {
		free(symbols->objects[i].name);
		free(symbols->objects[i].symbols);
	}
	free(symbols->path);
	free(symbols);
}

/* The object that @frame is in, which has no symbols when there is no file of it; NULL when it is one too
 * many. */
static const struct object *find_object(struct hl_symbols *symbols, const struct hl_frame *frame)
{
	struct object *object;

	if (!frame->module)
		return &symbols->objects[0];
	for (size_t i = 1; i < symbols->count; i++)
		if (strcmp(symbols->objects[i].name, frame->module) == 0)
			return &symbols->objects[i];
	if (symbols->count == MAX_OBJECTS)
		return NULL;
	object = &symbols->objects[symbols->count];
	object->name = strdup(frame->module);
	if (!object->name)
		return NULL;
	symbols->count++;
	load(symbols, object, NULL);
	return object;
}

/*
 * The function of a frame. kallsyms counts the padding up to the next function in, so the size in the log
 * is a little larger than in the symbol table; several static functions may have the same name. When no size
 * fits, the file is of another build, and its lines would mislead.
 */
static const struct symbol *find_symbol(const struct object *object, const struct hl_frame *frame)
{
	const struct symbol *best = NULL;
	uint64_t best_difference = frame->size ? MOST_PADDING : UINT64_MAX;
	size_t low = 0, high = object->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(object->symbols[middle].name, frame->function) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < object->count && strcmp(object->symbols[low].name, frame->function) == 0; low++) {
		const struct symbol *symbol = &object->symbols[low];
		uint64_t difference =
			frame->size > symbol->size ? frame->size - symbol->size : symbol->size - frame->size;

		if (difference < best_difference) {
			best = symbol;
			best_difference = difference;
		}
	}
	return best;
}

/* "kernel/sched/core.c" for "/build/linux-6.1/kernel/sched/core.c" compiled in "/build/linux-6.1". */
static const char *relative(const char *file, const char *folder)
{
	size_t length = folder ? strlen(folder) : 0;

	if (length && strncmp(file, folder, length) == 0 && file[length] == '/')
		file += length + 1;
	while (strncmp(file, "./", 2) == 0)
		file += 2;
	return file;
}

struct place {
	const char *function;
	const char *file;
	int line;
};

/*
 * What encloses an address, innermost first. dwarf_getscopes() alone continues outside an inlined function
 * where that was written, not where it was inlined.
 */
static int find_scopes(Dwarf_Die *unit, Dwarf_Addr address, Dwarf_Die **scopes)
{
	Dwarf_Die *written = NULL;
	int count = dwarf_getscopes(unit, address, &written);

	if (count > 0)
		count = dwarf_getscopes_die(&written[0], scopes);
	free(written);
	return count;
}

/* File and line of an address, and of the calls that were inlined there, innermost first. Return: their
 * count. */
static size_t find_places(Dwfl_Module *module, GElf_Addr address, struct place *places)
{
	Dwarf_Addr bias;
	Dwarf_Die *unit = dwfl_module_addrdie(module, address, &bias);
	Dwfl_Line *line = dwfl_module_getsrc(module, address);
	const char *folder, *file;
	Dwarf_Die *scopes = NULL;
	Dwarf_Files *files = NULL;
	size_t count = 0, file_count = 0;
	int scope_count;

	if (!unit || !line)
		return 0;
	folder = dwfl_line_comp_dir(line);
	file = dwfl_lineinfo(line, NULL, &places[0].line, NULL, NULL, NULL);
	if (!file)
		return 0;
	places[0].file = relative(file, folder);
	places[0].function = NULL;
	scope_count = find_scopes(unit, address - bias, &scopes);
	dwarf_getsrcfiles(unit, &files, &file_count);
	for (int i = 0; i < scope_count && count + 1 < MAX_INLINED; i++) {
		Dwarf_Attribute attribute;
		Dwarf_Word call_file = 0, call_line = 0;

		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		places[count].function = dwarf_diename(&scopes[i]);
		if (dwarf_attr(&scopes[i], DW_AT_call_file, &attribute))
			dwarf_formudata(&attribute, &call_file);
		if (dwarf_attr(&scopes[i], DW_AT_call_line, &attribute))
			dwarf_formudata(&attribute, &call_line);
		file = files && call_file < file_count ? dwarf_filesrc(files, call_file, NULL, NULL) : NULL;
		count++;
		places[count] = (struct place){NULL, file ? relative(file, folder) : NULL, (int)call_line};
	}
	free(scopes);
	return count + 1;
}

static void add_frame(struct hl_event *event, struct hl_stack *to, const struct hl_frame *frame,
		      const struct place *place, bool inlined)
{
	struct hl_frame *added = &to->frames[to->count++];

	*added = *frame;
	added->function = memory_string(
		&event->memory, inlined && place && place->function ? place->function : frame->function);
	added->module = memory_string(&event->memory, frame->module);
	added->file = memory_string(&event->memory, place && place->file ? place->file : frame->file);
	if (place && place->file)
		added->file_line = (unsigned int)place->line;
	added->inlined = inlined;
}

static int resolve_stack(struct hl_symbols *symbols, struct hl_event *event, struct hl_stack *stack)
{
	struct hl_stack to = *stack;

	if (!stack->count)
		return 0;
	to.count = 0;
	to.frames = memory_get(&event->memory, stack->count * MAX_INLINED * sizeof(*to.frames));
	if (!to.frames)
		return -ENOMEM;
	for (size_t i = 0; i < stack->count; i++) {
		const struct hl_frame *frame = &stack->frames[i];
		const struct object *object = find_object(symbols, frame);
		const struct symbol *symbol = object ? find_symbol(object, frame) : NULL;
		struct place places[MAX_INLINED];
		size_t count = 0;

		/* A return address lies behind the call; the innermost frame is the instruction itself. */
		if (symbol)
			count = find_places(object->module,
					    symbol->address + frame->offset - (i && frame->offset), places);
		for (size_t j = 0; j + 1 < count; j++)
			add_frame(event, &to, frame, &places[j], true);
		add_frame(event, &to, frame, count ? &places[count - 1] : NULL, false);
	}
	*stack = to;
	return 0;
}

int hl_symbols_resolve(struct hl_symbols *symbols, const struct hl_event *event, struct hl_event *resolved)
{
	int status = hl_event_copy(resolved, event);

	if (status)
		return status;
	status = resolve_stack(symbols, resolved, &resolved->stack);
	for (size_t i = 0; i < resolved->other_count && !status; i++)
		status = resolve_stack(symbols, resolved, &resolved->others[i]);
	if (status)
		hl_event_free(resolved);
	return status;
}
