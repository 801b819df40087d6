// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/qmp.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <fiu-control.h>
#include <fiu.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

/*
 * A small QMP server in a child: it says the first line of its script at once, and each further one after
 * it got a command. A script line holds what is sent, which may be several messages; "%d" in it stands for
 * the command's id. After the last line it waits for the end of the connection, or ends it when the line
 * is "close".
 */
static pid_t server;
static char events[256];

/* What comes is waited for as long as a loaded machine takes, what does not come as long as it must. */
#define PATIENT_MS   60000
#define IMPATIENT_MS 150

static void send_text(int fd, const char *format, json_int_t id)
{
	char text[1024];
	size_t used = 0;

	for (const char *c = format; *c && used < sizeof(text) - 32; c++) {
		if (!strncmp(c, "%d", 2)) {
			used += (size_t)snprintf(text + used, 32, "%lld", (long long)id);
			c++;
		} else {
			text[used++] = *c == '\'' ? '"' : *c;
		}
	}
	(void)file_write_all(fd, text, used);
}

/* Return: the command's id, or -1 at the end. */
static json_int_t read_command(FILE *commands)
{
	char line[4096];
	json_t *command;
	json_int_t id;

	if (!fgets(line, sizeof(line), commands))
		return -1;
	command = json_loads(line, 0, NULL);
	if (!command || !json_is_string(json_object_get(command, "execute")))
		_exit(3);
	id = json_integer_value(json_object_get(command, "id"));
	json_decref(command);
	return id;
}

static void serve(int fd, const char *const *script)
{
	FILE *commands = fdopen(fd, "r");
	json_int_t id = 0;

	alarm(120);
	for (; *script && id >= 0; script++) {
		if (!strcmp(*script, "close"))
			_exit(0);
		send_text(fd, *script, id);
		id = read_command(commands);
	}
	while (id >= 0)
		id = read_command(commands);
	_exit(0);
}

static int start_server(const char *const *script)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	events[0] = '\0';
	server = fork();
	if (!server) {
		close(pair[0]);
		serve(pair[1], script);
	}
	close(pair[1]);
	return pair[0];
}

static void stop_server(void)
{
	int status = -1;

	CU_ASSERT_EQUAL(waitpid(server, &status, 0), server);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_FALSE(resources_has_children());
}

static void on_event(void *data, const char *name, const json_t *event)
{
	CU_ASSERT_PTR_EQUAL(data, events);
	CU_ASSERT_TRUE(json_is_object(event));
	strcat(strcat(events, name), " ");
}

static struct qmp *open_qmp(const char *const *script)
{
	struct hl_error err = HL_ERROR_INIT;
	struct qmp *qmp = NULL;

	if (qmp_open(&qmp, start_server(script), PATIENT_MS, on_event, events, &err))
		printf("\n    %s", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(qmp);
	return qmp;
}

#define GREETING "{'QMP': {'version': {}, 'capabilities': []}}\r\n"
#define DONE	 "{'return': {}, 'id': %d}\r\n"

static void test_answers(void)
{
	static const char *const script[] = {GREETING, DONE, "{'return': {'status': 'paused'}, 'id': %d}\r\n",
					     DONE, NULL};
	size_t before = resources_descriptors();
	struct qmp *qmp = open_qmp(script);
	json_t *answer = NULL;

	CU_ASSERT_EQUAL(qmp_execute(qmp, "query-status", NULL, &answer, NULL), 0);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(answer, "status")), "paused");
	json_decref(answer);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "stop", json_pack("{s:i}", "x", 1), NULL, NULL), 0);
	qmp_close(qmp);
	stop_server();
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static void test_refusal(void)
{
	static const char *const script[] = {
		GREETING, DONE, "{'error': {'class': 'GenericError', 'desc': 'no such thing'}, 'id': %d}\r\n",
		DONE, NULL};
	struct qmp *qmp = open_qmp(script);
	struct hl_error err = HL_ERROR_INIT;
	json_t *answer = NULL;

	CU_ASSERT_EQUAL(qmp_execute(qmp, "device_del", NULL, &answer, &err), -EREMOTEIO);
	CU_ASSERT_STRING_EQUAL(err.text, "QMP device_del was refused: no such thing");
	CU_ASSERT_PTR_NULL(answer);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "cont", NULL, NULL, &err), 0);
	qmp_close(qmp);
	stop_server();
}

