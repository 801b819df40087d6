// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"
#include "inject/workload/workload.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define RECORD	4096
#define RECORDS 4

/**
 * struct bench - a writer in a folder of its own, run in a thread until it has acknowledged enough
 * @enough: acknowledged records after which it is stopped
 */
struct bench {
	struct workload_run run;
	struct workload_progress progress;
	char parameters[256] __attribute__((aligned(16)));
	char *folder, *path;
	json_t *with;
	uint64_t enough;
	struct hl_error err;
};

static const struct workload *writer(void)
{
	const struct workload *found = workload_find("writer");

	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	return found;
}

static void begin(struct bench *bench, const char *engine)
{
	memset(bench, 0, sizeof(*bench));
	bench->folder = strdup(fixture_folder());
	bench->path = file_path("%s/w1.records", bench->folder);
	bench->with = json_pack("{s:s, s:s, s:s, s:s}", "dir", bench->folder, "engine", engine, "interval",
				"10us", "records", "4");
	CU_ASSERT_TRUE_FATAL(writer()->parameters_size <= sizeof(bench->parameters));
	CU_ASSERT_EQUAL_FATAL(
		parameters_load(writer()->parameters, bench->with, bench->parameters, &bench->err), 0);
	bench->run = (struct workload_run){"w1", bench->parameters, 7, &bench->progress};
}

static void end(struct bench *bench)
{
	json_decref(bench->with);
	free(bench->folder);
	free(bench->path);
}

static void *stop_when_enough(void *data)
{
	struct bench *bench = data;
	struct timespec pause = {0, 200000};

	while (atomic_load(&bench->progress.acknowledged) < bench->enough &&
	       !atomic_load(&bench->progress.errors))
		nanosleep(&pause, NULL);
	atomic_store(&bench->progress.stop, true);
	return NULL;
}

/* Return: what run() returned, after at least @enough records. */
static int write_some(struct bench *bench, uint64_t enough)
{
	pthread_t watcher;
	int r;

	bench->enough = enough;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&watcher, NULL, stop_when_enough, bench), 0);
	r = writer()->run(&bench->run, &bench->err);
	if (r)
		atomic_store(&bench->progress.errors, 1);
	pthread_join(watcher, NULL);
	return r;
}

static struct workload_verification verify(struct bench *bench)
{
	struct workload_verification found = {0};

	CU_ASSERT_EQUAL(writer()->verify(&bench->run, &found, &bench->err), 0);
	return found;
}

static void check_verified(struct bench *bench, uint64_t checked, uint64_t lost)
{
	struct workload_verification found = verify(bench);

	CU_ASSERT_EQUAL(found.checked, checked);
	CU_ASSERT_EQUAL(found.lost, lost);
	CU_ASSERT_EQUAL(found.detail[0] != '\0', lost > 0);
}

/* The slot of acknowledged record number @back from the end, 0 for the newest. */
static off_t slot_of(const struct bench *bench, uint64_t back)
{
	return (off_t)((atomic_load(&bench->progress.acknowledged) - 1 - back) % RECORDS) * RECORD;
}

