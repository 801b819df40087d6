/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_SCENARIO_LOADER_H
#define HANGLAB_SCENARIO_LOADER_H

#include "base/error.h"
#include "inject/plan.h"

/**
 * scenario_load() - read and check a scenario file
 * @path: the YAML file
 * @plan: zeroed; receives the plan; plan_free() it also after a failure
 * @err: "FILE:LINE:COLUMN: what is wrong", the offending line, a mark below it and a hint
 *
 * Return: 0; -EINVAL for a file that is wrong; other -errno when it could not be read.
 */
int scenario_load(const char *path, struct plan *plan, struct hl_error *err);

/**
 * scenario_convert() - a YAML file to JSON by a schema, without the checks of a scenario's meaning
 * @path: the YAML file
 * @schema: what it must look like
 * @json: a new reference; beside each key stands its position, see base/schema.h
 *
 * Return: as scenario_load().
 */
int scenario_convert(const char *path, const struct schema *schema, json_t **json, struct hl_error *err);

/**
 * scenario_error() - an error that points into a scenario file
 * @path: the file; its line is quoted
 * @position: "LINE:COLUMN" as schema_position() returns it
 *
 * Return: -EINVAL.
 */
int scenario_error(struct hl_error *err, const char *path, const char *position, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
