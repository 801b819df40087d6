// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/counter.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/evidence.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* What follows "NAME" or "NAME:" in its line, or NULL. */
static const char *find_line(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n ");
		if (!strncmp(line, name, length) && strchr(": ", line[length]) && line[length])
			return line + length + (line[length] == ':');
	}
	return NULL;
}

static bool next_number(const char **position, int64_t *number)
{
	char *end;

	*position += strspn(*position, " \t");
	if (!isdigit((unsigned char)**position))
		return false;
	*number = strtoll(*position, &end, 10);
	*position = end;
	return true;
}

int counter_parse(const struct counter *counter, const char *text, int64_t *value, struct hl_error *err)
{
	const char *position = find_line(text, counter->name);
	int64_t number;
	size_t column = 0;

	*value = 0;
	while (position && next_number(&position, &number)) {
		if (counter->column == COUNTER_SUM)
			*value += number;
		else if (counter->column == column)
			*value = number;
		column++;
	}
	if (!column || (counter->column != COUNTER_SUM && counter->column >= column))
		return hl_error_set(err, ENOENT, "%s has no counter %s", counter->path, counter->name);
	return 0;
}

int counter_read(const struct counter *counter, int64_t *value, struct hl_error *err)
{
	cleanup_free char *text = NULL;
	int r = file_read(counter->path, &text, NULL, err);

	return r ? r : counter_parse(counter, text, value, err);
}

struct awaited {
	const struct counter *counter;
	int64_t least, *value;
};

static int has_arrived(void *data, struct hl_error *err)
{
	const struct awaited *awaited = data;
	int r = counter_read(awaited->counter, awaited->value, err);

	return r ? r : *awaited->value >= awaited->least;
}

int counter_await(const struct counter *counter, int64_t least, int64_t limit, int64_t *value,
		  struct hl_error *err)
{
	struct awaited awaited = {counter, least, value};
	int r = evidence_poll(has_arrived, &awaited, limit, err);

	if (r == -ETIMEDOUT)
		hl_error_set(err, ETIMEDOUT, "%s of %s came to %" PRId64 " and not to %" PRId64,
			     counter->name, counter->path, *value, least);
	return r;
}
