// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/qtest.h"

#include "base/file.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A qtest server in a child: it reads a command, compares it, and sends its answer. What
 * follows a '|' is sent once everything before it was read; no answer at all: it only waits; "close": it
 * ends.
 */
struct exchange {
	const char *command, *answer;
};

static pid_t server;

/* What comes is waited for as long as a loaded machine takes. */
#define PATIENT_MS 60000

static void await_read(int fd)
{
	int unread = 1;

	while (!ioctl(fd, SIOCOUTQ, &unread) && unread)
		poll(NULL, 0, 1);
}

static void send_answer(int fd, const char *answer)
{
	while (*answer) {
		size_t length = strcspn(answer, "|");

		(void)file_write_all(fd, answer, length);
		answer += length;
		if (*answer == '|') {
			await_read(fd);
			answer++;
		}
	}
}

static void serve(int fd, const struct exchange *script)
{
	FILE *commands = fdopen(fd, "r");
	char line[65536];

	alarm(120);
	/* The client may have given up. */
	signal(SIGPIPE, SIG_IGN);
	for (; script->command; script++) {
		if (!fgets(line, sizeof(line), commands))
			_exit(1);
		if (strcmp(line, script->command) != 0)
			_exit(2);
		if (!strcmp(script->answer, "close"))
			_exit(0);
		send_answer(fd, script->answer);
	}
	_exit(fgets(line, sizeof(line), commands) ? 3 : 0);
}

static struct qtest *start(const struct exchange *script, int timeout_ms)
{
	struct qtest *qtest = NULL;
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	server = fork();
	if (!server) {
		close(pair[0]);
		serve(pair[1], script);
	}
	close(pair[1]);
	CU_ASSERT_EQUAL_FATAL(qtest_open(&qtest, pair[0], timeout_ms, NULL), 0);
	return qtest;
}

static void stop(struct qtest *qtest)
{
	int status = -1;

	qtest_close(qtest);
	CU_ASSERT_EQUAL(waitpid(server, &status, 0), server);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_FALSE(resources_has_children());
}

static void test_bytes(void)
{
	static const struct exchange script[] = {
		{"read 0x1fffe000 0x4\n", "OK 0x00ff10Ab\n"},
		{"write 0x1fffe000 0x3 0x0102ff\n", "OK\n"},
		{"read 0xffffffff00000000 0x1\n", "O|K 0x|7f|\n"},
		{"read 0x10 0x2\n", "IRQ raise 3\nIRQ lower 3\nOK 0x1234\n"},
		{"read 0x20 0x1\n", "OK 0x55\n"},
		{NULL, NULL},
	};
	size_t before = resources_descriptors();
	struct qtest *qtest = start(script, PATIENT_MS);
	uint8_t bytes[4] = {0};

	CU_ASSERT_EQUAL(qtest_read(qtest, 0x1fffe000, bytes, 4, NULL), 0);
	CU_ASSERT_EQUAL(memcmp(bytes, "\x00\xff\x10\xab", 4), 0);
	CU_ASSERT_EQUAL(qtest_write(qtest, 0x1fffe000, "\x01\x02\xff", 3, NULL), 0);
	CU_ASSERT_EQUAL(qtest_read(qtest, 0xffffffff00000000, bytes, 1, NULL), 0);
	CU_ASSERT_EQUAL(bytes[0], 0x7f);
	CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, bytes, 2, NULL), 0);
	CU_ASSERT_EQUAL(qtest_read(qtest, 0x20, bytes, 1, NULL), 0);
	CU_ASSERT_EQUAL(bytes[0], 0x55);
	stop(qtest);
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static void test_largest(void)
{
	char command[2 * QTEST_LARGEST + 64], answer[2 * QTEST_LARGEST + 64];
	struct exchange script[] = {{command, "OK\n"}, {"read 0x0 0x1000\n", answer}, {NULL, NULL}};
	static uint8_t sent[QTEST_LARGEST + 1], got[QTEST_LARGEST];
	struct hl_error err = HL_ERROR_INIT;
	struct qtest *qtest;
	int used = sprintf(command, "write 0x0 0x1000 0x");

	for (size_t i = 0; i < QTEST_LARGEST; i++) {
		sent[i] = (uint8_t)(i * 7);
		used += sprintf(command + used, "%02x", sent[i]);
	}
	strcat(command, "\n");
	sprintf(answer, "OK %s", strrchr(command, ' ') + 1);
	qtest = start(script, PATIENT_MS);
	CU_ASSERT_EQUAL(qtest_write(qtest, 0, sent, QTEST_LARGEST, NULL), 0);
	CU_ASSERT_EQUAL(qtest_read(qtest, 0, got, QTEST_LARGEST, NULL), 0);
	CU_ASSERT_EQUAL(memcmp(sent, got, QTEST_LARGEST), 0);
	/* Refused without a word to QEMU. */
	CU_ASSERT_EQUAL(qtest_write(qtest, 0, sent, QTEST_LARGEST + 1, &err), -EMSGSIZE);
	CU_ASSERT_EQUAL(qtest_read(qtest, 0, got, 0, NULL), -EMSGSIZE);
	stop(qtest);
}

