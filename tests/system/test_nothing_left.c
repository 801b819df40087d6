// SPDX-License-Identifier: GPL-2.0-or-later
/* However hanglab ends, within two seconds no process, lock or file of its own is left outside the run
 * folder. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/workload/workload.h"

#include <CUnit/CUnit.h>
#include <fts.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define RUNS	   30
#define LONGEST_MS 5000
#define LIMIT_MS   2000

static const int signals[] = {SIGINT, SIGTERM, SIGKILL};

static void wait_ms(int milliseconds)
{
	poll(NULL, 0, milliseconds);
}

/* Files below a folder; what a run may leave is in folders of their own. */
static size_t count_files(char *folder)
{
	char *roots[] = {folder, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL, NULL);
	size_t count = 0;

	while (tree && fts_read(tree))
		count++;
	if (tree)
		fts_close(tree);
	return count;
}

static bool processes_gone(const char *text)
{
	int64_t deadline = workload_now() + LIMIT_MS * 1000000LL;

	while (processes_naming(text)) {
		if (workload_now() > deadline)
			return false;
		wait_ms(20);
	}
	return true;
}

static void assert_journals_are_readable(const char *out)
{
	cleanup_free char *pattern = file_path("%s/*/journal.jsonl", out);
	glob_t files;

	if (glob(pattern, 0, NULL, &files))
		return;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		cleanup_free char *text = NULL;
		char *position = NULL;

		CU_ASSERT_FATAL(!file_read(files.gl_pathv[i], &text, NULL, NULL));
		for (char *line = strtok_r(text, "\n", &position); line;
		     line = strtok_r(NULL, "\n", &position)) {
			json_t *json = json_loads(line, 0, NULL);

			CU_ASSERT_PTR_NOT_NULL(json);
			json_decref(json);
		}
	}
	globfree(&files);
}

/**
 * struct ended_run - a run that a signal ends
 * @out: its folder
 * @after_ms: of the signal, from the start
 */
struct ended_run {
	const char *out;
	int signal, after_ms;
	struct process hanglab;
};

static void start_run(struct ended_run *run)
{
	const char *const arguments[] = {
		program(), "run", "--out", run->out, "scenarios/fsfreeze-hung-task.yaml", NULL};

	CU_ASSERT_FATAL(!process_start(&run->hanglab, arguments, NULL, NULL));
}

static void end_run(struct ended_run *run, int64_t started_at)
{
	int waited_ms = (int)((workload_now() - started_at) / 1000000);
	int wait = run->after_ms > waited_ms ? run->after_ms - waited_ms : 0;

	/* It ends by itself when the machine is faster than the dice: nothing may be left then either. */
	if (process_wait(&run->hanglab, wait, NULL, NULL) == -ETIMEDOUT) {
		kill(run->hanglab.pid, run->signal);
		CU_ASSERT(!process_wait(&run->hanglab, LIMIT_MS, NULL, NULL));
	}
	CU_ASSERT(processes_gone(run->out));
	process_kill(&run->hanglab);
}

/* Two at a time; the one that ends first comes first. */
static void end_runs(struct ended_run *first, struct ended_run *second)
{
	int64_t started_at = workload_now();

	start_run(first);
	start_run(second);
	end_run(first, started_at);
	end_run(second, started_at);
}

static void any_signal_at_any_moment(void)
{
	cleanup_free char *out = file_path("%s/ended-first", runs_folder()),
			  *other = file_path("%s/ended-second", runs_folder());
	char temporary[] = "/tmp/hanglab-tmp-XXXXXX";
	cleanup_free char *cache = NULL;
	unsigned int seed = 20261122;
	size_t cached;

	CU_ASSERT_FATAL(mkdtemp(temporary) != NULL);
	setenv("TMPDIR", temporary, 1);
	CU_ASSERT_FATAL(!file_cache_folder("initramfs", &cache, NULL));
	cached = count_files(cache);
	for (int i = 0; i < RUNS; i += 2) {
		int at = rand_r(&seed) % LONGEST_MS, later = at + rand_r(&seed) % (LONGEST_MS - at);

		end_runs(&(struct ended_run){.out = out,
					     .signal = signals[i % 3],
					     .after_ms = at,
					     .hanglab = PROCESS_NONE},
			 &(struct ended_run){.out = other,
					     .signal = signals[(i + 1) % 3],
					     .after_ms = later,
					     .hanglab = PROCESS_NONE});
	}
	assert_journals_are_readable(out);
	assert_journals_are_readable(other);
	CU_ASSERT_EQUAL(count_files(temporary), 2);
	CU_ASSERT(count_files(cache) <= cached + 1);
	unsetenv("TMPDIR");
	file_remove_tree(temporary, NULL);
}

