// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/gdb.h"

#include "base/file.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

/*
 * A gdb stub in a child that works byte by byte: each line of its script is what it sends, as it stands,
 * after a command or a "-" of the client. "$TEXT" without a checksum gets the right one. After the last line
 * it waits for the end of the connection, or ends it when the line is "close". What it was told it says
 * through a pipe.
 */
static pid_t stub;
static int heard;

/* What comes is waited for as long as a loaded machine takes, what does not come as long as it must. */
#define LIMIT_MS     60000
#define IMPATIENT_MS 200

static void say(int fd, const char *text)
{
	unsigned int sum = 0;
	char bytes[8192];
	size_t size = strlen(text);

	if (text[0] == '$' && !strchr(text, '#')) {
		for (const char *c = text + 1; *c; c++)
			sum += (unsigned char)*c;
		size = (size_t)snprintf(bytes, sizeof(bytes), "+%s#%02x", text, sum & 0xff);
		text = bytes;
	}
	(void)file_write_all(fd, text, size);
}

/* Until a command or a "-" is complete. Return: false at the end. */
static bool hear(int fd, int report)
{
	int checksum_digits = -1;
	char byte;

	while (read(fd, &byte, 1) == 1) {
		(void)!write(report, &byte, 1);
		if (byte == '#')
			checksum_digits = 0;
		else if (byte == '-' || (checksum_digits >= 0 && ++checksum_digits == 2))
			return true;
	}
	return false;
}

static void serve(int fd, int report, const char *const *script)
{
	alarm(120);
	for (; *script && hear(fd, report); script++) {
		if (!strcmp(*script, "close"))
			_exit(0);
		say(fd, *script);
	}
	while (hear(fd, report))
		;
	_exit(0);
}

static int start_stub(const char *const *script)
{
	int pair[2], report[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(report), 0);
	stub = fork();
	if (!stub) {
		close(pair[0]);
		close(report[0]);
		serve(pair[1], report[1], script);
	}
	close(pair[1]);
	close(report[1]);
	heard = report[0];
	return pair[0];
}

/* The stub has ended well; @all, when not NULL, is everything that it was told. */
static void stop_stub(const char *all)
{
	char text[4096];
	size_t size = 0;
	ssize_t got;
	int status = -1;

	while ((got = read(heard, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)got;
	text[size] = '\0';
	close(heard);
	CU_ASSERT_EQUAL(waitpid(stub, &status, 0), stub);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_FALSE(resources_has_children());
	if (all)
		CU_ASSERT_STRING_EQUAL(text, all);
}

#define SUPPORTED "$PacketSize=1000;qXfer:features:read+;vContSupported+;multiprocess+"
#define STOPPED	  "$T05thread:p01.01;"
#define HELLO	  "$qSupported:multiprocess+#c6+$?#3f+"

static struct gdb *open_gdb(const char *const *script)
{
	struct hl_error err = HL_ERROR_INIT;
	struct gdb *gdb = NULL;

	if (gdb_open(&gdb, start_stub(script), LIMIT_MS, &err))
		printf("\n    %s", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(gdb);
	return gdb;
}

/* All vCPUs but two go on; then something stops the VM, which the stub reports. */
static void test_continue(void)
{
	struct gdb *gdb = open_gdb((const char *const[]){SUPPORTED, STOPPED, "+$T02thread:p01.03;#05", NULL});
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(gdb_await_stop(gdb, &err), 0);
	CU_ASSERT_EQUAL(gdb_continue(gdb, 12, 0x802, &err), 0);
	CU_ASSERT_EQUAL(gdb_await_stop(gdb, &err), 0);
	CU_ASSERT_EQUAL(gdb_await_stop(gdb, &err), 0);
	gdb_close(gdb);
	stop_stub(HELLO "$vCont;c:p1.1;c:p1.3;c:p1.4;c:p1.5;c:p1.6;c:p1.7;c:p1.8;c:p1.9;c:p1.a;c:p1.b#fe+");
}

/* rax to r15 are 1 to 16, rip is 0xffffffff81234567; eflags and the rest do not matter. */
#define REGISTERS                                                                                            \
	"$"                                                                                                  \
	"0100000000000000020000000000000003000000000000000400000000000000"                                   \
	"0500000000000000060000000000000007000000000000000800000000000000"                                   \
	"09000000000000000a000000000000000b000000000000000c00000000000000"                                   \
	"0d000000000000000e000000000000000f000000000000001000000000000000"                                   \
	"67452381FFffffff46020000"

static void test_registers(void)
{
	struct gdb *gdb = open_gdb((const char *const[]){SUPPORTED, STOPPED, "$OK", REGISTERS, NULL});
	struct hl_error err = HL_ERROR_INIT;
	struct vcpu_registers registers;

	CU_ASSERT_EQUAL(gdb_read_registers(gdb, 11, &registers, &err), 0);
	for (size_t i = 0; i < VCPU_GENERAL_REGISTERS; i++)
		CU_ASSERT_EQUAL(registers.general[i], i + 1);
	CU_ASSERT_EQUAL(registers.rip, 0xffffffff81234567);
	gdb_close(gdb);
	stop_stub(HELLO "$Hgp1.c#e1+$g#67+");
}

/* A damaged packet is asked for again; noise before a packet does not matter. */
static void test_repeated(void)
{
	const char *const script[] = {SUPPORTED,      STOPPED,	 "+$OK#00", "$OK#9a",
				      "noise+$OK#zz", REGISTERS, NULL};
	struct gdb *gdb = open_gdb(script);
	struct hl_error err = HL_ERROR_INIT;
	struct vcpu_registers registers;

	CU_ASSERT_EQUAL(gdb_read_registers(gdb, 0, &registers, &err), 0);
	gdb_close(gdb);
	stop_stub(HELLO "$Hgp1.1#af-+$g#67-+");
}

static char endless[2 * 4096 + 64];

/* Answers to the first command of gdb_open(), or to the registers when @registers. */
static const struct {
	const char *const *script;
	int code;
	const char *message;
} refused[] = {
	{(const char *const[]){"close", NULL}, -EPIPE, "QEMU closed the connection of its gdb stub"},
	{(const char *const[]){"+$OK#", "close", NULL}, -ETIMEDOUT, "has not answered within 200 ms"},
	{(const char *const[]){"+$half", NULL}, -ETIMEDOUT, "has not answered within 200 ms"},
	{(const char *const[]){endless, NULL}, -EPROTO, "a packet without an end"},
	{(const char *const[]){"$#00", NULL}, -EREMOTEIO, "it does not know it"},
	{(const char *const[]){"$PacketSize=1000", NULL}, -EPROTO, "the gdb stub knows no vCPUs"},
	{(const char *const[]){SUPPORTED, "$OK", NULL}, -EPROTO, "does not say why the VM stands still"},
	{(const char *const[]){"$x#00", "$x#00", "$x#00", "$x#00", NULL}, -EPROTO, "sends damaged packets"},
};

static void test_refused(void)
{
	memset(endless, 'x', sizeof(endless) - 1);
	endless[0] = '$';
	endless[sizeof(endless) - 2] = '#';
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct hl_error err = HL_ERROR_INIT;
		struct gdb *gdb = NULL;
		int limit_ms = refused[i].code == -ETIMEDOUT ? IMPATIENT_MS : LIMIT_MS;

		CU_ASSERT_EQUAL(gdb_open(&gdb, start_stub(refused[i].script), limit_ms, &err),
				refused[i].code);
		CU_ASSERT_PTR_NULL(gdb);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, refused[i].message));
		if (!strstr(err.text, refused[i].message))
			printf("\n    %zu: %s", i, err.text);
		stop_stub(NULL);
	}
}

