// SPDX-License-Identifier: GPL-2.0-or-later
/* The time line of a run, from a folder as hanglab leaves it (lines captured from runs of ours, shortened).
 */
#include "report/time_line.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "program.h"
#include "report/page.h"
#include "report/report.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLAN "{\"scenario\": \"freeze\", \"stall\": \"5s\"}"

#define CHANNEL                                                                                              \
	"{\"clock_offset\":-4578640,\"type\":\"begin\",\"ns\":9823190905}\n"                                 \
	"K6,1,2,-;a line of the kernel's\n"                                                                  \
	"{\"step\":0,\"name\":\"writer\",\"state\":\"started\",\"type\":\"workload\",\"ns\":9827900765}\n"   \
	"{\"workloads\":[{\"name\":\"writer\",\"acknowledged\":6,\"in_flight\":0}],\"type\":\"heartbeat\","  \
	"\"ns\":10508597991}\n"                                                                              \
	"{\"step\":1,\"injector\":\"fsfreeze\",\"state\":\"injecting\",\"type\":\"injection\","              \
	"\"ns\":11823676541}\n"                                                                              \
	"{\"step\":1,\"injector\":\"fsfreeze\",\"state\":\"active\",\"evidence\":\"EBUSY\","                 \
	"\"type\":\"injection\",\"ns\":11886215784}\n"                                                       \
	"{\"workloads\":[{\"name\":\"writer\",\"acknowledged\":19,\"in_flight\":2560765178}],"               \
	"\"type\":\"heartbeat\",\"ns\":14512706289}\n"                                                       \
	"{\"workloads\":[{\"name\":\"writer\",\"acknowledged\":19,\"in_flight\":9560765178}],"               \
	"\"type\":\"heartbeat\",\"ns\":21512706289}\n"                                                       \
	"{\"step\":1,\"injector\":\"fsfreeze\",\"state\":\"releasing\",\"type\":\"injection\","              \
	"\"ns\":22000000000}\n"                                                                              \
	"{\"step\":1,\"injector\":\"fsfreeze\",\"state\":\"released\",\"evidence\":\"EINVAL\","              \
	"\"type\":\"injection\",\"ns\":22010000000}\n"                                                       \
	"{\"step\":0,\"name\":\"writer\",\"state\":\"resumed\",\"type\":\"recovery\",\"ns\":22100000000}\n"  \
	"{\"type\":\"end\",\"ns\":23000000000}\n"                                                            \
	"{\"type\":\"end\",\"ns\":9"

#define EVENTS                                                                                               \
	"{\"kind\":\"stalled\",\"time\":16.952504,\"title\":\"workload stalled\",\"comm\":\"writer\"}\n"     \
	"{\"kind\":\"soft_lockup\",\"time\":20.5,\"cpu\":1,\"seconds\":8.0,\"title\":\"soft lockup in "      \
	"f\"}\n"

#define JOURNAL                                                                                              \
	"{\"action\":\"injection\",\"ns\":11823676541}\n{\"action\":\"inject\",\"injector\":\"fsfreeze\"}\n"

#define RESULT "{\"scenario\":\"freeze\",\"verdict\":\"PASS\",\"reason\":\"</script><b>every check held\"}"

static char folder[] = "/tmp/hanglab-time-line-XXXXXX";

static void put(const char *name, const char *text)
{
	cleanup_free char *path = file_path("%s/%s", folder, name);

	CU_ASSERT_EQUAL(file_write(path, text, strlen(text), NULL), 0);
}

static void make_folder(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	put("plan.json", PLAN);
	put("channel.log", CHANNEL);
	put("events.jsonl", EVENTS);
	put("journal.jsonl", JOURNAL);
}

static json_t *load(void)
{
	struct hl_error err = HL_ERROR_INIT;
	json_t *run = NULL;

	if (time_line_load(folder, &run, &err))
		printf("\n    %s", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(run);
	return run;
}

static const json_t *lane(const json_t *run, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(run, "lanes"), i, one)
		if (!strcmp(result_text(one, "name"), name))
			return one;
	CU_FAIL("no such lane");
	return NULL;
}

static bool near(double left, double right)
{
	return fabs(left - right) < 0.001;
}

static void check_span(const json_t *lane, size_t index, const char *state, double from, double to)
{
	const json_t *span = json_array_get(json_object_get(lane, "spans"), index);

	CU_ASSERT_STRING_EQUAL(result_text(span, "state"), state);
	CU_ASSERT(near(result_number(span, "from"), from));
	CU_ASSERT(near(result_number(span, "to"), to));
}