/* Events may come at any time, also in the middle of an answer's bytes. */
static void test_events(void)
{
	static const char *const script[] = {
		GREETING "{'event': 'EARLY'}\r\n", DONE,
		"{'event': 'STOP'}\r\n{'return': {}, 'id': %d}\r\n{'event': 'RESUME'}\r\n", DONE, NULL};
	struct qmp *qmp = open_qmp(script);
	struct pollfd watched = {.fd = qmp_fd(qmp), .events = POLLIN};

	CU_ASSERT_STRING_EQUAL(events, "EARLY ");
	CU_ASSERT_EQUAL(qmp_execute(qmp, "stop", NULL, NULL, NULL), 0);
	CU_ASSERT_EQUAL(strncmp(events, "EARLY STOP ", 11), 0);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "cont", NULL, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(events, "EARLY STOP RESUME ");
	CU_ASSERT_EQUAL(qmp_dispatch(qmp, NULL), 0);
	CU_ASSERT_EQUAL(poll(&watched, 1, 0), 0);
	qmp_close(qmp);
	stop_server();
}

/* What came with an answer must wake a loop all the same: nothing more of it is in the socket. */
static void test_wakes(void)
{
	static const char *const script[] = {
		GREETING, DONE, "{'event': 'GUEST_PANICKED'}\r\n{'return': {}, 'id': %d}\r\n", DONE, NULL};
	struct qmp *qmp = open_qmp(script);
	struct pollfd watched = {.fd = qmp_fd(qmp), .events = POLLIN};

	CU_ASSERT_EQUAL(poll(&watched, 1, 0), 0);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "query-status", NULL, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(events, "GUEST_PANICKED ");
	CU_ASSERT_EQUAL(poll(&watched, 1, 0), 1);
	CU_ASSERT_EQUAL(qmp_dispatch(qmp, NULL), 0);
	CU_ASSERT_STRING_EQUAL(events, "GUEST_PANICKED ");
	CU_ASSERT_EQUAL(poll(&watched, 1, 0), 0);
	/* An answer alone wakes nobody. */
	CU_ASSERT_EQUAL(qmp_execute(qmp, "cont", NULL, NULL, NULL), 0);
	CU_ASSERT_EQUAL(poll(&watched, 1, 0), 0);
	qmp_close(qmp);
	stop_server();
}

static void test_dispatch(void)
{
	static const char *const script[] = {GREETING, DONE, DONE "{'event': 'A'}\r\n{'event': 'B'}\r\n",
					     "close", NULL};
	struct qmp *qmp = open_qmp(script);
	struct pollfd watched = {.fd = qmp_fd(qmp), .events = POLLIN};
	struct hl_error err = HL_ERROR_INIT;
	int r = 0;

	CU_ASSERT_EQUAL(qmp_execute(qmp, "x", NULL, NULL, NULL), 0);
	for (int i = 0; i < 100 && strcmp(events, "A B ") != 0; i++) {
		if (qmp_dispatch(qmp, &err))
			break;
		poll(&watched, 1, 100);
	}
	CU_ASSERT_STRING_EQUAL(events, "A B ");
	/* The next command makes the server end. */
	CU_ASSERT_EQUAL(qmp_execute(qmp, "quit", NULL, NULL, &err), -EPIPE);
	r = qmp_dispatch(qmp, &err);
	CU_ASSERT_EQUAL(r, -EPIPE);
	CU_ASSERT_STRING_EQUAL(err.text, "QEMU closed the QMP connection");
	qmp_close(qmp);
	stop_server();
}

