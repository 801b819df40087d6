/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_EXECUTOR_HAND_OVER_H
#define HANGLAB_EXECUTOR_HAND_OVER_H

#include "base/process.h"

/**
 * struct handed_over - what became of a program that runs jobs
 * @interrupted: SIGINT, SIGTERM or SIGHUP came; the program has then ended after a SIGTERM, or a SIGKILL
 * @status: wait status
 * @output, @errors: what it printed, newly allocated
 */
struct handed_over {
	int interrupted, status;
	char *output, *errors;
};

/** handed_over_clear() - release the texts */
void handed_over_clear(struct handed_over *done);

/**
 * hand_over() - run a program that runs jobs, to its end, however long it takes
 * @arguments: NULL-terminated; the first names the program
 * @input: its standard input
 * @done: receives what became of it; handed_over_clear() it also after a failure
 *
 * Return: 0, -ENOENT when there is no such program, or -errno.
 */
int hand_over(const char *const *arguments, const char *input, struct handed_over *done,
	      struct hl_error *err);

#endif
