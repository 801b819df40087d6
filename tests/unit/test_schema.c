// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/schema.h"

#include "base/cleanup.h"

#include <CUnit/CUnit.h>
#include <string.h>

struct part {
	const json_t *source;
	int64_t number;
};

struct whole {
	const json_t *source;
	const char *name;
	struct part *part, *list;
	size_t count;
	const char **texts;
	const json_t *map;
};

static const struct parameter part_values[] = {
	{.name = "number",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct part, number),
	 .fallback = "3",
	 .least = 0,
	 .most = 9},
	{.name = NULL},
};

static const struct schema part_schema = {"a part", sizeof(struct part), part_values, NULL};

static const struct parameter whole_values[] = {
	{.name = "name", .type = PARAMETER_STRING, .offset = offsetof(struct whole, name), .required = true},
	{.name = NULL},
};

static const struct schema_key whole_keys[] = {
	{.name = "part", .kind = SCHEMA_OBJECT, .item = &part_schema, .offset = offsetof(struct whole, part)},
	{.name = "list",
	 .kind = SCHEMA_LIST,
	 .item = &part_schema,
	 .offset = offsetof(struct whole, list),
	 .count_offset = offsetof(struct whole, count)},
	{.name = "texts", .kind = SCHEMA_TEXTS, .offset = offsetof(struct whole, texts)},
	{.name = "map", .kind = SCHEMA_MAP, .offset = offsetof(struct whole, map)},
	{.name = NULL},
};

static const struct schema whole_schema = {"a whole", sizeof(struct whole), whole_values, whole_keys};

static json_t *read_json(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	return json;
}

static void test_everything(void)
{
	json_t *json = read_json(
		"{\"name\": \"n\", \"@name\": \"1:7\", \"part\": {}, \"list\": [{\"number\": \"1\"}, {}],"
		" \"texts\": [\"a\", \"b\"], \"map\": {\"k\": \"v\"}}");
	struct arena arena cleanup_with(arena_free) = {NULL};
	struct whole whole = {0};

	CU_ASSERT_EQUAL_FATAL(schema_load(&whole_schema, json, &whole, &arena, NULL), 0);
	CU_ASSERT_PTR_EQUAL(whole.source, json);
	CU_ASSERT_STRING_EQUAL(whole.name, "n");
	CU_ASSERT_EQUAL(whole.part->number, 3);
	CU_ASSERT_EQUAL_FATAL(whole.count, 2);
	CU_ASSERT_EQUAL(whole.list[0].number, 1);
	CU_ASSERT_EQUAL(whole.list[1].number, 3);
	CU_ASSERT_STRING_EQUAL(whole.texts[1], "b");
	CU_ASSERT_PTR_NULL(whole.texts[2]);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(whole.map, "k")), "v");
	CU_ASSERT_STRING_EQUAL(schema_position(whole.source, "name"), "1:7");
	CU_ASSERT_STRING_EQUAL(schema_position(whole.source, "map"), "");
	json_decref(json);
}

static void test_absent(void)
{
	json_t *json = read_json("{\"name\": \"n\"}");
	struct arena arena cleanup_with(arena_free) = {NULL};
	struct whole whole = {0};

	CU_ASSERT_EQUAL_FATAL(schema_load(&whole_schema, json, &whole, &arena, NULL), 0);
	CU_ASSERT_PTR_NULL(whole.part);
	CU_ASSERT_PTR_NULL(whole.map);
	CU_ASSERT_EQUAL(whole.count, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(whole.texts);
	CU_ASSERT_PTR_NULL(whole.texts[0]);
	json_decref(json);
}

static void test_single_text(void)
{
	json_t *json = read_json("{\"name\": \"n\", \"texts\": \"only\"}");
	struct arena arena cleanup_with(arena_free) = {NULL};
	struct whole whole = {0};

	CU_ASSERT_EQUAL_FATAL(schema_load(&whole_schema, json, &whole, &arena, NULL), 0);
	CU_ASSERT_STRING_EQUAL(whole.texts[0], "only");
	CU_ASSERT_PTR_NULL(whole.texts[1]);
	json_decref(json);
}

static void check_error(const char *text, int code, const char *message)
{
	json_t *json = read_json(text);
	struct arena arena cleanup_with(arena_free) = {NULL};
	struct hl_error err = HL_ERROR_INIT;
	struct whole whole = {0};

	CU_ASSERT_EQUAL(schema_load(&whole_schema, json, &whole, &arena, &err), code);
	CU_ASSERT_STRING_EQUAL(err.text, message);
	json_decref(json);
}

static void test_errors(void)
{
	check_error("{}", -EINVAL, "a whole needs 'name'");
	check_error("{\"name\": \"n\", \"part\": {\"number\": \"x\"}}", -EINVAL,
		    "number: 'x' is not a whole number");
	check_error("{\"name\": \"n\", \"list\": [{}, {\"number\": \"10\"}]}", -ERANGE,
		    "number: '10' is out of range (0 to 9)");
}

static void test_suggestion(void)
{
	CU_ASSERT_STRING_EQUAL(schema_suggest(&whole_schema, "nmae"), "name");
	CU_ASSERT_STRING_EQUAL(schema_suggest(&whole_schema, "lists"), "list");
	CU_ASSERT_PTR_NULL(schema_suggest(&whole_schema, "something"));
	CU_ASSERT_PTR_EQUAL(schema_key_find(&whole_schema, "texts"), &whole_keys[2]);
	CU_ASSERT_PTR_NULL(schema_key_find(&whole_schema, "name"));
}

CU_TestInfo schema_tests[] = {
	{"every kind of key", test_everything},
	{"absent keys", test_absent},
	{"a text is a list of one", test_single_text},
	{"errors name the key", test_errors},
	{"suggestions", test_suggestion},
	CU_TEST_INFO_NULL,
};