/* The answer to a command that timed out comes with the next one: it must not be taken for its answer. */
static void test_timeout(void)
{
	static const char *const script[] = {
		GREETING, DONE, "",
		"{'return': {'late': true}, 'id': 2}\r\n{'return': {'late': false}, 'id': %d}\r\n", NULL};
	struct qmp *qmp = open_qmp(script);
	struct hl_error err = HL_ERROR_INIT;
	json_t *answer = NULL;

	qmp_set_timeout(qmp, IMPATIENT_MS);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "slow", NULL, &answer, &err), -ETIMEDOUT);
	CU_ASSERT_STRING_EQUAL(err.text, "QMP slow: QEMU has not answered within 150 ms");
	CU_ASSERT_PTR_NULL(answer);
	qmp_set_timeout(qmp, PATIENT_MS);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "fast", NULL, &answer, &err), 0);
	CU_ASSERT_TRUE(json_is_false(json_object_get(answer, "late")));
	json_decref(answer);
	qmp_close(qmp);
	stop_server();
}

static void check_failed_open(const char *const *script, int code, const char *message)
{
	int timeout_ms = code == -ETIMEDOUT ? IMPATIENT_MS : PATIENT_MS;
	size_t before = resources_descriptors();
	struct hl_error err = HL_ERROR_INIT;
	struct qmp *qmp = NULL;

	CU_ASSERT_EQUAL(qmp_open(&qmp, start_server(script), timeout_ms, on_event, events, &err), code);
	CU_ASSERT_PTR_NULL(qmp);
	CU_ASSERT_STRING_EQUAL(err.text, message);
	stop_server();
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static void test_failed_open(void)
{
	check_failed_open((const char *const[]){"close", NULL}, -EPIPE, "QEMU closed the QMP connection");
	check_failed_open((const char *const[]){"", NULL}, -ETIMEDOUT, "QEMU has not answered within 150 ms");
	check_failed_open((const char *const[]){"SSH-2.0-OpenSSH\r\n", NULL}, -EPROTO,
			  "QEMU did not greet as QMP does");
	check_failed_open((const char *const[]){GREETING, "close", NULL}, -EPIPE,
			  "QMP qmp_capabilities: QEMU closed the QMP connection");
	check_failed_open((const char *const[]){GREETING, "{'error': {'desc': 'no'}, 'id': %d}\r\n", NULL},
			  -EREMOTEIO, "QMP qmp_capabilities was refused: no");
}

static void test_half_message(void)
{
	static const char *const script[] = {GREETING, DONE, "{'pad': '", NULL};
	struct qmp *qmp = open_qmp(script);
	struct hl_error err = HL_ERROR_INIT;

	/* Half a message is no message. */
	qmp_set_timeout(qmp, IMPATIENT_MS);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "half", NULL, NULL, &err), -ETIMEDOUT);
	qmp_close(qmp);
	stop_server();
}

static void test_failure_points(void)
{
	static const char *const script[] = {GREETING, DONE, DONE, DONE, DONE, NULL};
	struct qmp *qmp = open_qmp(script);
	struct hl_error err = HL_ERROR_INIT;

	fiu_init(0);
	CU_ASSERT_EQUAL_FATAL(fiu_enable("qmp/send", 1, NULL, FIU_ONETIME), 0);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "stop", json_object(), NULL, &err), -EPIPE);
	CU_ASSERT_STRING_EQUAL(err.text, "QMP stop: QEMU closed the QMP connection");
	CU_ASSERT_EQUAL_FATAL(fiu_enable("qmp/receive", 1, NULL, FIU_ONETIME), 0);
	CU_ASSERT_EQUAL(qmp_execute(qmp, "stop", NULL, NULL, &err), -EPIPE);
	CU_ASSERT_STRING_EQUAL(err.text, "QMP stop: QEMU closed the QMP connection");
	CU_ASSERT_EQUAL(qmp_execute(qmp, "cont", NULL, NULL, &err), 0);
	qmp_close(qmp);
	stop_server();
	fiu_disable("qmp/send");
	fiu_disable("qmp/receive");
}

CU_TestInfo qmp_tests[] = {
	{"answers", test_answers},
	{"a command is refused", test_refusal},
	{"events between", test_events},
	{"events that came with an answer wake", test_wakes},
	{"events while nothing is asked", test_dispatch},
	{"a late answer is nobody else's", test_timeout},
	{"connections that fail", test_failed_open},
	{"half a message", test_half_message},
	{"failure points qmp/send and qmp/receive", test_failure_points},
	CU_TEST_INFO_NULL,
};
