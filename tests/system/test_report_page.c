// SPDX-License-Identifier: GPL-2.0-or-later
/* The report page of a real run in a real browser: headless Chromium, driven over WebDriver with curl. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <string.h>

#define SCENARIO     "scenarios/fsfreeze-timeout-20-panic.yaml"
#define LIMIT_MS     60000
#define DRIVER_TRIES 3
#define POLL_MS	     50
#define ELEMENT_ID   "element-6066-11e4-a52e-4f735466cecf" /* WebDriver, section 12.2 */

/** struct browser - chromedriver and its session */
struct browser {
	struct process driver;
	char *session, *log;
};

/* Chromium asks servers of its makers for updates unless it is told not to. */
#define CAPABILITIES                                                                                         \
	"{\"capabilities\": {\"alwaysMatch\": {\"goog:loggingPrefs\": {\"browser\": \"ALL\"}, "              \
	"\"goog:chromeOptions\": {\"args\": [\"--headless\", \"--no-sandbox\", \"--disable-gpu\", "          \
	"\"--disable-quic\", \"--no-first-run\", \"--disable-background-networking\", "                      \
	"\"--disable-component-update\", \"--disable-sync\", \"--window-size=1250,1500\", "                  \
	"\"--user-data-dir=%s/browser\"]}}}}"

/* The "value" of an answer; new reference, NULL after a failure. */
static json_t *request(const char *method, const char *url, const char *body)
{
	const char *const arguments[] = {
		"curl",	  "--silent",  "--max-time", "50",	 "--noproxy",
		"*",	  "--request", method,	     "--header", "Content-Type: application/json",
		"--data", body,	       url,	     NULL};
	cleanup_free char *answer = NULL;
	json_t *json, *value;

	if (process_run(arguments, LIMIT_MS, &answer, NULL))
		return NULL;
	json = json_loads(answer, 0, NULL);
	value = json_incref(json_object_get(json, "value"));
	json_decref(json);
	return value;
}

static json_t *in_session(const struct browser *browser, const char *command, const char *body)
{
	cleanup_free char *url = file_path("%s/%s", browser->session, command);

	return request("POST", url, body);
}

/* chromedriver takes a free port and says which one. */
static int announced_port(const char *log)
{
	cleanup_free char *text = NULL;
	const char *started =
		file_read(log, &text, NULL, NULL) ? NULL : strstr(text, "started successfully on port ");
	int port;

	return started && sscanf(started, "started successfully on port %d", &port) == 1 ? port : -1;
}

/* Return: its port, or -1 when it ended, or said none in time. */
static int start_driver(struct browser *browser)
{
	const char *const arguments[] = {"chromedriver", "--port=0", NULL};
	cleanup_fd int log = open(browser->log, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	struct process_files files = {-1, log, log, NULL, 0};
	int port = -1;

	CU_ASSERT_EQUAL_FATAL(process_start(&browser->driver, arguments, &files, NULL), 0);
	for (int waited = 0; port < 0 && waited < LIMIT_MS; waited += POLL_MS) {
		bool ended = !process_wait(&browser->driver, POLL_MS, NULL, NULL);

		port = announced_port(browser->log);
		if (ended)
			break;
	}
	if (port < 0)
		process_kill(&browser->driver);
	return port;
}

static void open_browser(struct browser *browser)
{
	cleanup_free char *capabilities = file_path(CAPABILITIES, runs_folder()), *url = NULL;
	json_t *value;
	int port = -1;

	browser->log = file_path("%s/chromedriver.log", runs_folder());
	/* It ends when the port that it found for IPv6 is taken for IPv4 by then. */
	for (int tries = 0; tries < DRIVER_TRIES && port < 0; tries++)
		port = start_driver(browser);
	CU_ASSERT_FATAL(port > 0);
	url = file_path("http://127.0.0.1:%d/session", port);
	value = request("POST", url, capabilities);
	browser->session = file_path("%s/%s", url, json_string_value(json_object_get(value, "sessionId")));
	CU_ASSERT_PTR_NOT_NULL_FATAL(json_object_get(value, "sessionId"));
	json_decref(value);
}

static void close_browser(struct browser *browser)
{
	if (browser->session)
		json_decref(request("DELETE", browser->session, ""));
	process_kill(&browser->driver);
	free(browser->session);
	free(browser->log);
}

/* What the script returns, as text; free() it. */
static char *evaluate(const struct browser *browser, const char *script)
{
	json_t *body = json_pack("{s:s, s:[]}", "script", script, "args"), *value;
	cleanup_free char *text = json_dumps(body, 0);
	char *result;

	value = in_session(browser, "execute/sync", text);
	result =
		json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);
	json_decref(value);
	json_decref(body);
	return result ? result : strdup("");
}

