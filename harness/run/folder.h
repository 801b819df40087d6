/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_RUN_FOLDER_H
#define HANGLAB_RUN_FOLDER_H

#include "base/error.h"

/**
 * run_folder_create() - a new folder for a run: OUT/SCENARIO-DATE-TIME, and the link OUT/latest
 * @out: folder of all runs, created if missing
 * @scenario: name of the scenario
 * @path: newly allocated absolute path; the caller frees it
 *
 * Return: 0 or -errno.
 */
int run_folder_create(const char *out, const char *scenario, char **path, struct hl_error *err);

#endif
