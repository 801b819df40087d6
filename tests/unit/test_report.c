// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/report.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#define NASTY "a <b> & \"c\" 'd' # e\nsecond line\x01\033[2J\x7f\xc2\x9b"

static const char *const verdicts[] = {"PASS", "FAIL", "BROKEN", "SKIP"};

static json_t *make_check(const char *verdict)
{
	return json_pack("{s:s, s:s, s:s}", "check", "expect", "verdict", verdict, "reason", NASTY);
}

/* One result per verdict. */
static json_t *make_results(void)
{
	json_t *results = json_array();

	for (size_t i = 0; i < 4; i++) {
		json_t *result =
			json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:f, s:f}", "schema", 1,
				  "scenario", "sample", "verdict", verdicts[i], "reason", NASTY, "kernel",
				  "6.1<x>", "qemu", "10.0", "accel", "tcg", "clock", "virtual", "seed", 1,
				  "wall_seconds", 2.5, "guest_seconds", 250.0);

		json_object_set_new(result, "checks",
				    json_pack("[o, o]", make_check("PASS"), make_check(verdicts[i])));
		json_array_append_new(results, result);
	}
	return results;
}

static char *print_results(const char *format, const json_t *results)
{
	const struct report_format *found = report_format_find(format);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	CU_ASSERT_STRING_EQUAL(found->name, format);
	found->print(results, out);
	fclose(out);
	return text;
}

static void test_json(void)
{
	json_t *results = make_results(), *parsed;
	char *text = print_results("json", results);

	parsed = json_loads(text, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(parsed);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(parsed, "schema")), 1);
	CU_ASSERT_TRUE(json_equal(json_object_get(parsed, "results"), results));
	json_decref(parsed);
	json_decref(results);
	free(text);
}

static size_t count_lines(const char *text, const char *start)
{
	size_t count = 0;

	for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		count += !strncmp(line, start, strlen(start));
	return count;
}

static void test_ktap(void)
{
	json_t *results = make_results();
	char *text = print_results("ktap", results);

	CU_ASSERT_EQUAL(strncmp(text, "KTAP version 1\n1..4\n", 20), 0);
	CU_ASSERT_EQUAL(count_lines(text, "ok 1 sample"), 1);
	CU_ASSERT_EQUAL(count_lines(text, "not ok 2 sample"), 1);
	CU_ASSERT_EQUAL(count_lines(text, "not ok 3 sample"), 1);
	CU_ASSERT_EQUAL(count_lines(text, "# FAIL: a <b> & \"c\" 'd' + e second line"), 1);
	CU_ASSERT_EQUAL(count_lines(text, "# BROKEN: a"), 1);
	CU_ASSERT_EQUAL(count_lines(text, "ok 4 sample # SKIP a"), 1);
	CU_ASSERT_EQUAL(count_lines(text, "    1..2"), 4);
	CU_ASSERT_EQUAL(count_lines(text, "    not ok 2 expect"), 2);
	/* A reason of two lines stays one: nothing else begins a line. */
	CU_ASSERT_EQUAL(count_lines(text, "second"), 0);
	json_decref(results);
	free(text);
}

/**
 * A minimal reader of XML, enough to say whether a document without comments and CDATA is well-formed.
 * @depth: of open elements, whose names are in @open
 */
struct xml {
	const char *next;
	char open[8][32];
	size_t depth;
	size_t elements;
};

static bool read_name(struct xml *xml, char *name, size_t size)
{
	size_t length = strcspn(xml->next, " \t\r\n/>=<&\"");

	snprintf(name, size, "%.*s", (int)length, xml->next);
	xml->next += length;
	return length && length < size;
}

/* Text up to @end: escapes only, and no character that XML 1.0 forbids. */
static bool read_text(struct xml *xml, char end)
{
	static const char *const escapes[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};

	for (; *xml->next && *xml->next != end; xml->next++) {
		bool known = *xml->next != '&';

		for (size_t i = 0; i < 5; i++)
			known |= !strncmp(xml->next, escapes[i], strlen(escapes[i]));
		if (!known || *xml->next == '<' ||
		    ((unsigned char)*xml->next < ' ' && !strchr("\t\r\n", *xml->next)))
			return false;
	}
	return true;
}

static bool read_attributes(struct xml *xml)
{
	char name[32];

	while (*xml->next == ' ') {
		xml->next++;
		if (!read_name(xml, name, sizeof(name)) || strncmp(xml->next, "=\"", 2) != 0)
			return false;
		xml->next += 2;
		if (!read_text(xml, '"') || *xml->next++ != '"')
			return false;
	}
	return true;
}

static bool read_tag(struct xml *xml)
{
	char name[32];

	if (*++xml->next == '/') {
		xml->next++;
		return read_name(xml, name, sizeof(name)) && *xml->next++ == '>' && xml->depth &&
		       !strcmp(name, xml->open[--xml->depth]);
	}
	if (!read_name(xml, name, sizeof(name)) || !read_attributes(xml))
		return false;
	xml->elements++;
	if (!strncmp(xml->next, "/>", 2)) {
		xml->next += 2;
		return true;
	}
	if (*xml->next++ != '>' || xml->depth == 8)
		return false;
	strcpy(xml->open[xml->depth++], name);
	return true;
}

