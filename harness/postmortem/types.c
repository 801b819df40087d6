// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/types.h"

#include "base/cleanup.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <string.h>

/* vmlinux of a distribution has 5 MB. */
#define MOST_BTF (64ULL << 20)
/* Structures within structures, typedefs of typedefs. */
#define DEEPEST	 16

struct types {
	struct btf *btf;
};

int types_open(struct types **types, const struct mapping *mapping, const struct symbols *symbols,
	       struct hl_error *err)
{
	uint64_t begin = symbols_address(symbols, "__start_BTF"),
		 end = symbols_address(symbols, "__stop_BTF");
	cleanup_free void *data = NULL;
	struct btf *btf;

	if (!begin || end <= begin || end - begin > MOST_BTF)
		return hl_error_set(err, ENODATA,
				    "this kernel does not describe its types (CONFIG_DEBUG_INFO_BTF)");
	data = malloc(end - begin);
	if (!data)
		return hl_error_errno(err, ENOMEM, "types of the kernel");
	if (!mapping_read(mapping, begin, data, end - begin))
		return hl_error_set(err, ENODATA, "the kernel's types are not in this memory");
	libbpf_set_print(NULL);
	btf = btf__new(data, (uint32_t)(end - begin));
	if (!btf)
		return hl_error_set(err, ENODATA, "the kernel's types make no sense");
	*types = calloc(1, sizeof(**types));
	if (!*types)
		abort();
	(*types)->btf = btf;
	return 0;
}

void types_close(struct types *types)
{
	if (!types)
		return;
	btf__free(types->btf);
	free(types);
}

static const struct btf_type *plain_type(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	for (int i = 0; type && i < DEEPEST && (btf_is_mod(type) || btf_is_typedef(type)); i++)
		type = btf__type_by_id(btf, type->type);
	return type;
}

/* libbpf's own would not end with a type that contains itself. */
static uint64_t size_of(const struct btf *btf, uint32_t id, int depth)
{
	const struct btf_type *type = plain_type(btf, id);

	if (!type || depth == DEEPEST)
		return 0;
	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
		return sizeof(uint64_t);
	case BTF_KIND_ARRAY:
		return btf_array(type)->nelems * size_of(btf, btf_array(type)->type, depth + 1);
	case BTF_KIND_INT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FLOAT:
		return type->size;
	default:
		return 0;
	}
}

/* The type id of a member and its offset; looks into unnamed members too. */
static uint32_t find_member(const struct btf *btf, const struct btf_type *type, const char *name,
			    size_t length, uint64_t *offset, int depth)
{
	const struct btf_member *members;

	if (!type || !btf_is_composite(type) || depth == DEEPEST)
		return 0;
	members = btf_members(type);
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const char *member = btf__name_by_offset(btf, members[i].name_off);
		uint64_t at = btf_member_bit_offset(type, i) / 8;
		uint32_t found = 0;

		if (member && strlen(member) == length && !strncmp(member, name, length))
			found = members[i].type;
		else if (!member || !*member)
			found = find_member(btf, plain_type(btf, members[i].type), name, length, offset,
					    depth + 1);
		if (!found)
			continue;
		*offset += at;
		return found;
	}
	return 0;
}

static uint32_t find_structure(const struct types *types, const char *name)
{
	int32_t id = btf__find_by_name_kind(types->btf, name, BTF_KIND_STRUCT);

	return id > 0 ? (uint32_t)id : 0;
}

struct field types_field(const struct types *types, const char *structure, const char *path)
{
	uint32_t id = find_structure(types, structure);
	struct field field = {0, 0};

	while (id && *path) {
		size_t length = strcspn(path, ".");

		id = find_member(types->btf, plain_type(types->btf, id), path, length, &field.offset, 0);
		path += length + (path[length] == '.');
	}
	if (id)
		field.size = size_of(types->btf, id, 0);
	return field;
}

uint64_t types_size(const struct types *types, const char *structure)
{
	uint32_t id = find_structure(types, structure);

	return id ? size_of(types->btf, id, 0) : 0;
}

uint64_t field_read(const struct mapping *mapping, uint64_t address, struct field field)
{
	if (!address || !field.size || field.size > sizeof(uint64_t))
		return 0;
	return mapping_number(mapping, address + field.offset, field.size);
}
