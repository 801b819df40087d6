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

#define RUNS	 30
#define LIMIT_MS 2000

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

static void end_one_run(const char *out, int signal, int after_ms)
{
	const char *const arguments[] = {program(), "run", "--out", out, "scenarios/fsfreeze-hung-task.yaml",
					 NULL};
	struct process child = PROCESS_NONE;

	CU_ASSERT_FATAL(!process_start(&child, arguments, NULL, NULL));
	/* It ends by itself when the machine is faster than the dice: nothing may be left then either. */
	if (process_wait(&child, after_ms, NULL, NULL) == -ETIMEDOUT) {
		kill(child.pid, signal);
		CU_ASSERT(!process_wait(&child, LIMIT_MS, NULL, NULL));
	}
	CU_ASSERT(processes_gone(out));
	process_kill(&child);
}

static void any_signal_at_any_moment(void)
{
	cleanup_free char *out = file_path("%s/ended", runs_folder());
	char temporary[] = "/tmp/hanglab-tmp-XXXXXX";
	cleanup_free char *cache = NULL;
	unsigned int seed = 20261122;
	size_t cached;

	CU_ASSERT_FATAL(mkdtemp(temporary) != NULL);
	setenv("TMPDIR", temporary, 1);
	CU_ASSERT_FATAL(!file_cache_folder("initramfs", &cache, NULL));
	cached = count_files(cache);
	for (int i = 0; i < RUNS; i++)
		end_one_run(out, signals[i % 3], rand_r(&seed) % 5000);
	assert_journals_are_readable(out);
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

/* @moment: what the journal says when it is in force */
static void kill_during_fault(const char *scenario, const char *moment)
{
	cleanup_free char *out = file_path("%s/stalled", runs_folder()),
			  *path = file_path("scenarios/%s.yaml", scenario);
	cleanup_free char *journal = NULL;
	const char *const arguments[] = {program(), "run", "--out", out, path, NULL};
	struct process child = PROCESS_NONE;

	file_remove_tree(out, NULL);
	CU_ASSERT_FATAL(!process_start(&child, arguments, NULL, NULL));
	journal = await_journal(out, moment, STALL_LIMIT);
	CU_ASSERT_PTR_NOT_NULL(journal);
	kill(child.pid, SIGKILL);
	CU_ASSERT(!process_wait(&child, LIMIT_MS, NULL, NULL));
	CU_ASSERT(processes_gone(out));
	process_kill(&child);
}

static void killed_while_servers_are_stalled(void)
{
	kill_during_fault("nbd-server-stop", ACTIVE);
	kill_during_fault("iscsi-stall-hung-task", ACTIVE);
}

/* A QEMU that is stopped as a whole cannot notice that hanglab is gone; it is killed all the same. */
static void killed_while_the_vm_stands_still(void)
{
	kill_during_fault("rcu-stall", ACTIVE);
	kill_during_fault("hypervisor-pause-all-cpus", "\"action\":\"confirm\"");
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
	journal = await_journal(out, "\"state\":\"active\"", STALL_LIMIT);
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
	{"SIGKILL while a server is stalled", killed_while_servers_are_stalled},
	{"SIGKILL while a vCPU, or the VM, stands still", killed_while_the_vm_stands_still},
	{"a server that never comes back", server_never_comes_back},
	CU_TEST_INFO_NULL,
};
