// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * YAML to JSON by a schema. What comes out has only known keys and values that their parameters accept;
 * what a scenario means is checked by check.c.
 */
#include "scenario/loader.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/similar.h"
#include "scenario/check.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <string.h>

struct loader {
	const char *path;
	struct hl_error *err;
};

static void cleanup_document(struct fy_document **document)
{
	if (*document)
		fy_document_destroy(*document);
}

static void cleanup_diag(struct fy_diag **diag)
{
	if (*diag)
		fy_diag_destroy(*diag);
}

/* The quoted line with a mark below the column; tabs are kept so that the mark stays in place. */
static void quote_line(const char *path, int line, int column, char *quote, size_t size)
{
	cleanup_free char *text = NULL;
	const char *start;
	size_t length, used;

	quote[0] = '\0';
	if (line < 1 || file_read(path, &text, NULL, NULL))
		return;
	start = text;
	for (int i = 1; i < line && start; i++) {
		start = strchr(start, '\n');
		start = start ? start + 1 : NULL;
	}
	if (!start)
		return;
	length = strcspn(start, "\n");
	if (length > 300)
		length = 300;
	used = (size_t)snprintf(quote, size, "\n  %.*s\n  ", (int)length, start);
	for (int i = 1; i < column && (size_t)i <= length && used + 2 < size; i++)
		quote[used++] = start[i - 1] == '\t' ? '\t' : ' ';
	snprintf(quote + used, size - used, "^");
}

int scenario_error(struct hl_error *err, const char *path, const char *position, const char *format, ...)
{
	char text[1024], quote[700];
	int line = 0, column = 0;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (sscanf(position, "%d:%d", &line, &column) != 2)
		return hl_error_set(err, EINVAL, "%s: %s", path, text);
	quote_line(path, line, column, quote, sizeof(quote));
	return hl_error_set(err, EINVAL, "%s:%d:%d: %s%s", path, line, column, text, quote);
}

/* A collection has no mark of its own in libfyaml's interface: its first scalar stands for it. */
static void node_position(struct fy_node *node, char *position, size_t size)
{
	const struct fy_mark *mark = NULL;
	void *iterator = NULL;

	while (node && !fy_node_is_scalar(node)) {
		struct fy_node_pair *pair;

		iterator = NULL;
		if (fy_node_is_sequence(node)) {
			node = fy_node_sequence_iterate(node, &iterator);
			continue;
		}
		pair = fy_node_mapping_iterate(node, &iterator);
		node = pair ? fy_node_pair_key(pair) : NULL;
	}
	if (node && fy_node_get_scalar_token(node))
		mark = fy_token_start_mark(fy_node_get_scalar_token(node));
	if (mark)
		snprintf(position, size, "%d:%d", mark->line + 1, mark->column + 1);
	else
		position[0] = '\0';
}

static int fail_at(const struct loader *loader, struct fy_node *node, struct fy_node *otherwise, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));

static int fail_at(const struct loader *loader, struct fy_node *node, struct fy_node *otherwise, const char *format,
		   ...)
{
	char text[1024], position[32];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	node_position(node, position, sizeof(position));
	if (!position[0])
		node_position(otherwise, position, sizeof(position));
	return scenario_error(loader->err, loader->path, position, "%s", text);
}

static bool is_text(struct fy_node *node)
{
	return node && fy_node_is_scalar(node) && !fy_node_is_alias(node);
}

static const char *kind_of(struct fy_node *node)
{
	if (!node || fy_node_is_null(node))
		return "nothing";
	if (fy_node_is_sequence(node))
		return "a list";
	return fy_node_is_mapping(node) ? "a mapping" : "a single value";
}

static json_t *text_of(struct fy_node *node)
{
	size_t length = 0;
	const char *text = fy_node_get_scalar(node, &length);

	return json_stringn(text ? text : "", length);
}

static int convert_object(const struct loader *loader, struct fy_node *node, struct fy_node *key,
			  const struct schema *schema, json_t **json);

