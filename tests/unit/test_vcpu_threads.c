// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread of a process of ours is stopped while its others run on; what QEMU says of anybody else's is
 * refused. The process is real, and so are its threads; only the QMP that names them is a small server.
 */
#include "vm/vcpu_threads.h"

#include "base/file.h"
#include "inject/host_thread.h"
#include "inject/workload/workload.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define VCPUS	 3
#define LIMIT_MS 20000

/** struct fixture - a VM of which only threads and QMP are there; @server: process that speaks QMP */
struct fixture {
	struct vm vm;
	pid_t threads[VCPUS], server;
};

static void *run_vcpu(void *report)
{
	pid_t thread = (pid_t)syscall(SYS_gettid);

	(void)file_write_all(*(int *)report, &thread, sizeof(thread));
	for (;;)
		poll(NULL, 0, 1);
	return NULL;
}

/* As QEMU has: one thread for each vCPU besides the first. */
static void start_threads(struct fixture *fixture)
{
	int report[2];
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pipe(report), 0);
	pid = fork();
	if (!pid) {
		pthread_t thread;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < VCPUS; i++)
			if (pthread_create(&thread, NULL, run_vcpu, &report[1]))
				_exit(1);
		for (;;)
			pause();
	}
	fixture->vm.process.pid = pid;
	for (int i = 0; i < VCPUS; i++)
		CU_ASSERT_EQUAL_FATAL(read(report[0], &fixture->threads[i], sizeof(pid_t)), sizeof(pid_t));
	close(report[0]);
	close(report[1]);
}

static void answer(int fd, const pid_t *threads, json_t *command)
{
	const char *name = json_string_value(json_object_get(command, "execute"));
	json_t *result = json_object();
	char *text;

	if (!strcmp(name, "query-cpus-fast")) {
		json_decref(result);
		result = json_array();
		for (int i = 0; i < VCPUS; i++)
			json_array_append_new(
				result, json_pack("{s:i, s:i}", "cpu-index", i, "thread-id", threads[i]));
	}
	json_decref(command);
	result = json_pack("{s:o, s:O}", "return", result, "id", json_object_get(command, "id"));
	text = json_dumps(result, JSON_COMPACT);
	(void)file_write_all(fd, text, strlen(text));
	(void)file_write_all(fd, "\n", 1);
	json_decref(result);
	free(text);
}

/* Does not answer the first @silent times it is asked for its state. */
static void serve(int fd, const pid_t *threads, int silent)
{
	static const char greeting[] = "{\"QMP\": {}}\n";
	FILE *commands = fdopen(fd, "r");
	char line[4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)file_write_all(fd, greeting, strlen(greeting));
	while (fgets(line, sizeof(line), commands)) {
		json_t *command = json_loads(line, 0, NULL);

		if (!strstr(line, "query-status") || silent-- <= 0)
			answer(fd, threads, json_incref(command));
		json_decref(command);
	}
	_exit(0);
}

static void start_server(struct fixture *fixture, const pid_t *named, int silent)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fixture->server = fork();
	if (!fixture->server) {
		close(pair[0]);
		serve(pair[1], named, silent);
	}
	close(pair[1]);
	CU_ASSERT_EQUAL_FATAL(qmp_open(&fixture->vm.qmp, pair[0], LIMIT_MS, NULL, NULL, NULL), 0);
}

/* @named: what QMP says, NULL for the truth */
static void start(struct fixture *fixture, const pid_t *named, int silent)
{
	*fixture = (struct fixture){.vm = VM_NONE};
	fixture->vm.cpus = VCPUS;
	start_threads(fixture);
	start_server(fixture, named ? named : fixture->threads, silent);
}

/* As vm_end() does it. */
static void end(struct fixture *fixture)
{
	vm_end(&fixture->vm);
	CU_ASSERT_EQUAL(waitpid(fixture->server, NULL, 0), fixture->server);
	CU_ASSERT_FALSE(resources_has_children());
}

static struct host_thread look(const struct fixture *fixture, int cpu)
{
	struct host_thread seen = {0};

	CU_ASSERT_EQUAL(host_thread_look(fixture->vm.process.pid, fixture->threads[cpu], &seen, NULL), 0);
	return seen;
}

static bool comes_to_run(const struct fixture *fixture, int cpu)
{
	uint64_t before = look(fixture, cpu).run_nanoseconds;
	int64_t deadline = workload_now() + LIMIT_MS * 1000000LL;

	while (look(fixture, cpu).run_nanoseconds == before)
		if (workload_now() > deadline)
			return false;
	return true;
}

