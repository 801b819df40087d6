// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/page.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>

/* Stands in the page where the runs belong. */
#define PLACE "@RUNS@"

/*
 * Inside a script element only "</" and "<!--" could end or confuse it: with JSON_ESCAPE_SLASH there is no
 * "</", and a "<" can be written as \u003c.
 */
static char *embeddable(const json_t *runs)
{
	cleanup_free char *text =
		json_dumps(runs, JSON_COMPACT | JSON_ESCAPE_SLASH | JSON_REAL_PRECISION(12));
	char *safe = text ? malloc(6 * strlen(text) + 1) : NULL, *out = safe;

	for (const char *in = text; safe && *in; in++) {
		if (*in == '<')
			out = stpcpy(out, "\\u003c");
		else
			*out++ = *in;
	}
	if (safe)
		*out = '\0';
	return safe;
}

int page_write(const json_t *runs, const char *path, struct hl_error *err)
{
	cleanup_free char *source = file_shipped("harness/report/page.html", "../share/hanglab/page.html");
	cleanup_free char *template = NULL, *data = embeddable(runs), *page = NULL;
	char *place;
	size_t size;
	int r = file_read(source, &template, &size, err);

	if (r)
		return r;
	place = strstr(template, PLACE);
	if (!place)
		return hl_error_set(err, EINVAL, "%s has no place for the runs (%s)", source, PLACE);
	*place = '\0';
	if (!data || asprintf(&page, "%s%s%s", template, data, place + strlen(PLACE)) < 0) {
		page = NULL;
		return hl_error_errno(err, ENOMEM, "make the page %s", path);
	}
	return file_write(path, page, strlen(page), err);
}