static int convert_value(const struct loader *loader, struct fy_node *node, struct fy_node *key,
			 const struct parameter *parameter, json_t **json)
{
	/* Wide enough for any one field; only its errors matter here. */
	char scratch[16] __attribute__((aligned(16)));
	struct parameter moved = *parameter;
	struct hl_error why = HL_ERROR_INIT;

	if (!is_text(node))
		return fail_at(loader, node, key, "'%s' is %s where a %s is expected", parameter->name, kind_of(node),
			       parameter_type_name(parameter->type));
	*json = text_of(node);
	if (!*json)
		return fail_at(loader, node, key, "'%s' is not valid UTF-8", parameter->name);
	moved.offset = 0;
	if (!parameter_set(&moved, json_string_value(*json), scratch, &why))
		return 0;
	json_decref(*json);
	*json = NULL;
	return fail_at(loader, node, key, "'%s': %s", parameter->name, why.text);
}

static int convert_texts(const struct loader *loader, struct fy_node *node, struct fy_node *key, const char *name,
			 json_t **json)
{
	struct fy_node *item;
	void *iterator = NULL;

	if (is_text(node)) {
		*json = text_of(node);
		return 0;
	}
	if (!fy_node_is_sequence(node))
		return fail_at(loader, node, key, "'%s' is %s where a list of texts is expected", name, kind_of(node));
	*json = json_array();
	while ((item = fy_node_sequence_iterate(node, &iterator))) {
		if (!is_text(item))
			return fail_at(loader, item, key, "'%s' holds %s where a text is expected", name, kind_of(item));
		json_array_append_new(*json, text_of(item));
	}
	return 0;
}

static void set_position(json_t *object, const char *key, struct fy_node *node)
{
	char name[128], position[32];

	node_position(node, position, sizeof(position));
	snprintf(name, sizeof(name), "@%s", key);
	json_object_set_new(object, name, json_string(position));
}

static int convert_map(const struct loader *loader, struct fy_node *node, struct fy_node *key, const char *name,
		       json_t **json)
{
	struct fy_node_pair *pair;
	void *iterator = NULL;

	if (!fy_node_is_mapping(node))
		return fail_at(loader, node, key, "'%s' is %s where a mapping is expected", name, kind_of(node));
	*json = json_object();
	while ((pair = fy_node_mapping_iterate(node, &iterator))) {
		struct fy_node *value = fy_node_pair_value(pair);
		const char *item = fy_node_get_scalar0(fy_node_pair_key(pair));

		if (!item || item[0] == '@')
			return fail_at(loader, fy_node_pair_key(pair), key, "a key of '%s' is not a name", name);
		if (!is_text(value))
			return fail_at(loader, fy_node_pair_key(pair), key, "'%s' is %s where a single value is expected",
				       item, kind_of(value));
		json_object_set_new(*json, item, text_of(value));
		set_position(*json, item, value);
	}
	return 0;
}

static int convert_list(const struct loader *loader, struct fy_node *node, struct fy_node *key,
			const struct schema_key *known, json_t **json)
{
	struct fy_node *item;
	void *iterator = NULL;

	if (!fy_node_is_sequence(node))
		return fail_at(loader, node, key, "'%s' is %s where a list is expected", known->name, kind_of(node));
	*json = json_array();
	while ((item = fy_node_sequence_iterate(node, &iterator))) {
		json_t *converted = NULL;
		int r = convert_object(loader, item, key, known->item, &converted);

		json_array_append_new(*json, converted);
		if (r)
			return r;
	}
	return 0;
}

static int convert_key(const struct loader *loader, struct fy_node *node, struct fy_node *key,
		       const struct schema_key *known, json_t **json)
{
	switch (known->kind) {
	case SCHEMA_OBJECT:
		return convert_object(loader, node, key, known->item, json);
	case SCHEMA_LIST:
		return convert_list(loader, node, key, known, json);
	case SCHEMA_TEXTS:
		return convert_texts(loader, node, key, known->name, json);
	case SCHEMA_MAP:
		return convert_map(loader, node, key, known->name, json);
	}
	return 0;
}

static int unknown_key(const struct loader *loader, struct fy_node *key, const struct schema *schema, const char *name)
{
	const char *near = schema_suggest(schema, name);

	return fail_at(loader, key, NULL, "%s has no key '%s'%s%s%s", schema->what, name, near ? "; did you mean '" : "",
		       near ? near : "", near ? "'?" : "");
}