static void check_value(const struct browser *browser, const char *script, const char *expected)
{
	cleanup_free char *value = evaluate(browser, script);

	if (strcmp(value, expected) != 0)
		printf("\n    %s: %s", script, value);
	CU_ASSERT_STRING_EQUAL(value, expected);
}

static void click(const struct browser *browser, const char *selector)
{
	json_t *body = json_pack("{s:s, s:s}", "using", "css selector", "value", selector), *found;
	cleanup_free char *text = json_dumps(body, 0), *command = NULL;

	found = in_session(browser, "element", text);
	command = file_path("element/%s/click", json_string_value(json_object_get(found, ELEMENT_ID)));
	json_decref(in_session(browser, command, "{}"));
	json_decref(found);
	json_decref(body);
}

/* Errors and warnings of the page's own. */
static size_t complaints(const struct browser *browser)
{
	json_t *log = in_session(browser, "se/log", "{\"type\": \"browser\"}"), *entry;
	size_t i, count = 0;

	CU_ASSERT(json_is_array(log));
	json_array_foreach (log, i, entry) {
		printf("\n    %s", json_string_value(json_object_get(entry, "message")));
		count++;
	}
	json_decref(log);
	return count;
}

static void go_to(const struct browser *browser, const char *path)
{
	cleanup_free char *body = file_path("{\"url\": \"file://%s\"}", path);

	json_decref(in_session(browser, "url", body));
}

static void check_page(const struct browser *browser)
{
	check_value(browser, "return document.title", "PASS fsfreeze-timeout-20-panic");
	check_value(browser, "return document.querySelector('.badge').textContent", "PASS");
	check_value(browser, "return document.querySelectorAll('svg .span-stalled').length > 0", "true");
	check_value(browser, "return document.querySelectorAll('details[open]').length", "0");
	/* A click on an event in the time line opens its stack. */
	click(browser, "svg .mark.event[aria-label*='hung task']");
	check_value(browser, "return document.querySelector('details[open] summary').textContent.slice(0, 9)",
		    "hung task");
	check_value(browser,
		    "return document.querySelector('details[open] pre').textContent.includes('vfs_write')",
		    "true");
	/* Zoom by button, back by key. */
	check_value(browser,
		    "window.axis = () => [...document.querySelectorAll('svg .axis')].map(e => "
		    "e.textContent).join(); window.first = axis(); return typeof first",
		    "string");
	click(browser, "button[aria-label='zoom in']");
	check_value(browser, "return axis() !== first", "true");
	check_value(browser,
		    "document.querySelector('svg').focus(); document.activeElement.dispatchEvent(new "
		    "KeyboardEvent('keydown', {key: '0', bubbles: true})); return axis() === first",
		    "true");
	check_value(browser, "return document.querySelector('.now').textContent.length > 10", "true");
	CU_ASSERT_EQUAL(complaints(browser), 0);
}

static void page_in_browser(void)
{
	struct browser browser = {.driver = PROCESS_NONE};
	cleanup_free char *driver = process_find_program("chromedriver"), *page = NULL;
	struct outcome run, report;

	if (!driver) {
		printf("SKIP: chromedriver is not installed (make deps-test installs it) ");
		return;
	}
	HANGLAB(&run, "run", "--format", "json", SCENARIO);
	page = file_path("%s/report.html", text_in(&run, "folder"));
	HANGLAB(&report, "report", "-o", page, text_in(&run, "folder"));
	CU_ASSERT_EQUAL(report.exit_code, 0);
	open_browser(&browser);
	go_to(&browser, page);
	check_page(&browser);
	close_browser(&browser);
	outcome_free(&report);
	outcome_free(&run);
}

/* Two points of a sweep of ours, without what the page does not show. */
#define POINT(value, least, most, median, hold, satisfied, reason)                                           \
	"{\"settings\": {\"kernel.hung_task_timeout_secs\": \"" value "\"}, \"label\": "                     \
	"\"kernel.hung_task_timeout_secs=" value "\", \"earliest\": " least ", \"latest\": " most            \
	", \"held\": {\"runs\": 1, \"reported\": 1, \"panicked\": 0, \"reports\": 1, \"latency\": "          \
	"{\"min\": " median ", \"median\": " median ", \"max\": " median                                     \
	"}, \"recovery\": {\"min\": 0.02, \"median\": 0.02, "                                                \
	"\"max\": 0.02}}, \"holds\": [{\"runs\": 1, \"reported\": " hold                                     \
	", \"panicked\": 0, \"hold\": 29.7}], "                                                              \
	"\"load\": {\"seconds\": 5.0, \"alarms\": []}, \"wants\": [{\"want\": \"silent<30s\", "              \
	"\"held\": " satisfied ", \"reason\": \"" reason "\"}]}"

