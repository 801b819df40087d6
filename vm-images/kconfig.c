// SPDX-License-Identifier: GPL-2.0-or-later
#include "kconfig.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"

#include <string.h>

#define GREP_TIMEOUT_MS (5 * 60 * 1000)
#define OPTION		"CONFIG_"
#define OFF		" is not set"

void kconfig_clear(struct kconfig *config)
{
	for (size_t i = 0; i < config->count; i++) {
		free(config->parts[i].path);
		free(config->parts[i].text);
	}
	free(config->parts);
	*config = (struct kconfig){NULL, 0, false};
}

/* ---- lines ---- */

/* An assignment: "CONFIG_NAME=VALUE", or "# CONFIG_NAME is not set", which is "n". The texts are in the line.
 */
struct assignment {
	const char *name, *value;
	size_t name_length, value_length;
};

static const char *skip_comment(const char *line)
{
	return strncmp(line, "# " OPTION, strlen("# " OPTION)) ? line : line + 2;
}

/* Return: false for any other line. */
static bool parse_line(const char *line, struct assignment *assignment)
{
	const char *name = skip_comment(line);
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	const char *rest = name + length;

	if (strncmp(name, OPTION, strlen(OPTION)) || length == strlen(OPTION))
		return false;
	*assignment = (struct assignment){name, rest + 1, length, strcspn(rest, "\n") - 1};
	if (name == line)
		return *rest == '=';
	assignment->value = "n";
	assignment->value_length = 1;
	return !strncmp(rest, OFF, strlen(OFF));
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end && end[1] ? end + 1 : NULL;
}

static bool is_empty(const char *line)
{
	line += strspn(line, " \t\r");
	return !*line || *line == '\n' || *line == '#';
}

static int check_lines(const struct kconfig_part *part, struct hl_error *err)
{
	unsigned int number = 1;

	for (const char *line = part->text; line; line = next_line(line), number++) {
		struct assignment assignment;

		if (!is_empty(line) && !parse_line(line, &assignment))
			return hl_error_set(err, EINVAL,
					    "%s:%u: \"%.*s\" is no option of a kernel: write "
					    "CONFIG_NAME=y, m, n, a number or a \"text\"",
					    part->path, number, (int)strcspn(line, "\n"), line);
	}
	return 0;
}

/* ---- read ---- */

static int add_part(struct kconfig *config, char *path, bool lenient, struct hl_error *err)
{
	struct kconfig_part *part = &config->parts[config->count++];
	int r;

	part->path = path;
	part->lenient = lenient;
	r = file_read(path, &part->text, NULL, err);
	return r ? r : check_lines(part, err);
}

static char *shipped(const char *name)
{
	cleanup_free char *built = file_path("vm-images/config/%s.config", name);
	cleanup_free char *installed = file_path("../share/hanglab/config/%s.config", name);

	return file_shipped(built, installed);
}

static int add_base(struct kconfig *config, const char *base, struct hl_error *err)
{
	bool lab = !strcmp(base, "lab");
	int r;

	config->rest_off = lab || !strcmp(base, "boot");
	if (!config->rest_off)
		return add_part(config, strdup(base), true, err);
	r = add_part(config, shipped("boot"), true, err);
	return r || !lab ? r : add_part(config, shipped("lab"), true, err);
}

int kconfig_read(const char *base, const char *const *fragments, size_t count, struct kconfig *config,
		 struct hl_error *err)
{
	struct kconfig found = {calloc(count + 2, sizeof(*found.parts)), 0, false};
	int r = found.parts ? add_base(&found, base, err) : hl_error_errno(err, ENOMEM, "read %s", base);

	for (size_t i = 0; !r && i < count; i++)
		r = add_part(&found, strdup(fragments[i]), false, err);
	if (r)
		kconfig_clear(&found);
	else
		*config = found;
	return r;
}