static void patch(struct bench *bench, off_t offset, const void *data, size_t size)
{
	cleanup_fd int fd = open(bench->path, O_WRONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL(pwrite(fd, data, size, offset), (ssize_t)size);
}

static void copy_slot(struct bench *bench, off_t from, off_t to)
{
	cleanup_fd int fd = open(bench->path, O_RDONLY | O_CLOEXEC);
	char record[RECORD];

	CU_ASSERT_EQUAL(pread(fd, record, RECORD, from), RECORD);
	patch(bench, to, record, RECORD);
}

static void test_intact(void)
{
	size_t before = resources_descriptors();

	for (const char *const *engine = engine_names; *engine; engine++) {
		struct bench bench;

		begin(&bench, *engine);
		if (write_some(&bench, 11))
			printf("\n    engine %s cannot be used here: %s", *engine, bench.err.text);
		else
			check_verified(&bench, RECORDS, 0);
		end(&bench);
	}
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static void test_few_records(void)
{
	struct bench bench;

	begin(&bench, "sync");
	/* Slow enough to be stopped long before the slots are used again. */
	json_object_set_new(bench.with, "interval", json_string("200ms"));
	CU_ASSERT_EQUAL(parameters_load(writer()->parameters, bench.with, bench.parameters, &bench.err), 0);
	CU_ASSERT_EQUAL(write_some(&bench, 1), 0);
	/* As if only two had been acknowledged. */
	atomic_store(&bench.progress.acknowledged, 1);
	check_verified(&bench, 1, 0);
	atomic_store(&bench.progress.acknowledged, 0);
	check_verified(&bench, 0, 0);
	end(&bench);
}

static void test_changed_record(void)
{
	struct workload_verification found;
	struct bench bench;

	begin(&bench, "sync");
	CU_ASSERT_EQUAL(write_some(&bench, 9), 0);
	/* The last byte of the payload, and the sequence number of another one. */
	patch(&bench, slot_of(&bench, 0) + RECORD - 1, "\x5a", 1);
	check_verified(&bench, RECORDS, 1);
	patch(&bench, slot_of(&bench, 1) + 8, "\xff", 1);
	check_verified(&bench, RECORDS, 2);
	found = verify(&bench);
	CU_ASSERT_PTR_NOT_NULL(strstr(found.detail, "w1.records was acknowledged but is not in slot"));
	end(&bench);
}

/* A write that never reached the disk leaves the record before it in its slot. */
static void test_stale_record(void)
{
	struct bench bench;

	begin(&bench, "sync");
	CU_ASSERT_EQUAL(write_some(&bench, 9), 0);
	atomic_fetch_add(&bench.progress.acknowledged, 1);
	check_verified(&bench, RECORDS, 1);
	end(&bench);
}

/* A record of this run in the slot of another is a misdirected write. */
static void test_misdirected_record(void)
{
	struct bench bench;

	begin(&bench, "sync");
	CU_ASSERT_EQUAL(write_some(&bench, 9), 0);
	copy_slot(&bench, slot_of(&bench, 0), slot_of(&bench, 2));
	check_verified(&bench, RECORDS, 1);
	end(&bench);
}

static void test_missing_slots(void)
{
	struct bench bench;

	begin(&bench, "sync");
	CU_ASSERT_EQUAL(write_some(&bench, 9), 0);
	CU_ASSERT_EQUAL(truncate(bench.path, 2 * RECORD), 0);
	check_verified(&bench, RECORDS, 2);
	CU_ASSERT_EQUAL(unlink(bench.path), 0);
	check_verified(&bench, RECORDS, RECORDS);
	end(&bench);
}

/* Another seed writes other data: a file left over from another run is no proof. */
static void test_other_seed(void)
{
	struct bench bench;

	begin(&bench, "sync");
	CU_ASSERT_EQUAL(write_some(&bench, 9), 0);
	bench.run.seed++;
	check_verified(&bench, RECORDS, RECORDS);
	end(&bench);
}

/*
 * The writer was killed with a record in flight: its slot held the oldest record that counts and may now hold
 * the new one, or a part of it. The others must be there.
 */
static void test_in_flight(void)
{
	struct bench bench;

	begin(&bench, "sync");
	CU_ASSERT_EQUAL(write_some(&bench, 9), 0);
	/* The newest one was written but never acknowledged. */
	atomic_fetch_sub(&bench.progress.acknowledged, 1);
	atomic_store(&bench.progress.started_at, 1);
	check_verified(&bench, RECORDS, 0);
	patch(&bench, (off_t)(atomic_load(&bench.progress.acknowledged) % RECORDS) * RECORD + 2048, "torn",
	      4);
	check_verified(&bench, RECORDS, 0);
	patch(&bench, slot_of(&bench, 0) + 2048, "torn", 4);
	check_verified(&bench, RECORDS, 1);
	/* Nothing was in flight: then the slot must be whole. */
	atomic_store(&bench.progress.started_at, 0);
	check_verified(&bench, RECORDS, 2);
	end(&bench);
}

/* The first error voids later acknowledgements, but the writer goes on and reuses the slots. */
static void test_after_error(void)
{
	struct bench bench;

	begin(&bench, "sync");
	CU_ASSERT_EQUAL(write_some(&bench, 11), 0);
	atomic_store(&bench.progress.acknowledged, 8);
	atomic_store(&bench.progress.errors, 1);
	check_verified(&bench, RECORDS, 0);
	/* Garbage is none, nor is a later record of another slot. */
	patch(&bench, 2 * RECORD + 2048, "torn", 4);
	check_verified(&bench, RECORDS, 1);
	copy_slot(&bench, 1 * RECORD, 3 * RECORD);
	check_verified(&bench, RECORDS, 2);
	end(&bench);
}

static void test_errors(void)
{
	struct rlimit old, small;
	struct bench bench;
	uint64_t acknowledged;

	begin(&bench, "sync");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){2 * RECORD, old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	CU_ASSERT_EQUAL(write_some(&bench, 100), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	acknowledged = atomic_load(&bench.progress.acknowledged);
	CU_ASSERT_EQUAL(acknowledged, 2);
	CU_ASSERT_TRUE(atomic_load(&bench.progress.errors) >= 1);
	CU_ASSERT_EQUAL(atomic_load(&bench.progress.first_errno), EFBIG);
	check_verified(&bench, 2, 0);
	end(&bench);
}

static void test_progress(void)
{
	struct workload_progress progress = {0};

	workload_begin(&progress);
	CU_ASSERT_TRUE(atomic_load(&progress.started_at) > 0);
	workload_end(&progress, 0);
	CU_ASSERT_EQUAL(atomic_load(&progress.started_at), 0);
	CU_ASSERT_EQUAL(atomic_load(&progress.acknowledged), 1);
	workload_begin(&progress);
	workload_end(&progress, -EIO);
	workload_begin(&progress);
	workload_end(&progress, -ENOSPC);
	workload_begin(&progress);
	workload_end(&progress, 0);
	CU_ASSERT_EQUAL(atomic_load(&progress.acknowledged), 1);
	CU_ASSERT_EQUAL(atomic_load(&progress.errors), 2);
	CU_ASSERT_EQUAL(atomic_load(&progress.first_errno), EIO);
}

static void test_cannot_begin(void)
{
	struct bench bench;

	begin(&bench, "sync");
	CU_ASSERT_EQUAL(file_remove_tree(bench.folder, NULL), 0);
	CU_ASSERT_EQUAL(write_some(&bench, 1), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(bench.err.text, "w1.records"));
	end(&bench);
}

CU_TestInfo writer_tests[] = {
	{"every engine's records are intact", test_intact},
	{"fewer records than slots", test_few_records},
	{"a changed record is found", test_changed_record},
	{"a stale record is found", test_stale_record},
	{"a misdirected record is found", test_misdirected_record},
	{"missing slots are found", test_missing_slots},
	{"another run's records are no proof", test_other_seed},
	{"the record in flight is tolerated", test_in_flight},
	{"records after an error", test_after_error},
	{"errors void later acknowledgements", test_errors},
	{"progress", test_progress},
	{"a folder that is missing", test_cannot_begin},
	CU_TEST_INFO_NULL,
};