#define SWEEP                                                                                                \
	"{\"schema\": 1, \"form\": \"sweep\", \"scenario\": \"fsfreeze-hung-task\", \"kernel\": \"k\", "     \
	"\"event\": "                                                                                        \
	"\"hung_task\", \"repeat\": 1, \"settings\": [\"kernel.hung_task_timeout_secs\"], \"wants\": "       \
	"[\"silent<30s\"], \"points\": [" POINT(                                                             \
		"5", "5", "10", "8.4", "1", "false",                                                         \
		"one brought a report") ", " POINT("40", "40", "80", "51.3", "0", "true",                    \
						   "") "], \"runs\": [{\"point\": 0, \"kind\": \"held\", "   \
						       "\"repeat\": 0, \"verdict\": \"PASS\", \"folder\": "  \
						       "\"runs/x\", \"wall_seconds\": 1.2}], \"advice\": "   \
						       "{\"point\": \"kernel.hung_task_timeout_secs=40\", "  \
						       "\"satisfied\": true, \"rule\": \"soonest\", "        \
						       "\"misses\": []}}"

#define MATRIX                                                                                               \
	"{\"schema\": 1, \"form\": \"matrix\", \"cells\": [{\"scenario\": \"bug\", \"kernel\": \"old\", "    \
	"\"label\": \"old\", \"outcome\": \"seen\", \"worse\": false, \"seen\": 1}, {\"scenario\": "         \
	"\"bug\", "                                                                                          \
	"\"kernel\": \"new\", \"label\": \"new\", \"outcome\": \"clean\", \"worse\": false, \"clean\": "     \
	"1}], "                                                                                              \
	"\"results\": [{\"scenario\": \"bug\", \"kernel\": \"old\", \"signature\": \"seen\", \"verdict\": "  \
	"\"FAIL\"}, {\"scenario\": \"bug\", \"kernel\": \"new\", \"signature\": \"absent\", \"verdict\": "   \
	"\"PASS\", \"health\": {\"verdict\": \"PASS\"}}]}"

static void check_comparisons(const struct browser *browser)
{
	check_value(browser, "return document.querySelectorAll('section.sweep svg.plot circle').length", "6");
	check_value(browser,
		    "return document.querySelector('section.sweep .reason').textContent.slice(0, 12)",
		    "Recommended:");
	check_value(browser, "return document.querySelectorAll('section.sweep polyline.curve').length", "1");
	check_value(browser,
		    "return [...document.querySelectorAll('section.matrix .badge')].map(e => "
		    "e.textContent).join()",
		    "seen,clean,FAIL,PASS");
	click(browser, "section.sweep summary");
	check_value(browser, "return document.querySelector('section.sweep details[open] td').textContent",
		    "5");
	CU_ASSERT_EQUAL(complaints(browser), 0);
}

static void comparisons_in_browser(void)
{
	cleanup_free char *sweep = file_path("%s/sweep.json", runs_folder()),
			  *matrix = file_path("%s/matrix.json", runs_folder()),
			  *page = file_path("%s/comparisons.html", runs_folder()),
			  *driver = process_find_program("chromedriver");
	struct browser browser = {.driver = PROCESS_NONE};
	struct outcome report;

	CU_ASSERT_EQUAL_FATAL(file_write(sweep, SWEEP, strlen(SWEEP), NULL), 0);
	CU_ASSERT_EQUAL_FATAL(file_write(matrix, MATRIX, strlen(MATRIX), NULL), 0);
	HANGLAB(&report, "report", "--text", sweep, matrix);
	CU_ASSERT_EQUAL(report.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(report.output, "RECOMMENDED  kernel.hung_task_timeout_secs=40"));
	CU_ASSERT_PTR_NOT_NULL(strstr(report.output, "scenario  old   new\nbug       seen  clean"));
	outcome_free(&report);
	HANGLAB(&report, "report", "-o", page, sweep, matrix);
	CU_ASSERT_EQUAL(report.exit_code, 0);
	outcome_free(&report);
	if (!driver) {
		printf("SKIP: chromedriver is not installed (make deps-test installs it) ");
		return;
	}
	open_browser(&browser);
	go_to(&browser, page);
	check_comparisons(&browser);
	close_browser(&browser);
}

CU_TestInfo report_page_tests[] = {
	{"the page of a run in Chromium: clicks, keys, no complaints", page_in_browser},
	{"sweeps and matrices in Chromium: curves, tables, no complaints", comparisons_in_browser},
	CU_TEST_INFO_NULL,
};
