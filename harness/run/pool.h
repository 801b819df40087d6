/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_POOL_H
#define HANGLAB_RUN_POOL_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

/**
 * typedef pool_work - one piece of work, in a process of its own
 * @data: as given to pool_run()
 * @index: which piece
 *
 * Return: its result, a new reference.
 */
typedef json_t *(*pool_work)(void *data, size_t index);

/**
 * pool_run() - do pieces of work in child processes, several at a time
 * @count: pieces
 * @jobs: how many at a time
 * @results: receives a new array in the order of the pieces; null where a process died or was never
 *	started because a signal ended it all
 *
 * SIGINT and SIGTERM are passed on to the children as SIGTERM; no further pieces are then started. The
 * children die with this process.
 *
 * Return: 0, -EINTR after a signal, or -errno.
 */
int pool_run(size_t count, size_t jobs, pool_work work, void *data, json_t **results, struct hl_error *err);

#endif
