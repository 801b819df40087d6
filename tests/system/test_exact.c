// SPDX-License-Identifier: GPL-2.0-or-later
/* Equal seeds give equal consoles, to the byte; also beside a busy process. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"

#include <CUnit/CUnit.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define SCENARIO "scenarios/fsfreeze-hung-task.yaml"

static void console_hash(const char *seed, char *hash)
{
	cleanup_free char *path = NULL;
	struct outcome outcome;

	hash[0] = '\0';
	HANGLAB(&outcome, "run", "--format", "json", "--seed", seed, SCENARIO);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "exact"), "bytes");
	path = file_path("%s/console.log", text_in(&outcome, "folder"));
	CU_ASSERT(!hash_file(path, hash, NULL));
	outcome_free(&outcome);
}

static pid_t start_busy_loop(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	while (getppid() == parent)
		;
	_exit(0);
}

static void same_seed_same_bytes(void)
{
	char first[HASH_TEXT_SIZE], second[HASH_TEXT_SIZE], other[HASH_TEXT_SIZE];
	pid_t busy;

	console_hash("7", first);
	busy = start_busy_loop();
	console_hash("7", second);
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
	console_hash("8", other);
	CU_ASSERT_STRING_EQUAL(first, second);
	CU_ASSERT_STRING_NOT_EQUAL(first, other);
}

CU_TestInfo exact_tests[] = {
	{"the same seed gives the same bytes, another seed others", same_seed_same_bytes},
	CU_TEST_INFO_NULL,
};