static int convert_pair(const struct loader *loader, struct fy_node_pair *pair, const struct schema *schema,
			json_t *object)
{
	struct fy_node *key = fy_node_pair_key(pair), *node = fy_node_pair_value(pair);
	const char *name = is_text(key) ? fy_node_get_scalar0(key) : NULL;
	const struct schema_key *known;
	const struct parameter *value;
	json_t *converted = NULL;
	int r;

	if (!name)
		return fail_at(loader, key, node, "a key of %s is not a name", schema->what);
	value = parameter_find(schema->values, name);
	known = schema_key_find(schema, name);
	if (!value && !known)
		return unknown_key(loader, key, schema, name);
	r = value ? convert_value(loader, node, key, value, &converted)
		  : convert_key(loader, node, key, known, &converted);
	if (converted)
		json_object_set_new(object, name, converted);
	set_position(object, name, key);
	return r;
}

static int check_required(const struct loader *loader, struct fy_node *node, struct fy_node *key,
			  const struct schema *schema, const json_t *object)
{
	for (const struct parameter *value = schema->values; value && value->name; value++)
		if (value->required && !json_object_get(object, value->name))
			return fail_at(loader, node, key, "%s needs '%s' (%s)", schema->what, value->name, value->help);
	return 0;
}

static int convert_object(const struct loader *loader, struct fy_node *node, struct fy_node *key,
			  const struct schema *schema, json_t **json)
{
	struct fy_node_pair *pair;
	void *iterator = NULL;
	int r;

	if (!node || !fy_node_is_mapping(node))
		return fail_at(loader, node, key, "%s is %s where a mapping is expected", schema->what, kind_of(node));
	*json = json_object();
	set_position(*json, "", node);
	while ((pair = fy_node_mapping_iterate(node, &iterator))) {
		r = convert_pair(loader, pair, schema, *json);
		if (r)
			return r;
	}
	return check_required(loader, node, key, schema, *json);
}

/* What libfyaml itself found wrong: its first message. */
static int syntax_error(const struct loader *loader, struct fy_diag *diag)
{
	struct fy_diag_error *first;
	void *iterator = NULL;
	char position[32];

	first = fy_diag_errors_iterate(diag, &iterator);
	if (!first)
		return hl_error_set(loader->err, EINVAL, "%s: not valid YAML", loader->path);
	snprintf(position, sizeof(position), "%d:%d", first->line, first->column);
	return scenario_error(loader->err, loader->path, position, "%s", first->msg);
}

int scenario_convert(const char *path, const struct schema *schema, json_t **json, struct hl_error *err)
{
	struct fy_diag_cfg quiet = {.level = FYET_ERROR, .module_mask = ~0U};
	struct fy_diag *diag cleanup_with(cleanup_diag) = fy_diag_create(&quiet);
	struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_RESOLVE_DOCUMENT, .diag = diag};
	struct fy_document *document cleanup_with(cleanup_document) = NULL;
	struct loader loader = {path, err};
	cleanup_free char *text = NULL;
	json_t *converted = NULL;
	size_t size;
	int r;

	if (!diag)
		return hl_error_errno(err, ENOMEM, "read %s", path);
	r = file_read(path, &text, &size, err);
	if (r)
		return r;
	fy_diag_set_collect_errors(diag, true);
	document = fy_document_build_from_string(&config, text, size);
	if (!document)
		return syntax_error(&loader, diag);
	if (!fy_document_root(document))
		return hl_error_set(err, EINVAL, "%s: the file is empty", path);
	r = convert_object(&loader, fy_document_root(document), NULL, schema, &converted);
	if (r)
		json_decref(converted);
	else
		*json = converted;
	return r;
}

int scenario_load(const char *path, struct plan *plan, struct hl_error *err)
{
	json_t *json = NULL;
	int r;

	r = scenario_convert(path, &plan_schema, &json, err);
	if (r)
		return r;
	r = plan_load(plan, json, err);
	json_decref(json);
	return r ? r : scenario_check(path, plan, err);
}
