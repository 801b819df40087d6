// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * YAML to JSON by a schema. What comes out has only known keys and values that their parameters accept;
 * what a scenario means is checked by check.c.
 */
#include "scenario/loader.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "scenario/check.h"
#include "scenario/quote.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <string.h>

struct loader {
	const char *path;
	struct hl_error *err;
};

static void cleanup_parser(struct fy_parser **parser)
{
	if (*parser)
		fy_parser_destroy(*parser);
}

static void cleanup_diag(struct fy_diag **diag)
{
	if (*diag)
		fy_diag_destroy(*diag);
}

int scenario_error(struct hl_error *err, const char *path, const char *position, const char *format, ...)
{
	cleanup_free char *content = NULL;
	char text[1024], quote[700] = "";
	int line = 0, column = 0;
	size_t size;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	quote_clean(text);
	if (sscanf(position, "%d:%d", &line, &column) != 2)
		return hl_error_set(err, EINVAL, "%s: %s", path, text);
	if (!file_read(path, &content, &size, NULL)) {
		quote_position(content, size, &line, &column);
		quote_line(content, size, line, column, quote, sizeof(quote));
	}
	return hl_error_set(err, EINVAL, "%s:%d:%d: %s%s", path, line, column, text, quote);
}

/*
 * A collection has no mark of its own in libfyaml's interface: its first scalar stands for it. Nothing has no
 * place: libfyaml 0.8 says where it would be, 0.7 does not.
 */
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
	if (node && !fy_node_is_null(node) && fy_node_get_scalar_token(node))
		mark = fy_token_start_mark(fy_node_get_scalar_token(node));
	if (mark)
		snprintf(position, size, "%d:%d", mark->line + 1, mark->column + 1);
	else
		position[0] = '\0';
}

static int fail_at(const struct loader *loader, struct fy_node *node, struct fy_node *otherwise,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));

static int fail_at(const struct loader *loader, struct fy_node *node, struct fy_node *otherwise,
		   const char *format, ...)
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

/* "KEY:" with nothing behind it is no text. */
static bool is_text(struct fy_node *node)
{
	return node && fy_node_is_scalar(node) && !fy_node_is_alias(node) && !fy_node_is_null(node);
}

/*
 * Aliases are followed one at a time, where the schema allows what they stand for: expanding all of them
 * at once takes exponential time in a hostile file.
 */
static struct fy_node *follow(struct fy_node *node)
{
	while (node && fy_node_is_alias(node))
		node = fy_node_resolve_alias(node);
	return node;
}

static const char *kind_of(struct fy_node *node)
{
	if (!node)
		return "an alias without its anchor";
	if (fy_node_is_null(node))
		return "nothing";
	if (fy_node_is_sequence(node))
		return "a list";
	return fy_node_is_mapping(node) ? "a mapping" : "a single value";
}

static bool is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\t' && text[i] != '\n') || text[i] == 0x7f)
			return false;
	return true;
}

/* A single value; @name is what it belongs to. What a quoted scalar's escapes stand for may be unprintable.
 */
static int convert_text(const struct loader *loader, struct fy_node *node, const char *name, json_t **json)
{
	size_t length = 0;
	const char *text = fy_node_get_scalar(node, &length);

	if (!text)
		text = "";
	if (!is_printable(text, length))
		return fail_at(loader, node, NULL, "'%s' holds a control character", name);
	*json = json_stringn(text, length);
	return *json ? 0 : fail_at(loader, node, NULL, "'%s' is not valid UTF-8", name);
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
		return fail_at(loader, node, key, "'%s' is %s where a %s is expected", parameter->name,
			       kind_of(node), parameter_type_name(parameter->type));
	if (convert_text(loader, node, parameter->name, json))
		return -EINVAL;
	moved.offset = 0;
	if (!parameter_set(&moved, json_string_value(*json), scratch, &why))
		return 0;
	json_decref(*json);
	*json = NULL;
	return fail_at(loader, node, key, "'%s': %s", parameter->name, why.text);
}

