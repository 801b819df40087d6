// SPDX-License-Identifier: GPL-2.0-or-later
/* A matrix handed over: to GNU parallel on this host, and to a Slurm that is started for it. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/polling.h"
#include "base/units.h"
#include "slurm.h"

#include <CUnit/CUnit.h>
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

/* The first takes long enough to be killed; the others need under a second. */
#define LONG	 "scenarios/fsfreeze-timeout-20-panic.yaml"
#define QUICK	 "scenarios/windows-clock-watchdog.yaml"
#define CONTROL	 "scenarios/windows-clock-watchdog-control.yaml"
#define LIMIT_MS 240000

static bool is_missing(const char *name)
{
	cleanup_free char *path = process_find_program(name);

	if (!path)
		printf("SKIP (%s is not installed) ", name);
	return !path;
}

static void check_cells(const char *output, const char *first, const char *second)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(output, first));
	CU_ASSERT_PTR_NOT_NULL(strstr(output, second));
}

static void check_quick(const char *output)
{
	check_cells(output, "\nwindows-clock-watchdog          seen\n",
		    "\nwindows-clock-watchdog-control  clean\n");
}

static void plan_and_parallel(void)
{
	cleanup_free char *plan = file_path("%s/night.plan", runs_folder());
	struct outcome outcome;

	if (is_missing("parallel"))
		return;
	HANGLAB(&outcome, "matrix", "--kernel", "debian", "--out", runs_folder(), "--plan", plan, QUICK,
		CONTROL);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	outcome_free(&outcome);
	/* Nothing has run yet. */
	HANGLAB(&outcome, "matrix", "--collect", plan);
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.output, "its process ended without a result"));
	outcome_free(&outcome);
	run_command((const char *const[]){"sh", plan, NULL}, LIMIT_MS, &outcome);
	outcome_free(&outcome);
	HANGLAB(&outcome, "matrix", "--collect", plan);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	check_quick(outcome.output);
	outcome_free(&outcome);
	HANGLAB(&outcome, "matrix", "--kernel", "debian", "--out", runs_folder(), "--executor",
		"parallel::", "--jobs", "2", QUICK, CONTROL);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	check_quick(outcome.output);
	outcome_free(&outcome);
}

static bool has_word(const char *words, size_t size, const char *word)
{
	return memmem(words, size, word, strlen(word) + 1);
}

/* The process of the job that leaves its runs in @out and its result in "plan.1.json", not its children. */
static pid_t find_member(const char *out)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	pid_t oldest = 0;

	while (processes && (entry = readdir(processes))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		cleanup_free char *path = file_path("/proc/%d/cmdline", (int)pid), *words = NULL;
		size_t size;

		if (pid > 0 && (!oldest || pid < oldest) && !file_read(path, &words, &size, NULL) &&
		    has_word(words, size, out) && has_word(words, size, "/plan.1.json"))
			oldest = pid;
	}
	if (processes)
		closedir(processes);
	return oldest;
}

/* As if its node failed: nobody is told. */
static void await_and_kill_member(const char *out)
{
	struct polling polling = polling_begin(60 * NANOSECONDS_PER_SECOND, NANOSECONDS_PER_SECOND / 20);
	pid_t member = find_member(out);

	while (!member && polling_again(&polling))
		member = find_member(out);
	CU_ASSERT_FATAL(member > 0);
	CU_ASSERT_EQUAL(kill(member, SIGKILL), 0);
}

/**
 * struct background - hanglab at work, while something is done to it
 * @output, @errors: descriptors of what it prints
 */
struct background {
	struct process process;
	int output, errors;
};

static void start_matrix(struct background *matrix, const char *out)
{
	const char *const arguments[] = {program(),    "matrix", "--kernel", "debian", "--out", out,
					 "--executor", "slurm",	 LONG,	     CONTROL,  NULL};
	struct process_files files = {-1, -1, -1, NULL, 0};

	files.output = matrix->output = memfd_create("output", MFD_CLOEXEC);
	files.error = matrix->errors = memfd_create("errors", MFD_CLOEXEC);
	matrix->process = (struct process)PROCESS_NONE;
	CU_ASSERT_EQUAL_FATAL(process_start(&matrix->process, arguments, &files, NULL), 0);
}

static int end_matrix(struct background *matrix, char **output, char **errors)
{
	cleanup_free char *path = file_path("/proc/self/fd/%d", matrix->output),
			  *path_errors = file_path("/proc/self/fd/%d", matrix->errors);
	int status = -1;

	CU_ASSERT_EQUAL(process_wait(&matrix->process, LIMIT_MS, &status, NULL), 0);
	process_kill(&matrix->process);
	CU_ASSERT_EQUAL_FATAL(file_read(path, output, NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(file_read(path_errors, errors, NULL, NULL), 0);
	close(matrix->output);
	close(matrix->errors);
	return status;
}

/* One member is killed in the first round: its job is run again. */
static void run_on_slurm(void)
{
	cleanup_free char *out = file_path("%s/cluster", runs_folder()), *output = NULL, *errors = NULL;
	struct background matrix;

	start_matrix(&matrix, out);
	await_and_kill_member(out);
	CU_ASSERT_EQUAL(end_matrix(&matrix, &output, &errors), 0);
	check_cells(output, "\nfsfreeze-timeout-20-panic       seen\n",
		    "\nwindows-clock-watchdog-control  clean\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(errors, "1 of 2 jobs left no result: they are run again"));
}

static void slurm(void)
{
	struct slurm cluster cleanup_with(slurm_end) = {0};
	struct hl_error err = HL_ERROR_INIT;

	if (is_missing("munged") || is_missing("slurmctld") || is_missing("slurmd") || is_missing("sbatch"))
		return;
	if (slurm_start(&cluster, &err)) {
		printf("SKIP (no Slurm can be started here: %s) ", err.text);
		return;
	}
	run_on_slurm();
}

CU_TestInfo executors_tests[] = {
	{"a plan run by a shell, and by GNU parallel", plan_and_parallel},
	{"a one-node Slurm; a member is killed and run again", slurm},
	CU_TEST_INFO_NULL,
};