/* The newest journal below @out, once it holds @text; NULL when that takes too long. */
static char *await_journal(const char *out, const char *text, int64_t limit)
{
	cleanup_free char *path = file_path("%s/latest/journal.jsonl", out);
	int64_t deadline = workload_now() + limit;

	while (workload_now() < deadline) {
		cleanup_free char *journal = NULL;

		if (!file_read(path, &journal, NULL, NULL) && strstr(journal, text))
			return take_pointer(journal);
		wait_ms(50);
	}
	return NULL;
}

#define ACTIVE	    "\"state\":\"active\""
#define STALL_LIMIT (120LL * 1000000000)

/* Every way to stall storage, and two that stop more than storage. */
static const struct victim_kind {
	const char *scenario, *moment;
} victim_kinds[] = {
	{"iscsi-stall-hung-task", ACTIVE},
	{"iscsi-responses-held", ACTIVE},
	{"iscsi-link-down", ACTIVE},
	{"iscsi-replacement-timeout", ACTIVE},
	{"nbd-server-stop", ACTIVE},
	{"nbd-pause", ACTIVE},
	{"virtio-blk-lost-completion", ACTIVE},
	{"throttle-slow-then-stall", ACTIVE},
	{"nvme-timeout", ACTIVE},
	{"virtio-scsi-server-stop", ACTIVE},
	{"guest-nbd-server-stop", ACTIVE},
	{"dm-suspend-stall", ACTIVE},
	{"dm-suspend-freeze", ACTIVE},
	{"dm-delay-slow-not-hung", ACTIVE},
	{"multipath-all-paths-down", ACTIVE},
	{"scsi-debug-timeout", ACTIVE},
	{"fsfreeze-all-engines", ACTIVE},
	/* A QEMU that is stopped as a whole cannot notice that hanglab is gone; it is killed all the same. */
	{"rcu-stall", ACTIVE},
	{"vcpu-stall-thread", ACTIVE},
	{"hypervisor-pause-all-cpus", "\"action\":\"confirm\""},
};

#define VICTIM_KINDS (sizeof(victim_kinds) / sizeof(victim_kinds[0]))

/**
 * struct victim - a run that is killed in the middle of its fault
 * @kind: its scenario, and what the journal says when the fault is in force
 * @out: its folder; NULL when there is no run
 * @started_at: nanoseconds
 */
struct victim {
	const struct victim_kind *kind;
	char *out;
	struct process hanglab;
	int64_t started_at;
};

static void start_victim(struct victim *victim, const struct victim_kind *kind)
{
	cleanup_free char *path = file_path("scenarios/%s.yaml", kind->scenario);

	*victim = (struct victim){kind, file_path("%s/killed-%s", runs_folder(), kind->scenario),
				  PROCESS_NONE, workload_now()};
	CU_ASSERT_FATAL(!process_start(
		&victim->hanglab, (const char *const[]){program(), "run", "--out", victim->out, path, NULL},
		NULL, NULL));
}

static bool fault_is_in_force(const struct victim *victim)
{
	cleanup_free char *path = file_path("%s/latest/journal.jsonl", victim->out), *journal = NULL;

	return !file_read(path, &journal, NULL, NULL) && strstr(journal, victim->kind->moment);
}