char *kconfig_text(const struct kconfig *config)
{
	char *text = file_path("%s", "");

	for (size_t i = 0; i < config->count; i++) {
		cleanup_free char *old = text;

		text = file_path("%s%s\n", old, config->parts[i].text);
	}
	return text;
}

/* ---- check ---- */

static bool same_name(const struct assignment *a, const struct assignment *b)
{
	return a->name_length == b->name_length && !strncmp(a->name, b->name, a->name_length);
}

/* The last assignment of the same option in a text; @found is left alone when there is none. */
static bool find_last(const char *text, const struct assignment *wanted, struct assignment *found)
{
	struct assignment other;
	bool any = false;

	for (const char *line = text; line; line = next_line(line))
		if (parse_line(line, &other) && same_name(&other, wanted)) {
			*found = other;
			any = true;
		}
	return any;
}

static bool is_overridden(const struct kconfig *config, size_t part, const struct assignment *wanted)
{
	struct assignment later;

	for (size_t i = part + 1; i < config->count; i++)
		if (find_last(config->parts[i].text, wanted, &later))
			return true;
	return find_last(config->parts[part].text, wanted, &later) && later.name != wanted->name;
}

/* Where the sources define an option, "FILE:LINE", newly allocated; NULL when they do not. */
static char *find_definition(const char *tree, const struct assignment *wanted)
{
	const char *name = wanted->name + strlen(OPTION);
	cleanup_free char *pattern = file_path("^[[:space:]]*(menu)?config[[:space:]]+%.*s[[:space:]]*$",
					       (int)(wanted->name_length - strlen(OPTION)), name);
	const char *const command[] = {
		"grep", "-rEn",	 "-m1", "-s", "--include=Kconfig*", "--exclude-dir=.git",
		"-e",	pattern, tree,	NULL};
	cleanup_free char *lines = NULL;
	size_t place = strlen(tree) + 1;

	if (process_run(command, GREP_TIMEOUT_MS, &lines, NULL) || strlen(lines) < place)
		return NULL;
	return file_path(
		"%.*s",
		(int)(strcspn(lines + place, ":") + 1 + strspn(strchr(lines + place, ':') + 1, "0123456789")),
		lines + place);
}

static int not_there(const struct kconfig_part *part, unsigned int line, const struct assignment *wanted,
		     const struct assignment *got, const char *tree, struct hl_error *err)
{
	cleanup_free char *definition = find_definition(tree, wanted);

	if (!definition && part->lenient)
		return 0;
	if (!definition)
		return hl_error_set(err, EINVAL, "%s:%u: these sources have no option %.*s", part->path, line,
				    (int)wanted->name_length, wanted->name);
	return hl_error_set(
		err, EINVAL,
		"%s:%u: %.*s=%.*s is asked for, but it became %.*s: see what it depends on, in %s",
		part->path, line, (int)wanted->name_length, wanted->name, (int)wanted->value_length,
		wanted->value, (int)got->value_length, got->value, definition);
}

static int check_part(const struct kconfig *config, size_t number, const char *result, const char *tree,
		      struct hl_error *err)
{
	const struct kconfig_part *part = &config->parts[number];
	unsigned int at = 1;
	int r = 0;

	for (const char *line = part->text; !r && line; line = next_line(line), at++) {
		struct assignment wanted, got = {.value = "n", .value_length = 1};

		if (!parse_line(line, &wanted) || is_overridden(config, number, &wanted))
			continue;
		find_last(result, &wanted, &got);
		if (wanted.value_length != got.value_length ||
		    strncmp(wanted.value, got.value, got.value_length) != 0)
			r = not_there(part, at, &wanted, &got, tree, err);
	}
	return r;
}

int kconfig_check(const struct kconfig *config, const char *tree, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/.config", tree), *result = NULL;
	int r = file_read(path, &result, NULL, err);

	for (size_t i = config->rest_off ? 0 : 1; !r && i < config->count; i++)
		r = check_part(config, i, result, tree, err);
	return r;
}
