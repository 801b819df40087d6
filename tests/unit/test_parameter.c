// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/parameter.h"

#include <CUnit/CUnit.h>
#include <string.h>

struct values {
	const char *text, *path;
	int64_t duration, number;
	uint64_t size;
	bool flag;
	int choice;
};

static const char *const few[] = {"none", "ext4", "xfs", NULL};
static const char *const many[] = {"a_rather_long_first_choice", "a_rather_long_second_choice",
				   "a_rather_long_third_choice", "a_rather_long_fourth_choice",
				   "a_rather_long_fifth_choice", NULL};

static const struct parameter table[] = {
	{.name = "text",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct values, text),
	 .fallback = "default"},
	{.name = "path", .type = PARAMETER_PATH, .offset = offsetof(struct values, path), .required = true},
	{.name = "duration",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct values, duration),
	 .fallback = "2s",
	 .least = 1000000,
	 .most = 60000000000},
	{.name = "number",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct values, number),
	 .least = -1,
	 .most = 64},
	{.name = "size",
	 .type = PARAMETER_SIZE,
	 .offset = offsetof(struct values, size),
	 .least = 1 << 20,
	 .most = 1LL << 30},
	{.name = "flag", .type = PARAMETER_BOOLEAN, .offset = offsetof(struct values, flag)},
	{.name = "choice",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct values, choice),
	 .choices = few},
	{.name = NULL},
};

static int load(const char *json, struct values *values, struct hl_error *err, json_t **kept)
{
	*kept = json_loads(json, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(*kept);
	memset(values, 0, sizeof(*values));
	return parameters_load(table, *kept, values, err);
}

static void test_load(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct values values;
	json_t *json;

	CU_ASSERT_EQUAL(load("{\"path\": \"/data\", \"@path\": \"3:4\", \"number\": \"7\", \"size\": "
			     "\"64M\", \"flag\": \"true\","
			     " \"choice\": \"xfs\"}",
			     &values, &err, &json),
			0);
	CU_ASSERT_STRING_EQUAL(values.text, "default");
	CU_ASSERT_STRING_EQUAL(values.path, "/data");
	CU_ASSERT_EQUAL(values.duration, 2000000000);
	CU_ASSERT_EQUAL(values.number, 7);
	CU_ASSERT_EQUAL(values.size, 64 << 20);
	CU_ASSERT_TRUE(values.flag);
	CU_ASSERT_EQUAL(values.choice, 2);
	json_decref(json);
}

static void test_errors(void)
{
	static const struct {
		const char *json;
		int code;
		const char *text;
	} bad[] = {
		{"{}", -EINVAL, "parameter 'path' is missing"},
		{"{\"path\": \"data\"}", -EINVAL, "parameter 'path': 'data' is not an absolute path"},
		{"{\"path\": 1}", -EINVAL, "parameter 'path' is not a text"},
		{"{\"pth\": \"/\"}", -EINVAL, "unknown parameter 'pth'"},
		{"{\"number\": \"65\"}", -ERANGE, "parameter 'number': '65' is out of range (-1 to 64)"},
		{"{\"number\": \"-2\"}", -ERANGE, "parameter 'number': '-2' is out of range (-1 to 64)"},
		{"{\"duration\": \"2m\"}", -ERANGE,
		 "parameter 'duration': '2m' is out of range (1ms to 60s)"},
		{"{\"size\": \"4K\"}", -ERANGE, "parameter 'size': '4K' is out of range (1M to 1G)"},
		{"{\"flag\": \"yes\"}", -EINVAL, "parameter 'flag': 'yes' is neither true nor false"},
		{"{\"choice\": \"ext3\"}", -EINVAL,
		 "parameter 'choice': 'ext3' is not one of none, ext4, xfs; did you mean 'ext4'?"},
		{"{\"choice\": \"reiserfs\"}", -EINVAL,
		 "parameter 'choice': 'reiserfs' is not one of none, ext4, xfs"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hl_error err = HL_ERROR_INIT;
		struct values values;
		json_t *json;

		CU_ASSERT_EQUAL(load(bad[i].json, &values, &err, &json), bad[i].code);
		CU_ASSERT_STRING_EQUAL(err.text, bad[i].text);
		json_decref(json);
	}
}

static void test_untouched_on_failure(void)
{
	struct values values = {.number = 5, .duration = 6, .choice = 1, .flag = true};

	for (size_t i = 0; table[i].name; i++)
		if (table[i].type != PARAMETER_STRING)
			CU_ASSERT_NOT_EQUAL(parameter_set(&table[i], "?", &values, NULL), 0);
	CU_ASSERT_EQUAL(values.number, 5);
	CU_ASSERT_EQUAL(values.duration, 6);
	CU_ASSERT_EQUAL(values.choice, 1);
	CU_ASSERT_TRUE(values.flag);
	CU_ASSERT_PTR_NULL(values.path);
}

/* A long list would bury the suggestion, or be cut. */
static void test_long_choices(void)
{
	const struct parameter parameter = {.name = "choice", .type = PARAMETER_CHOICE, .choices = many};
	struct hl_error err = HL_ERROR_INIT;
	int value;

	CU_ASSERT_EQUAL(parameter_set(&parameter, "a_rather_long_thrid_choice", &value, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(
		err.text,
		"'a_rather_long_thrid_choice' is unknown; did you mean 'a_rather_long_third_choice'?");
	CU_ASSERT_EQUAL(parameter_set(&parameter, "x", &value, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a_rather_long_fifth_choice"));
}

CU_TestInfo parameter_tests[] = {
	{"values and defaults", test_load},
	{"errors", test_errors},
	{"a field is untouched on failure", test_untouched_on_failure},
	{"long lists of choices", test_long_choices},
	CU_TEST_INFO_NULL,
};
