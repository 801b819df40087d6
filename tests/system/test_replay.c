// SPDX-License-Identifier: GPL-2.0-or-later
/* A run can be repeated from its folder, to the byte, and a difference is named. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "vm/gdb.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCENARIO                                                                                             \
	"scenario: replay\n"                                                                                 \
	"disks: [{name: data, size: 64M, fs: ext4, mount: /data}]\n"                                         \
	"sysctl: {kernel.hung_task_timeout_secs: 10}\n"                                                      \
	"timeline:\n"                                                                                        \
	"  - {start: writer, with: {dir: /data}}\n"                                                          \
	"  - {at: 2s, inject: fsfreeze, with: {mount: /data}, until: {event: hung_task, hold: 1s}}\n"        \
	"checks: [{expect: hung_task, comm: writer}]\n"

/* Runs the scenario. Return: its folder, newly allocated. */
static char *run_once(void)
{
	cleanup_free char *path = file_path("%s/replay.yaml", runs_folder());
	struct outcome outcome;
	char *folder;

	CU_ASSERT_EQUAL_FATAL(file_write(path, SCENARIO, strlen(SCENARIO), NULL), 0);
	HANGLAB(&outcome, "run", "--format", "json", "--seed", "5", "--sysctl", "kernel.hung_task_warnings=7",
		path);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	folder = strdup(text_in(&outcome, "folder"));
	outcome_free(&outcome);
	return folder;
}

static void change_seed(const char *folder)
{
	cleanup_free char *path = file_path("%s/plan.json", folder), *text = NULL;
	char *seed;

	CU_ASSERT_EQUAL_FATAL(file_read(path, &text, NULL, NULL), 0);
	seed = strstr(text, "\"seed\": \"5\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(seed);
	seed[strlen("\"seed\": \"")] = '6';
	CU_ASSERT_EQUAL(file_write(path, text, strlen(text), NULL), 0);
}

static void check_json(const char *folder)
{
	struct outcome outcome;
	json_t *answer;

	HANGLAB(&outcome, "replay", "--format", "json", "--out", runs_folder(), folder);
	answer = json_loads(outcome.output, 0, NULL);
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	CU_ASSERT_TRUE(json_is_false(json_object_get(answer, "equal")));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		json_string_value(json_object_get(json_object_get(answer, "difference"), "where")), ".log"));
	json_decref(answer);
	outcome_free(&outcome);
}

static void equal_until_changed(void)
{
	cleanup_free char *folder = run_once();
	struct outcome outcome;

	HANGLAB(&outcome, "replay", "--out", runs_folder(), folder);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "EQUAL to the byte: console.log, "));
	outcome_free(&outcome);
	change_seed(folder);
	HANGLAB(&outcome, "replay", "--out", runs_folder(), folder);
	CU_ASSERT_EQUAL(outcome.exit_code, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "DIFFERS: line "));
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "\n  then  "));
	outcome_free(&outcome);
	check_json(folder);
}

static void no_run_folder(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "replay", "scenarios");
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.errors, "is no run folder"));
	outcome_free(&outcome);
}

/* Waits for "target remote PATH" in what the command prints. Return: PATH, newly allocated, or NULL. */
static char *await_socket(const char *log)
{
	for (int waited = 0; waited < 120000; waited += 100) {
		cleanup_free char *text = NULL;
		const char *said = file_read(log, &text, NULL, NULL) ? NULL : strstr(text, "target remote ");
		const char *end = said ? strchr(said, '\'') : NULL;

		if (end)
			return strndup(said + strlen("target remote "),
				       (size_t)(end - said) - strlen("target remote "));
		poll(NULL, 0, 100);
	}
	return NULL;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)) ? fd : -1;
}

/* The last guest time in what the guest said, in seconds. */
static double last_time(const char *folder)
{
	cleanup_free char *path = file_path("%s/events.jsonl", folder), *text = NULL;
	const char *event;

	CU_ASSERT_EQUAL_FATAL(file_read(path, &text, NULL, NULL), 0);
	event = strstr(text, "\"hung_task\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(event);
	event = strstr(event, "\"time\":");
	return event ? strtod(event + strlen("\"time\":"), NULL) : 0;
}

/* The guest stands still, in the kernel, after it has reported the hung task. */
static void check_stub(const char *socket_path)
{
	cleanup_free char *copy = strdup(socket_path), *folder = strdup(dirname(copy));
	struct vcpu_registers registers = {{0}, 0};
	struct hl_error err = HL_ERROR_INIT;
	struct gdb *gdb = NULL;
	int fd = connect_to(socket_path);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(gdb_open(&gdb, fd, 10000, &err), 0);
	CU_ASSERT_EQUAL(gdb_read_registers(gdb, 0, &registers, &err), 0);
	CU_ASSERT_NOT_EQUAL(registers.rip, 0);
	CU_ASSERT_TRUE(last_time(folder) > 10);
	gdb_close(gdb);
}

static void stops_for_gdb(void)
{
	cleanup_free char *folder = run_once(), *log = file_path("%s/gdb.log", runs_folder());
	const char *const arguments[] = {program(), "replay", "--gdb", "--out", runs_folder(), folder, NULL};
	struct process_files files = {-1, -1, -1, NULL, 0};
	struct process process = PROCESS_NONE;
	cleanup_free char *path = NULL;
	cleanup_fd int out = open(log, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	int status = -1;

	files.output = files.error = out;
	CU_ASSERT_EQUAL_FATAL(process_start(&process, arguments, &files, NULL), 0);
	path = await_socket(log);
	CU_ASSERT_PTR_NOT_NULL(path);
	if (path)
		check_stub(path);
	kill(process.pid, SIGINT);
	CU_ASSERT_EQUAL(process_wait(&process, 60000, &status, NULL), 0);
	CU_ASSERT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
}

CU_TestInfo replay_tests[] = {
	{"a replay is equal to the byte; with another seed the first line that differs is named",
	 equal_until_changed},
	{"--gdb stops the guest at the hung task, and a debugger can attach", stops_for_gdb},
	{"what is no run folder is not replayed", no_run_folder},
	CU_TEST_INFO_NULL,
};
