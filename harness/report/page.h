/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_REPORT_PAGE_H
#define HANGLAB_REPORT_PAGE_H

#include "base/error.h"

#include <jansson.h>

/**
 * page_write() - one HTML file that shows runs, and needs nothing beside it
 * @runs: array of what time_line_load() gives
 * @path: of the file
 *
 * The page is harness/report/page.html with the runs put in as JSON; it draws itself.
 *
 * Return: 0 or -errno.
 */
int page_write(const json_t *runs, const char *path, struct hl_error *err);

#endif