static bool is_well_formed(const char *text, size_t *elements)
{
	struct xml xml = {.next = strstr(text, "?>")};

	if (strncmp(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", 39) != 0)
		return false;
	for (xml.next += 2; *xml.next;)
		if (!read_text(&xml, '<') || (*xml.next && !read_tag(&xml)))
			return false;
	*elements = xml.elements;
	return !xml.depth;
}

static void test_xml_reader(void)
{
	size_t elements;

	CU_ASSERT_TRUE(is_well_formed("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"&lt;\"><c/></a>\n",
				      &elements));
	CU_ASSERT_EQUAL(elements, 2);
	CU_ASSERT_FALSE(
		is_well_formed("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"<\"></a>", &elements));
	CU_ASSERT_FALSE(
		is_well_formed("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"&\"></a>", &elements));
	CU_ASSERT_FALSE(
		is_well_formed("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"\x01\"></a>", &elements));
	CU_ASSERT_FALSE(is_well_formed("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a></b>", &elements));
	CU_ASSERT_FALSE(is_well_formed("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>", &elements));
}

static void test_junit(void)
{
	json_t *results = make_results();
	char *text = print_results("junit", results);
	size_t elements = 0;

	CU_ASSERT_TRUE(is_well_formed(text, &elements));
	/* A suite, four cases, three outcomes. */
	CU_ASSERT_EQUAL(elements, 8);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<failure message=\"a &lt;b&gt; &amp; &quot;c&quot; 'd' # e"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<error message=\"a "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<skipped message=\"a "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "classname=\"6.1&lt;x&gt;\" name=\"sample\" time=\"2.500\""));
	json_decref(results);
	free(text);
}

static void test_pretty(void)
{
	json_t *results = make_results();
	char *text = print_results("pretty", results);

	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(count_lines(text, verdicts[i]), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "4 runs: 1 PASS, 1 FAIL, 1 BROKEN, 1 SKIP\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "(2.5 s wall, 250.0 s in the guest, 100 times as fast)"));
	/* No colours outside of a terminal, and nothing that steers one. */
	CU_ASSERT_PTR_NULL(strpbrk(text, "\033\x01\x7f"));
	CU_ASSERT_PTR_NULL(strstr(text, "\xc2\x9b"));
	CU_ASSERT_EQUAL(count_lines(text, "second"), 0);
	json_decref(results);
	free(text);
}

/* The result of a run for which nothing was started has next to no members. */
static void test_bare_result(void)
{
	static const char *const formats[] = {"json", "junit", "ktap", "pretty"};
	json_t *results = json_pack("[{s:s, s:s, s:s}]", "scenario", "sample", "verdict", "BROKEN", "reason",
				    "no QEMU");

	for (size_t i = 0; i < 4; i++) {
		char *text = print_results(formats[i], results);

		CU_ASSERT_PTR_NOT_NULL(strstr(text, "no QEMU"));
		free(text);
	}
	json_decref(results);
	CU_ASSERT_PTR_NULL(report_format_find("xml"));
}

static json_t *make_run(const char *scenario, const char *verdict, double report, double recovery)
{
	json_t *run = json_pack("{s:s, s:s}", "scenario", scenario, "verdict", verdict);

	if (report >= 0)
		json_object_set_new(run, "first_report_seconds", json_real(report));
	if (recovery >= 0)
		json_object_set_new(run, "recovery_seconds", json_real(recovery));
	return run;
}

/* The interval is that of Wilson's formula for 2 of 3. */
static void test_repeats(void)
{
	json_t *results = json_pack("[o, o, o, o, o, o]", make_run("a", "PASS", 7.5, 0.25),
				    make_run("once", "PASS", 1, 1), make_run("a", "PASS", 5.25, -1),
				    make_run("b", "PASS", -1, -1), make_run("a", "FAIL", 6, 0.5),
				    make_run("b", "SKIP", -1, -1));
	char *text = print_results("pretty", results);

	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "\na: 2 of 3 PASS, 21 to 94 % with 95 % confidence; first report 5.250 to "
			     "7.500 s after the fault; recovery 0.250 to 0.500 s after the release\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nb: 1 of 2 PASS, 9 to 91 % with 95 % confidence\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "\nonce: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n6 runs: 4 PASS, 1 FAIL, 0 BROKEN, 1 SKIP\n"));
	free(text);
	json_decref(results);
}

CU_TestInfo report_tests[] = {
	{"several runs of a scenario", test_repeats},
	{"json parses back", test_json},
	{"ktap", test_ktap},
	{"the test's own XML reader", test_xml_reader},
	{"junit is well-formed", test_junit},
	{"pretty", test_pretty},
	{"a result with next to nothing", test_bare_result},
	CU_TEST_INFO_NULL,
};