/* A refusal is an answer: the next call works. */
static void test_refusal(void)
{
	static const struct exchange script[] = {
		{"read 0x10 0x1\n", "FAIL Unknown command 'read'\n"},
		{"read 0x10 0x1\n", "OK 0x01\n"},
		{NULL, NULL},
	};
	struct qtest *qtest = start(script, PATIENT_MS);
	struct hl_error err = HL_ERROR_INIT;
	uint8_t byte;

	CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, &byte, 1, &err), -EREMOTEIO);
	CU_ASSERT_STRING_EQUAL(err.text, "read 0x10: qtest refused: FAIL Unknown command 'read'");
	CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, &byte, 1, NULL), 0);
	stop(qtest);
}

/* What is no answer to a read of two bytes. None is taken for one, and nothing is believed afterwards. */
static void test_nonsense(void)
{
	static char endless[20000];
	const char *const answers[] = {
		"OK\n",		"OK 0x12\n",	   "OK 0x123456\n", "OK 0x12g4\n",
		"OK 1234\n",	"OK 0x 234\n",	   "OKAY 0x1234\n", "ok 0x1234\n",
		"\n",		"IRQ raise 1\n\n", "0K 0x1234\n",   "OK  0x1234\n",
		"OK 0x1234 \n", "OK 0x1234\r\n",   "\x80\xff\n",    "OK 0x-1-2\n",
		endless,
	};

	memset(endless, 'O', sizeof(endless) - 1);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct exchange script[] = {{"read 0x10 0x2\n", answers[i]}, {NULL, NULL}};
		struct qtest *qtest = start(script, PATIENT_MS);
		struct hl_error err = HL_ERROR_INIT;
		uint8_t bytes[2] = {0xee, 0xee};

		CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, bytes, 2, &err), -EPROTO);
		CU_ASSERT_EQUAL(bytes[0], 0xee);
		CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, bytes, 2, &err), -EPIPE);
		stop(qtest);
	}
}

/* A late answer must not be taken for that of the next call. */
static void test_timeout(void)
{
	static const struct exchange script[] = {{"read 0x10 0x1\n", ""}, {NULL, NULL}};
	static const struct exchange slow[] = {{"read 0x10 0x1\n", "IRQ raise 1\n|OK 0x"}, {NULL, NULL}};
	struct hl_error err = HL_ERROR_INIT;
	struct qtest *qtest = start(script, 100);
	uint8_t byte;

	CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, &byte, 1, &err), -ETIMEDOUT);
	CU_ASSERT_STRING_EQUAL(err.text, "read 0x10: qtest has not answered within 100 ms");
	CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, &byte, 1, &err), -EPIPE);
	stop(qtest);
	qtest = start(slow, 100);
	CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, &byte, 1, &err), -ETIMEDOUT);
	stop(qtest);
}

static void test_end(void)
{
	static const struct exchange script[] = {{"read 0x10 0x1\n", "close"}, {NULL, NULL}};
	struct hl_error err = HL_ERROR_INIT;
	struct qtest *qtest = start(script, PATIENT_MS);
	uint8_t byte;

	CU_ASSERT_EQUAL(qtest_read(qtest, 0x10, &byte, 1, &err), -EPIPE);
	CU_ASSERT_STRING_EQUAL(err.text, "read 0x10: QEMU closed the qtest connection");
	CU_ASSERT_EQUAL(qtest_write(qtest, 0x10, "", 1, &err), -EPIPE);
	stop(qtest);
	qtest_close(NULL);
}

CU_TestInfo qtest_tests[] = {
	{"reads and writes", test_bytes},
	{"the most bytes of a call", test_largest},
	{"a refusal", test_refusal},
	{"nonsense", test_nonsense},
	{"no answer, half an answer", test_timeout},
	{"QEMU ends", test_end},
	CU_TEST_INFO_NULL,
};
