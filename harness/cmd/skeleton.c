// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/skeleton.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

char *skeleton_symbol(const char *name)
{
	char *symbol = file_path("%s", name);

	for (char *at = symbol; *at; at++)
		if (*at == '-')
			*at = '_';
	return symbol;
}

int skeleton_check_name(const char *name, struct hl_error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (islower((unsigned char)name[0]) && name[strspn(name, allowed)] == '\0')
		return 0;
	return hl_error_set(err, EINVAL,
			    "'%s' is no name: lower case letters, digits and hyphens, a letter first", name);
}

/* @text with every @mark replaced; newly allocated. */
static char *replace(const char *text, const char *mark, const char *value)
{
	char *out = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&out, &size);
	const char *found;

	if (!stream)
		abort();
	for (; (found = strstr(text, mark)); text = found + strlen(mark))
		fprintf(stream, "%.*s%s", (int)(found - text), text, value);
	fputs(text, stream);
	fclose(stream);
	return out;
}

int skeleton_write(const char *skeleton, const char *name, const char *path, struct hl_error *err)
{
	cleanup_free char *built = file_path("harness/skeletons/%s.in", skeleton);
	cleanup_free char *installed = file_path("../share/hanglab/skeletons/%s.in", skeleton);
	cleanup_free char *source = file_shipped(built, installed), *symbol = skeleton_symbol(name);
	cleanup_free char *text = NULL, *named = NULL, *filled = NULL;
	int r;

	if (!access(path, F_OK))
		return hl_error_errno(err, EEXIST, "write %s", path);
	r = file_read(source, &text, NULL, err);
	if (r)
		return r;
	named = replace(text, "@NAME@", name);
	filled = replace(named, "@SYMBOL@", symbol);
	return file_write(path, filled, strlen(filled), err);
}

/* Where @line belongs in @text. */
static const char *find_place(const char *text, const char *line, bool sorted)
{
	size_t word = strcspn(line, "(") + 1;
	const char *at = text, *end;

	for (; sorted && *at; at = *end ? end + 1 : end) {
		end = at + strcspn(at, "\n");
		if (!strncmp(at, line, word) && strncmp(at, line, (size_t)(end - at)) > 0)
			return at;
	}
	return text + strlen(text);
}

int skeleton_add_line(const char *path, const char *line, bool sorted, struct hl_error *err)
{
	cleanup_free char *text = NULL, *longer = NULL, *whole = file_path("%s\n", line);
	const char *place;
	int r = file_read(path, &text, NULL, err);

	if (r)
		return r;
	if (strstr(text, whole))
		return hl_error_set(err, EEXIST, "%s has the line %s already", path, line);
	place = find_place(text, line, sorted);
	/* The last line may lack its end. */
	longer = file_path("%.*s%s%s%s", (int)(place - text), text,
			   place > text && place[-1] != '\n' ? "\n" : "", whole, place);
	return file_write(path, longer, strlen(longer), err);
}