static int convert_texts(const struct loader *loader, struct fy_node *node, struct fy_node *key,
			 const char *name, json_t **json)
{
	struct fy_node *item;
	void *iterator = NULL;

	if (is_text(node))
		return convert_text(loader, node, name, json);
	if (!fy_node_is_sequence(node))
		return fail_at(loader, node, key, "'%s' is %s where a list of texts is expected", name,
			       kind_of(node));
	*json = json_array();
	while ((item = fy_node_sequence_iterate(node, &iterator))) {
		json_t *text = NULL;

		item = follow(item);
		if (!is_text(item))
			return fail_at(loader, item, key, "'%s' holds %s where a text is expected", name,
				       kind_of(item));
		if (convert_text(loader, item, name, &text))
			return -EINVAL;
		json_array_append_new(*json, text);
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

/* The text of a key, or NULL when it is not one. "@KEY" holds the position of KEY (base/schema.h). */
static const char *name_of(struct fy_node *key)
{
	size_t length = 0;
	const char *text = is_text(key) ? fy_node_get_scalar(key, &length) : NULL;

	return text && length && text[0] != '@' && is_printable(text, length) ? fy_node_get_scalar0(key)
									      : NULL;
}

static int convert_map(const struct loader *loader, struct fy_node *node, struct fy_node *key,
		       const char *name, json_t **json)
{
	struct fy_node_pair *pair;
	void *iterator = NULL;

	if (!fy_node_is_mapping(node))
		return fail_at(loader, node, key, "'%s' is %s where a mapping is expected", name,
			       kind_of(node));
	*json = json_object();
	while ((pair = fy_node_mapping_iterate(node, &iterator))) {
		struct fy_node *named = fy_node_pair_key(pair), *value = follow(fy_node_pair_value(pair));
		const char *item = name_of(named);
		json_t *text = NULL;

		if (!item)
			return fail_at(loader, named, key, "a key of '%s' is not a name", name);
		if (!is_text(value))
			return fail_at(loader, named, key, "'%s' is %s where a single value is expected",
				       item, kind_of(value));
		if (convert_text(loader, value, item, &text))
			return -EINVAL;
		json_object_set_new(*json, item, text);
		set_position(*json, item, named);
	}
	return 0;
}

static int convert_list(const struct loader *loader, struct fy_node *node, struct fy_node *key,
			const struct schema_key *known, json_t **json)
{
	struct fy_node *item;
	void *iterator = NULL;

	if (!fy_node_is_sequence(node))
		return fail_at(loader, node, key, "'%s' is %s where a list is expected", known->name,
			       kind_of(node));
	*json = json_array();
	while ((item = fy_node_sequence_iterate(node, &iterator))) {
		json_t *converted = NULL;
		int r = convert_object(loader, follow(item), key, known->item, &converted);

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

static int unknown_key(const struct loader *loader, struct fy_node *key, const struct schema *schema,
		       const char *name)
{
	const char *near = schema_suggest(schema, name);

	return fail_at(loader, key, NULL, "%s has no key '%s'%s%s%s", schema->what, name,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int convert_pair(const struct loader *loader, struct fy_node_pair *pair, const struct schema *schema,
			json_t *object)
{
	struct fy_node *key = fy_node_pair_key(pair), *node = follow(fy_node_pair_value(pair));
	const char *name = name_of(key);
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
			return fail_at(loader, node, key, "%s needs '%s' (%s)", schema->what, value->name,
				       value->help);
	return 0;
}

static int convert_object(const struct loader *loader, struct fy_node *node, struct fy_node *key,
			  const struct schema *schema, json_t **json)
{
	struct fy_node_pair *pair;
	void *iterator = NULL;
	int r;

	if (!node || !fy_node_is_mapping(node))
		return fail_at(loader, node, key, "%s is %s where a mapping is expected", schema->what,
			       kind_of(node));
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
static int syntax_error(const struct loader *loader, struct fy_parser *parser, struct fy_diag *diag)
{
	struct fy_diag_error *first;
	void *iterator = NULL;
	char position[32];

	first = fy_diag_errors_iterate(diag, &iterator);
	if (!first)
		return hl_error_set(loader->err, EINVAL, "%s: %s", loader->path,
				    fy_parser_get_stream_error(parser) ? "not valid YAML"
								       : "the file is empty");
	snprintf(position, sizeof(position), "%d:%d", first->line, first->column);
	return scenario_error(loader->err, loader->path, position, "not valid YAML: %s", first->msg);
}

/* libfyaml lets these through, or fails without a message; a NUL would end the text early. */
static int check_characters(const struct loader *loader, const char *text, size_t size)
{
	char position[32];
	bool is_control;
	int line, column, found = quote_find_unprintable(text, size, &line, &column, &is_control);

	if (found < 0)
		return 0;
	snprintf(position, sizeof(position), "%d:%d", line, column);
	return scenario_error(loader->err, loader->path, position,
			      is_control ? "control character 0x%02x" : "byte 0x%02x is not UTF-8",
			      (unsigned int)found);
}

static int check_single(const struct loader *loader, struct fy_parser *parser)
{
	struct fy_document *second = fy_parse_load_document(parser);
	struct fy_node *root = second ? fy_document_root(second) : NULL;
	int r = 0;

	if (root)
		r = fail_at(loader, root, NULL, "a second document begins here: a file holds one scenario");
	fy_parse_document_destroy(parser, second);
	return r;
}

static int convert_document(const struct loader *loader, struct fy_parser *parser, struct fy_diag *diag,
			    const struct schema *schema, json_t **json)
{
	struct fy_document *document = fy_parse_load_document(parser);
	struct fy_node *root = document ? follow(fy_document_root(document)) : NULL;
	json_t *converted = NULL;
	int r;

	if (!root || fy_node_is_null(root))
		r = syntax_error(loader, parser, diag);
	else
		r = convert_object(loader, root, NULL, schema, &converted);
	if (!r)
		r = check_single(loader, parser);
	fy_parse_document_destroy(parser, document);
	if (r)
		json_decref(converted);
	else
		*json = converted;
	return r;
}

int scenario_convert(const char *path, const struct schema *schema, json_t **json, struct hl_error *err)
{
	struct fy_diag_cfg quiet = {.level = FYET_ERROR, .module_mask = ~0U};
	struct fy_diag *diag cleanup_with(cleanup_diag) = fy_diag_create(&quiet);
	struct fy_parse_cfg config = {.flags = FYPCF_QUIET, .diag = diag};
	struct fy_parser *parser cleanup_with(cleanup_parser) = NULL;
	struct loader loader = {path, err};
	cleanup_free char *text = NULL;
	size_t size;
	int r;

	r = file_read(path, &text, &size, err);
	if (!r)
		r = check_characters(&loader, text, size);
	if (r)
		return r;
	parser = diag ? fy_parser_create(&config) : NULL;
	if (!parser || fy_parser_set_string(parser, text, size))
		return hl_error_errno(err, ENOMEM, "read %s", path);
	fy_diag_set_collect_errors(diag, true);
	return convert_document(&loader, parser, diag, schema, json);
}

/* Sources of programs are relative to the scenario file's folder. */
static void make_paths_absolute(const char *path, json_t *json)
{
	cleanup_free char *real = realpath(path, NULL);
	json_t *program;
	size_t i;

	json_array_foreach (json_object_get(json, "programs"), i, program) {
		const char *source = json_string_value(json_object_get(program, "source"));
		cleanup_free char *absolute = NULL;

		if (!source || source[0] == '/' || !real)
			continue;
		absolute = file_path("%.*s/%s", (int)(strrchr(real, '/') - real), real, source);
		json_object_set_new(program, "source", json_string(absolute));
	}
}

int scenario_load(const char *path, struct plan *plan, struct hl_error *err)
{
	json_t *json = NULL;
	int r;

	r = scenario_convert(path, &plan_schema, &json, err);
	if (r)
		return r;
	make_paths_absolute(path, json);
	r = plan_load(plan, json, err);
	json_decref(json);
	return r ? r : scenario_check(path, plan, err);
}