static void test_bad_registers(void)
{
	static const struct {
		const char *answer;
		int code;
	} bad[] = {
		{"$E14", -EREMOTEIO},
		{"$0100", -EPROTO},
		{"$xx00000000000000", -EPROTO},
		{"$OK", -EPROTO},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct gdb *gdb =
			open_gdb((const char *const[]){SUPPORTED, STOPPED, "$OK", bad[i].answer, NULL});
		struct vcpu_registers registers = {.rip = 7};
		struct hl_error err = HL_ERROR_INIT;

		CU_ASSERT_EQUAL(gdb_read_registers(gdb, 0, &registers, &err), bad[i].code);
		CU_ASSERT_EQUAL(registers.rip, 7);
		gdb_close(gdb);
		stop_stub(NULL);
	}
}

/* The limit holds for every call: as short as one can be in which the connection is made. */
static struct gdb *open_impatient(const char *const *script)
{
	struct gdb *gdb = NULL;

	for (int limit_ms = IMPATIENT_MS; limit_ms < LIMIT_MS; limit_ms *= 2) {
		if (!gdb_open(&gdb, start_stub(script), limit_ms, NULL))
			break;
		stop_stub(NULL);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(gdb);
	return gdb;
}

/* The VM goes on and nothing stops it; or what comes is no report of a stop. */
static void test_no_stop(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct gdb *gdb = open_impatient((const char *const[]){SUPPORTED, STOPPED, "+", NULL});

	CU_ASSERT_EQUAL(gdb_continue(gdb, 2, 2, &err), 0);
	CU_ASSERT_EQUAL(gdb_await_stop(gdb, &err), -ETIMEDOUT);
	gdb_close(gdb);
	stop_stub(NULL);
	gdb = open_gdb((const char *const[]){SUPPORTED, STOPPED, "$Ofoo", NULL});
	CU_ASSERT_EQUAL(gdb_continue(gdb, 2, 2, &err), 0);
	CU_ASSERT_EQUAL(gdb_await_stop(gdb, &err), -EPROTO);
	gdb_close(gdb);
	stop_stub(NULL);
}

CU_TestInfo gdb_tests[] = {
	{"some vCPUs go on", test_continue},
	{"registers", test_registers},
	{"damaged packets are asked for again", test_repeated},
	{"no stub, half an answer, no end", test_refused},
	{"answers that are no registers", test_bad_registers},
	{"no stop", test_no_stop},
	CU_TEST_INFO_NULL,
};