static void test_one_of_three(void)
{
	size_t descriptors = resources_descriptors();
	struct hl_error err = HL_ERROR_INIT;
	struct host_thread held;
	struct fixture fixture;

	start(&fixture, NULL, 0);
	CU_ASSERT_EQUAL(vcpu_threads_hold(&fixture.vm, 1 << 1, LIMIT_MS, &err), 0);
	held = look(&fixture, 1);
	CU_ASSERT_EQUAL(held.state, 't');
	CU_ASSERT(comes_to_run(&fixture, 0) && comes_to_run(&fixture, 2));
	CU_ASSERT_EQUAL(look(&fixture, 1).run_nanoseconds, held.run_nanoseconds);
	/* A second one, and the first stays as it is. */
	CU_ASSERT_EQUAL(vcpu_threads_hold(&fixture.vm, 1 << 2, LIMIT_MS, &err), 0);
	CU_ASSERT(comes_to_run(&fixture, 0));
	CU_ASSERT(look(&fixture, 1).state == 't' && look(&fixture, 2).state == 't');
	vcpu_threads_let_go(&fixture.vm, 1 << 1);
	CU_ASSERT(comes_to_run(&fixture, 1));
	CU_ASSERT_EQUAL(look(&fixture, 2).state, 't');
	/* The end comes while one is held. */
	end(&fixture);
	CU_ASSERT_EQUAL(resources_descriptors(), descriptors);
}

/* QEMU died meanwhile: its threads are gone, and it can be waited for. */
static void test_dead(void)
{
	struct fixture fixture;

	start(&fixture, NULL, 0);
	CU_ASSERT_EQUAL(vcpu_threads_hold(&fixture.vm, 1 << 1, LIMIT_MS, NULL), 0);
	kill(fixture.vm.process.pid, SIGKILL);
	vcpu_threads_let_go(&fixture.vm, UINT64_MAX);
	vcpu_threads_let_go(&fixture.vm, UINT64_MAX);
	end(&fixture);
}

/* The thread had a lock that QEMU needs to answer: tried again at another moment, and given up in the end. */
static void test_silent(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct fixture fixture;

	start(&fixture, NULL, 1);
	CU_ASSERT_EQUAL(vcpu_threads_hold(&fixture.vm, 1 << 1, LIMIT_MS, &err), 0);
	CU_ASSERT_EQUAL(look(&fixture, 1).state, 't');
	end(&fixture);
	start(&fixture, NULL, 1000);
	CU_ASSERT_EQUAL(vcpu_threads_hold(&fixture.vm, 1 << 1, 1, &err), -ETIMEDOUT);
	CU_ASSERT(comes_to_run(&fixture, 1));
	end(&fixture);
}

static bool is_traced(pid_t pid)
{
	struct host_threads threads;

	return host_threads_look(pid, &threads, NULL) || threads.traced;
}

/* The init process, this one, its parent (a shell), and another emulator. */
static void test_foreign(void)
{
	struct fixture other;
	pid_t foreign[5];

	start(&other, NULL, 0);
	memcpy(foreign, (pid_t[]){1, getpid(), getppid(), other.vm.process.pid, other.threads[1]},
	       sizeof(foreign));
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		const pid_t named[VCPUS] = {foreign[i], foreign[i], foreign[i]};
		struct hl_error err = HL_ERROR_INIT;
		pid_t threads[VCPUS];
		struct fixture fixture;

		start(&fixture, named, 0);
		CU_ASSERT_EQUAL(vcpu_threads_find(&fixture.vm, threads, &err), -EPERM);
		CU_ASSERT_EQUAL(vcpu_threads_hold(&fixture.vm, 1 << 1, LIMIT_MS, &err), -EPERM);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not belong to the QEMU of this run"));
		CU_ASSERT_FALSE(
			is_traced(foreign[i] == other.threads[1] ? other.vm.process.pid : foreign[i]));
		vm_end(&fixture.vm);
		CU_ASSERT_EQUAL(waitpid(fixture.server, NULL, 0), fixture.server);
	}
	end(&other);
}

/* In virtual time QEMU has one thread for all. */
static void test_shared(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct fixture fixture;
	pid_t one[VCPUS];

	start(&fixture, NULL, 0);
	qmp_close(fixture.vm.qmp);
	CU_ASSERT_EQUAL(waitpid(fixture.server, NULL, 0), fixture.server);
	for (int i = 0; i < VCPUS; i++)
		one[i] = fixture.threads[0];
	start_server(&fixture, one, 0);
	CU_ASSERT_EQUAL(vcpu_threads_hold(&fixture.vm, 1 << 1, LIMIT_MS, &err), -ENOTSUP);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "this needs real time"));
	end(&fixture);
}

static void test_possible(void)
{
	char reason[256] = "";

	CU_ASSERT(vcpu_threads_possible(reason, sizeof(reason)));
	CU_ASSERT_FALSE(resources_has_children());
}

CU_TestInfo vcpu_threads_tests[] = {
	{"one of three stands still", test_one_of_three},
	{"a process that died", test_dead},
	{"a QEMU that does not answer", test_silent},
	{"threads of others are refused", test_foreign},
	{"one thread for all", test_shared},
	{"is it permitted?", test_possible},
	CU_TEST_INFO_NULL,
};
