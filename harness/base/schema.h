/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_SCHEMA_H
#define HANGLAB_BASE_SCHEMA_H

#include "arena.h"
#include "parameter.h"

/*
 * A schema describes an object of a scenario once: the YAML loader checks files against it, the guest
 * reads its plan by it, and the help is printed from it.
 *
 * Between YAML and C structs stands JSON: objects of texts, lists and objects. Beside each key KEY the
 * loader leaves "@KEY": "LINE:COLUMN", so that later checks can still point into the file.
 */

/** What stands under a key that is not a plain value. */
enum schema_kind {
	SCHEMA_OBJECT, /* pointer to the struct of item, NULL when absent */
	SCHEMA_LIST,   /* array of the struct of item, and its count */
	SCHEMA_TEXTS,  /* const char **, NULL-terminated, never NULL; a single text counts as a list of one */
	SCHEMA_MAP,    /* const json_t *: object of texts with keys of any name, or NULL */
};

struct schema;

/**
 * struct schema_key - a key whose value is not a plain text
 * @name: the key; NULL ends a table
 * @kind: what stands there
 * @item: schema of the object or of the list's objects
 * @offset: of its field in the struct
 * @count_offset: of the size_t that counts a SCHEMA_LIST
 * @help: one line
 */
struct schema_key {
	const char *name;
	enum schema_kind kind;
	const struct schema *item;
	size_t offset, count_offset;
	const char *help;
};

/**
 * struct schema - an object
 * @what: what it is called in messages: "a disk"
 * @size: of the struct, whose first member is "const json_t *source": the JSON it was read from
 * @values: plain values, or NULL
 * @keys: the other keys, or NULL
 */
struct schema {
	const char *what;
	size_t size;
	const struct parameter *values;
	const struct schema_key *keys;
};

/** schema_key_find() - the entry of @schema's keys called @name, or NULL */
const struct schema_key *schema_key_find(const struct schema *schema, const char *name);

/** schema_suggest() - the known key that @name most likely meant, or NULL */
const char *schema_suggest(const struct schema *schema, const char *name);

/**
 * schema_load() - JSON to struct
 * @schema: describes both
 * @json: the object; must outlive @object
 * @object: zeroed struct
 * @arena: holds lists and nested structs
 * @err: names the key
 *
 * Return: 0 or -EINVAL, -ERANGE.
 */
int schema_load(const struct schema *schema, const json_t *json, void *object, struct arena *arena,
		struct hl_error *err);

/** schema_position() - "LINE:COLUMN" of a key (NULL: of the object itself), or "" when unknown */
const char *schema_position(const json_t *source, const char *key);

#endif
