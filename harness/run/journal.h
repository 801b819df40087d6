/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_JOURNAL_H
#define HANGLAB_RUN_JOURNAL_H

#include "base/error.h"

#include <jansson.h>

/**
 * struct journal - journal.jsonl of a run: one JSON object per line, written and synced before each action
 * @fd: the file, -1 for none
 */
struct journal {
	int fd;
};

#define JOURNAL_NONE                                                                                         \
	{                                                                                                    \
		-1                                                                                           \
	}

/** journal_open() - create the journal of a run. Return: 0 or -errno. */
int journal_open(struct journal *journal, const char *path, struct hl_error *err);

/**
 * journal_write() - write one line and sync it
 * @action: what is about to be done, or was found
 * @details: further members; the reference is consumed; NULL for none
 *
 * A line that could not be written whole is cut off again, so the journal stays readable to its last line.
 *
 * Return: 0 or -errno. A run that cannot be journalled must not go on.
 */
int journal_write(struct journal *journal, const char *action, json_t *details, struct hl_error *err);

/** journal_close() - close the file */
void journal_close(struct journal *journal);

#endif