static void test_lanes(void)
{
	json_t *run;
	const json_t *writer, *mark;

	make_folder();
	put("result.json", RESULT);
	run = load();
	CU_ASSERT(near(result_number(run, "from"), 9.823));
	CU_ASSERT(near(result_number(run, "to"), 23.0));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(run, "lanes")), 5);
	check_span(lane(run, "fsfreeze (step 2)"), 0, "injecting", 11.824, 11.886);
	check_span(lane(run, "fsfreeze (step 2)"), 1, "active", 11.886, 22.0);
	check_span(lane(run, "fsfreeze (step 2)"), 2, "releasing", 22.0, 22.01);
	writer = lane(run, "writer");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(writer, "spans")), 1);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(writer, "progress")), 3);
	check_span(writer, 0, "stalled", 11.952, 22.1);
	/* The detector's clock is not the guest's, and the CPU was stuck before it spoke. */
	check_span(lane(run, "CPU 1"), 0, "stuck", 12.495, 20.495);
	mark = json_array_get(json_object_get(lane(run, "kernel log"), "marks"), 0);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(mark, "event")), 1);
	mark = json_array_get(json_object_get(lane(run, "host"), "marks"), 0);
	CU_ASSERT_STRING_EQUAL(result_text(mark, "text"), "inject fsfreeze");
	CU_ASSERT(near(result_number(mark, "at"), 11.824));
	json_decref(run);
	file_remove_tree(folder, NULL);
}

static void test_cut_off(void)
{
	json_t *run;

	make_folder();
	run = load();
	CU_ASSERT_STRING_EQUAL(result_text(json_object_get(run, "result"), "verdict"), "BROKEN");
	CU_ASSERT_STRING_EQUAL(result_text(json_object_get(run, "result"), "scenario"), "freeze");
	json_decref(run);
	file_remove_tree(folder, NULL);
}

static void test_text(void)
{
	cleanup_free char *text = NULL;
	size_t size = 0;
	json_t *run;
	FILE *out;

	make_folder();
	put("result.json", RESULT);
	run = load();
	out = open_memstream(&text, &size);
	time_line_print(run, 60, out);
	fclose(out);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "PASS  freeze: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "11.952 s  writer: stalled for 10.148 s\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "22.010 s  fsfreeze (step 2): released: EINVAL\n"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, "workload", 8))
			CU_ASSERT_EQUAL(strlen(line), 60);
	json_decref(run);
	file_remove_tree(folder, NULL);
}

static void test_page(void)
{
	cleanup_free char *page = NULL, *path = NULL;
	struct program_result result;

	make_folder();
	put("result.json", RESULT);
	path = file_path("%s/page.html", folder);
	result = program_run((const char *const[]){"report", "-o", path, folder, NULL});
	CU_ASSERT_EQUAL(result.code, 0);
	program_free(&result);
	CU_ASSERT_EQUAL_FATAL(file_read(path, &page, NULL, NULL), 0);
	/* What a log says cannot end the script element. */
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "\\u003c\\/script>\\u003cb>every check held"));
	CU_ASSERT_PTR_NULL(strstr(page, "<b>every"));
	CU_ASSERT_PTR_NULL(strstr(page, "@RUNS@"));
	/* Nothing is fetched from anywhere. */
	CU_ASSERT_PTR_NULL(strstr(page, "src="));
	CU_ASSERT_PTR_NULL(strstr(page, "<link"));
	file_remove_tree(folder, NULL);
}

static void check_refused(const char *operand, const char *message)
{
	struct program_result result = program_run((const char *const[]){"report", "--text", operand, NULL});

	CU_ASSERT_EQUAL(result.code, 2);
	CU_ASSERT_STRING_EQUAL(result.output, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, message));
	program_free(&result);
}

static void test_no_run(void)
{
	check_refused("/nonexistent", "open the run /nonexistent: No such file or directory");
	check_refused("tests", "tests is no run folder: ");
	make_folder();
	put("plan.json", "{");
	check_refused(folder, "plan.json:1: ");
	file_remove_tree(folder, NULL);
}

CU_TestInfo time_line_tests[] = {
	{"lanes", test_lanes},	 {"a run that was cut off", test_cut_off},
	{"text", test_text},	 {"page", test_page},
	{"no run", test_no_run}, CU_TEST_INFO_NULL,
};
