// SPDX-License-Identifier: GPL-2.0-or-later
#include "schema.h"

#include "similar.h"

#include <stdio.h>
#include <string.h>

const struct schema_key *schema_key_find(const struct schema *schema, const char *name)
{
	for (const struct schema_key *key = schema->keys; key && key->name; key++)
		if (!strcmp(key->name, name))
			return key;
	return NULL;
}

const char *schema_suggest(const struct schema *schema, const char *name)
{
	const char *known[64];
	size_t count = 0;

	for (const struct parameter *value = schema->values; value && value->name && count < 64; value++)
		known[count++] = value->name;
	for (const struct schema_key *key = schema->keys; key && key->name && count < 64; key++)
		known[count++] = key->name;
	return similar_find(name, known, count);
}

const char *schema_position(const json_t *source, const char *key)
{
	char name[128];
	const char *position;

	snprintf(name, sizeof(name), "@%s", key ? key : "");
	position = json_string_value(json_object_get(source, name));
	return position ? position : "";
}

static int load_object(const struct schema_key *key, const json_t *json, void **field, struct arena *arena,
		       struct hl_error *err)
{
	*field = arena_allocate(arena, key->item->size);
	return schema_load(key->item, json, *field, arena, err);
}

static int load_list(const struct schema_key *key, const json_t *json, void **field, size_t *count,
		     struct arena *arena, struct hl_error *err)
{
	size_t length = json_array_size(json);
	char *items = arena_allocate(arena, (length + 1) * key->item->size);

	for (size_t i = 0; i < length; i++) {
		int r = schema_load(key->item, json_array_get(json, i), items + i * key->item->size, arena,
				    err);

		if (r)
			return r;
	}
	*field = items;
	*count = length;
	return 0;
}

static void load_texts(const json_t *json, const char ***field, struct arena *arena)
{
	size_t length = json_is_string(json) ? 1 : json_array_size(json);

	*field = arena_allocate(arena, (length + 1) * sizeof(char *));
	for (size_t i = 0; i < length; i++)
		(*field)[i] = json_string_value(json_is_string(json) ? json : json_array_get(json, i));
}

static int load_key(const struct schema_key *key, const json_t *json, char *object, struct arena *arena,
		    struct hl_error *err)
{
	void *field = object + key->offset;

	switch (key->kind) {
	case SCHEMA_TEXTS:
		load_texts(json, field, arena);
		return 0;
	case SCHEMA_MAP:
		*(const json_t **)field = json;
		return 0;
	case SCHEMA_OBJECT:
		return json ? load_object(key, json, field, arena, err) : 0;
	case SCHEMA_LIST:
		return load_list(key, json, field, (size_t *)(object + key->count_offset), arena, err);
	}
	return 0;
}

static int load_values(const struct schema *schema, const json_t *json, void *object, struct hl_error *err)
{
	parameters_set_defaults(schema->values, object);
	for (const struct parameter *value = schema->values; value && value->name; value++) {
		const char *text = json_string_value(json_object_get(json, value->name));
		int r;

		if (!text && value->required)
			return hl_error_set(err, EINVAL, "%s needs '%s'", schema->what, value->name);
		r = text ? parameter_set(value, text, object, err) : 0;
		if (r) {
			hl_error_prefix(err, "%s", value->name);
			return r;
		}
	}
	return 0;
}

int schema_load(const struct schema *schema, const json_t *json, void *object, struct arena *arena,
		struct hl_error *err)
{
	int r;

	*(const json_t **)object = json;
	r = load_values(schema, json, object, err);
	for (const struct schema_key *key = schema->keys; !r && key && key->name; key++)
		r = load_key(key, json_object_get(json, key->name), object, arena, err);
	return r;
}
