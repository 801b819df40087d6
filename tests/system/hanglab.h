/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_SYSTEM_HANGLAB_H
#define TESTS_SYSTEM_HANGLAB_H

#include "base/process.h"

#include <jansson.h>

/*
 * Running ./hanglab as a user would, for the system tests. All of them share one folder for their runs.
 */

/**
 * struct outcome - what a command did
 * @exit_code: of the process; 128 + N when signal N ended it
 * @output, @errors: what it printed
 * @results: "results" of its --format json output, or NULL
 */
struct outcome {
	int exit_code;
	char *output, *errors;
	json_t *results;
};

/** outcome_free() - release and empty */
void outcome_free(struct outcome *outcome);

/** runs_folder() - folder for the runs of this test program, removed at its end unless something failed */
const char *runs_folder(void);

/** program() - a program beside the tests: "hanglab"; static memory */
const char *program(void);

/**
 * run_command() - run a command to its end
 * @arguments: NULL-terminated; the first is a program
 * @timeout_ms: it is killed after this time, which fails the test
 */
void run_command(const char *const *arguments, int timeout_ms, struct outcome *outcome);

/** run_hanglab() - run "hanglab ARGUMENTS..." with an --out of ours when it is "run" */
void run_hanglab(struct outcome *outcome, const char *const *arguments);

/** Convenience: HANGLAB(&outcome, "run", path) */
#define HANGLAB(outcome, ...) run_hanglab(outcome, (const char *const[]){__VA_ARGS__, NULL})

enum start { START_COLD, START_WARM };

/**
 * run_scenarios() - run them all, two at a time
 * @start: START_WARM: those that can share the snapshot of a guest
 * @look: is called for each with its result
 */
void run_scenarios(enum start start, char *const *paths, size_t count,
		   void (*look)(const char *path, const json_t *result));

/** text_in() - a text member of the first result, or "" */
const char *text_in(const struct outcome *outcome, const char *key);

/** number_in() - a number member of the first result, or -1 */
double number_in(const struct outcome *outcome, const char *key);

/** processes_naming() - running processes other than this one whose command line contains @text */
int processes_naming(const char *text);

/** struct family - a process and all that it and its children have started, at one moment */
struct family {
	struct {
		pid_t pid;
		unsigned long long started;
	} members[64];
	size_t count;
};

/** family_of() - the family of a process */
void family_of(pid_t pid, struct family *family);

/** family_alive() - members that still run; the numbers of others may have been given to new processes */
size_t family_alive(const struct family *family);

#endif
