// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Workloads on a folder of this machine: what they acknowledge is there, and what is taken away is missed.
 * The writer has more tests of its own.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "inject/stall.h"
#include "inject/workload/workload.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/**
 * struct fixture - a workload in a folder
 */
struct fixture {
	char folder[64];
	const struct workload *workload;
	char parameters[256] __attribute__((aligned(16)));
	json_t *with;
	struct workload_run run;
};

static void set_up_with(struct fixture *fixture, const char *workload, json_t *with)
{
	struct hl_error err = HL_ERROR_INIT;

	fixture->workload = workload_find(workload);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->workload);
	fixture->with = with;
	CU_ASSERT_EQUAL_FATAL(
		parameters_load(fixture->workload->parameters, fixture->with, fixture->parameters, &err), 0);
	fixture->run = (struct workload_run){.name = "subject", .parameters = fixture->parameters, .seed = 7};
	fixture->run.progress = mmap(NULL, sizeof(struct workload_progress), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_FATAL(fixture->run.progress != MAP_FAILED);
}

static void set_up(struct fixture *fixture, const char *workload, const char *key, const char *value)
{
	memset(fixture, 0, sizeof(*fixture));
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/hanglab-workload-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(fixture->folder));
	set_up_with(fixture, workload,
		    json_pack("{s:s, s:s, s:s}", "dir", fixture->folder, "interval", "100us", key, value));
}

static void tear_down(struct fixture *fixture)
{
	if (fixture->folder[0])
		file_remove_tree(fixture->folder, NULL);
	munmap(fixture->run.progress, sizeof(struct workload_progress));
	json_decref(fixture->with);
}

/* Runs it in a process of its own until it has acknowledged this much. */
static void work(struct fixture *fixture, uint64_t wanted)
{
	static const struct timespec pause = {0, 1000000};
	int tries = 20000, status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(fixture->workload->run(&fixture->run, NULL) ? 1 : 0);
	while (atomic_load(&fixture->run.progress->acknowledged) < wanted && tries--)
		nanosleep(&pause, NULL);
	atomic_store(&fixture->run.progress->stop, true);
	waitpid(pid, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_TRUE(atomic_load(&fixture->run.progress->acknowledged) >= wanted);
}

static struct workload_verification verify(struct fixture *fixture)
{
	struct workload_verification found = {0};
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(fixture->workload->verify(&fixture->run, &found, &err), 0);
	return found;
}

/* Changes one byte of a slot of the writer's file. */
static void damage(const struct fixture *fixture, off_t slot)
{
	cleanup_free char *path = file_path("%s/subject.records", fixture->folder);
	cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte = 0;

	CU_ASSERT_EQUAL(pread(fd, &byte, 1, slot * 4096 + 100), 1);
	byte ^= 1;
	CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, slot * 4096 + 100), 1);
}

/* Nobody promised that it is durable: gone is not lost. */
static void test_buffered(void)
{
	struct workload_verification found;
	struct fixture fixture;

	set_up(&fixture, "writer", "engine", "buffered");
	work(&fixture, 20);
	damage(&fixture, 4);
	damage(&fixture, 5);
	found = verify(&fixture);
	CU_ASSERT_EQUAL(found.lost, 0);
	CU_ASSERT_EQUAL(found.unsynced, 2);
	tear_down(&fixture);
}

static void path_of(const struct fixture *fixture, uint64_t sequence, char *path, size_t size)
{
	snprintf(path, size, "%s/subject.files/%llu", fixture->folder, (unsigned long long)sequence);
}

static void test_metadata(void)
{
	struct workload_verification found;
	struct fixture fixture;
	uint64_t acknowledged;
	char path[128];

	set_up(&fixture, "metadata", "files", "8");
	work(&fixture, 40);
	found = verify(&fixture);
	acknowledged = atomic_load(&fixture.run.progress->acknowledged);
	/* The newest but one that may be gone, and as many that must be gone. */
	CU_ASSERT_EQUAL(found.checked, 15);
	CU_ASSERT_EQUAL(found.lost, 0);
	path_of(&fixture, acknowledged - 3, path, sizeof(path));
	CU_ASSERT_EQUAL(unlink(path), 0);
	found = verify(&fixture);
	CU_ASSERT_EQUAL(found.lost, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(found.detail, "acknowledged as made but is not there"));
	/* One that was removed came back. */
	path_of(&fixture, acknowledged - 10, path, sizeof(path));
	CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
	CU_ASSERT_EQUAL(verify(&fixture).lost, 2);
	tear_down(&fixture);
}

/* Those that nothing is left of to verify: they work, and they end, their threads with them. */
static void test_cpu_workloads(void)
{
	static const char *const names[] = {"busy", "tlb-shootdown"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fixture fixture = {0};

		set_up_with(&fixture, names[i], json_object());
		work(&fixture, 20);
		CU_ASSERT_EQUAL(atomic_load(&fixture.run.progress->errors), 0);
		CU_ASSERT_PTR_NULL(fixture.workload->verify);
		tear_down(&fixture);
	}
}

/* After an error a workload goes on, but leaves alone what was acknowledged. */
static void test_after_an_error(void)
{
	static const char *const workloads[][3] = {{"metadata", "files", "4"}, {"writer", "records", "4"}};

	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		static const struct timespec pause = {0, 1000000};
		struct fixture fixture;
		uint64_t before;
		pid_t pid;

		set_up(&fixture, workloads[i][0], workloads[i][1], workloads[i][2]);
		pid = fork();
		if (!pid)
			_exit(fixture.workload->run(&fixture.run, NULL) ? 1 : 0);
		while (atomic_load(&fixture.run.progress->acknowledged) < 10)
			nanosleep(&pause, NULL);
		atomic_fetch_add(&fixture.run.progress->errors, 1);
		/* What was in flight may still count, but then nothing more. */
		before = atomic_load(&fixture.run.progress->acknowledged);
		for (int quiet = 0, tries = 20000; quiet < 50 && tries; quiet++, tries--) {
			uint64_t now;

			nanosleep(&pause, NULL);
			now = atomic_load(&fixture.run.progress->acknowledged);
			if (now != before)
				quiet = 0;
			before = now;
		}
		atomic_store(&fixture.run.progress->stop, true);
		waitpid(pid, NULL, 0);
		CU_ASSERT_EQUAL(atomic_load(&fixture.run.progress->acknowledged), before);
		CU_ASSERT_EQUAL(verify(&fixture).lost, 0);
		tear_down(&fixture);
	}
}

static void test_stall_event(void)
{
	struct hl_event event;

	stall_event(&event, "writer", 93, 5000000000, 17250000000);
	CU_ASSERT_EQUAL(event.kind, HL_EVENT_STALLED);
	CU_ASSERT_STRING_EQUAL(event.stack.comm, "writer");
	CU_ASSERT_EQUAL(event.stack.pid, 93);
	CU_ASSERT_DOUBLE_EQUAL(event.seconds, 5, 0);
	CU_ASSERT_DOUBLE_EQUAL(event.time, 17.25, 0);
	hl_event_free(&event);
}

CU_TestInfo workload_tests[] = {
	{"busy CPUs and TLB shoot-downs", test_cpu_workloads},
	{"unsynced records are never lost", test_buffered},
	{"files are verified", test_metadata},
	{"after an error nothing acknowledged is touched", test_after_an_error},
	{"the stalled event", test_stall_event},
	CU_TEST_INFO_NULL,
};
