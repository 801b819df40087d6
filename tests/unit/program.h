/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_TESTS_PROGRAM_H
#define HANGLAB_TESTS_PROGRAM_H

/* The program under test, run as a user would, with all that it prints. */

/** struct program_result - what a run of hanglab left: its exit code (-1: ended by a signal) and its output
 */
struct program_result {
	int code;
	char *output, *errors;
};

/**
 * program_run() - run hanglab (the environment's HANGLAB, else ./hanglab)
 * @arguments: NULL-terminated, without the program itself
 *
 * Return: the result, to be freed with program_free().
 */
struct program_result program_run(const char *const *arguments);

/** program_free() - usable with the cleanup attribute */
void program_free(struct program_result *result);

#endif
