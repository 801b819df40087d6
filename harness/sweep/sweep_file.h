/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SWEEP_SWEEP_FILE_H
#define HANGLAB_SWEEP_SWEEP_FILE_H

#include "base/arena.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct sweep_file - a sweep as it is written down
 * @scenario: path of the scenario, relative to the sweep's own folder
 * @event: see struct sweep, or NULL
 * @sysctl, @boot: objects: names to lists of values, as texts with commas
 * @want, @hold: texts, NULL-terminated
 * @repeat, @load, @keep: see struct sweep
 */
struct sweep_file {
	const json_t *source;
	const char *sweep, *summary, *scenario, *event, *keep;
	const json_t *sysctl, *boot;
	const char **want, **hold;
	int64_t repeat, load;
	json_t *json;
	struct arena arena;
};

/** Its schema. */
extern const struct schema sweep_file_schema;

/** sweep_file_is() - is this YAML file a sweep ("sweep: NAME"), and no scenario? */
bool sweep_file_is(const char *path);

/**
 * sweep_file_load() - read a sweep
 * @file: zeroed; sweep_file_clear() it also after a failure
 *
 * Return: 0, or -errno with file, line and column in the message.
 */
int sweep_file_load(const char *path, struct sweep_file *file, struct hl_error *err);

/** sweep_file_clear() - release everything */
void sweep_file_clear(struct sweep_file *file);

#endif