static bool family_gone(const struct family *family)
{
	int64_t deadline = workload_now() + LIMIT_MS * 1000000LL;

	while (family_alive(family)) {
		if (workload_now() > deadline)
			return false;
		wait_ms(20);
	}
	return true;
}

static bool is_mounted_below(const char *folder)
{
	cleanup_free char *mounts = NULL;

	return file_read("/proc/self/mounts", &mounts, NULL, NULL) || strstr(mounts, folder);
}

/* The VM at least must have been there, besides hanglab and the process of the run. */
#define SMALLEST_FAMILY 3

static void kill_victim(struct victim *victim)
{
	struct family family;
	bool gone;

	family_of(victim->hanglab.pid, &family);
	CU_ASSERT(family.count >= SMALLEST_FAMILY);
	kill(victim->hanglab.pid, SIGKILL);
	CU_ASSERT(!process_wait(&victim->hanglab, LIMIT_MS, NULL, NULL));
	gone = family_gone(&family) && !processes_naming(victim->out) && !is_mounted_below(victim->out);
	if (!gone)
		printf("\n    %s: something is left", victim->kind->scenario);
	CU_ASSERT(gone);
	process_kill(&victim->hanglab);
	free(victim->out);
	victim->out = NULL;
}

/* It must not: but for a scenario that cannot run here. */
static bool has_ended(struct victim *victim)
{
	int status = 0;

	if (process_wait(&victim->hanglab, 0, &status, NULL))
		return false;
	printf("\n    %s: %s", victim->kind->scenario,
	       WEXITSTATUS(status) == 77 ? "SKIP" : "it ended before its fault was seen to be in force");
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 77);
	free(victim->out);
	victim->out = NULL;
	return true;
}

/* Return: is the run still there? */
static bool attend(struct victim *victim)
{
	bool late = workload_now() > victim->started_at + STALL_LIMIT;

	if (has_ended(victim))
		return false;
	if (!late && !fault_is_in_force(victim))
		return true;
	if (late)
		printf("\n    %s: its fault was not in force in time", victim->kind->scenario);
	CU_ASSERT(!late);
	kill_victim(victim);
	return false;
}

/* Two at a time, which nearly halves the time on two CPUs. */
static void killed_during_each_fault(void)
{
	struct victim victims[2] = {0};
	size_t next = 0, running;

	do {
		running = 0;
		for (size_t i = 0; i < 2; i++) {
			if (!victims[i].out && next < VICTIM_KINDS)
				start_victim(&victims[i], &victim_kinds[next++]);
			running += victims[i].out && attend(&victims[i]);
		}
		wait_ms(50);
	} while (running || next < VICTIM_KINDS);
}

/* A server that dies for good, while it was to be released: the run ends all the same, and is no pass. */
static void server_never_comes_back(void)
{
	cleanup_free char *out = file_path("%s/lost", runs_folder()), *journal = NULL;
	const char *const arguments[] = {program(), "run", "--out", out, "scenarios/nbd-server-stop.yaml",
					 NULL};
	struct process child = PROCESS_NONE;
	const char *found;
	int status = 0;

	CU_ASSERT_FATAL(!process_start(&child, arguments, NULL, NULL));
	journal = await_journal(out, ACTIVE, STALL_LIMIT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
	found = strstr(journal, "\"disk\":\"data\",\"pid\":");
	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	kill((pid_t)strtol(found + strlen("\"disk\":\"data\",\"pid\":"), NULL, 10), SIGKILL);
	CU_ASSERT(!process_wait(&child, 240000, &status, NULL));
	CU_ASSERT(WIFEXITED(status) && (WEXITSTATUS(status) == 1 || WEXITSTATUS(status) == 2));
	CU_ASSERT(processes_gone(out));
	process_kill(&child);
}

CU_TestInfo nothing_left_tests[] = {
	{"30 runs ended by SIGINT, SIGTERM, SIGKILL", any_signal_at_any_moment},
	{"SIGKILL during each kind of fault", killed_during_each_fault},
	{"a server that never comes back", server_never_comes_back},
	CU_TEST_INFO_NULL,
};
