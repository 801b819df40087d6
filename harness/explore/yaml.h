/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_EXPLORE_YAML_H
#define HANGLAB_EXPLORE_YAML_H

#include <jansson.h>
#include <stdio.h>

/**
 * yaml_write_scenario() - write the JSON of a plan as a scenario file
 * @plan: objects, arrays and texts; the positions in it are left out
 *
 * scenario_load() reads the same plan back.
 */
void yaml_write_scenario(const json_t *plan, FILE *out);

#endif
