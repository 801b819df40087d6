// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/similar.h"
#include "cmd/command.h"
#include "cmd/skeleton.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FAILED 2

/**
 * struct kind - something that can be begun
 * @files: skeletons and where they go; "%s" in a path is the name, with underscores in C files
 * @list, @line: the list that names it and its line there, "%s" being the symbol; or NULL
 * @sorted: the order of the list is that of the alphabet
 * @next: what to do then, "%1$s" being the name and "%2$s" the symbol
 */
struct kind {
	const char *name;
	struct {
		const char *skeleton, *path;
	} files[2];
	const char *list, *line;
	bool sorted;
	const char *next;
};

static const struct kind kinds[] = {
	{.name = "scenario",
	 .files = {{"scenario.yaml", "%s.yaml"}},
	 .next = "hanglab run %1$s.yaml runs it as it is; then make it say what you want to reproduce.\n"},
	{.name = "injector",
	 .files = {{"injector.c", "inject/%s.c"}, {"injector.yaml", "scenarios/%s.yaml"}},
	 .list = "inject/list.def",
	 .line = "INJECTOR(%s)",
	 .sorted = true,
	 .next = "Write its four steps in inject/%2$s.c. Until then scenarios/%1$s.yaml is BROKEN, and so is "
		 "make "
		 "check.\n"},
	{.name = "workload",
	 .files = {{"workload.c", "inject/workload/%s.c"}, {"workload.yaml", "scenarios/%s.yaml"}},
	 .list = "inject/workload/list.def",
	 .line = "WORKLOAD(%s)",
	 .sorted = true,
	 .next = "Write it in inject/workload/%2$s.c. Until then scenarios/%1$s.yaml is BROKEN, and so is "
		 "make "
		 "check.\n"},
	{.name = "checker",
	 .files = {{"checker.c", "checkers/parse_%s.c"}},
	 .list = "checkers/signatures.def",
	 .line = "SIGNATURE(%1$s, WARNING, \"the anchor of %1$s\", %1$s, \"all\", \"what the kernel "
		 "prints\", "
		 "\"prose with the anchor of %1$s\")",
	 .next = "Write the parser in checkers/parse_%2$s.c, and kind, anchor, sample and near miss in the "
		 "last "
		 "line of\ncheckers/signatures.def. Until then make unit fails: the sample is not "
		 "recognised.\n"},
};

/* The formats are those of the table above. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static int unknown_kind(const struct command_line *line)
{
	const char *names[sizeof(kinds) / sizeof(kinds[0])], *near;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		names[i] = kinds[i].name;
	near = similar_find(line->operands[0], names, sizeof(kinds) / sizeof(kinds[0]));
	return command_usage_error(line, "unknown kind '%s'%s%s%s", line->operands[0],
				   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static char *path_of(const char *format, const char *name, const char *symbol)
{
	return file_path(format, strstr(format, ".c") ? symbol : name);
}

/* Nothing is written unless all of it can be. */
static int check_free(const struct kind *kind, const char *name, const char *symbol, struct hl_error *err)
{
	if (kind->list && access(kind->list, W_OK))
		return hl_error_errno(err, errno,
				      "write %s (a new %s is begun in the source tree of hanglab)",
				      kind->list, kind->name);
	for (size_t i = 0; i < 2 && kind->files[i].skeleton; i++) {
		cleanup_free char *path = path_of(kind->files[i].path, name, symbol);

		if (!access(path, F_OK))
			return hl_error_errno(err, EEXIST, "write %s", path);
	}
	return 0;
}

static int begin(const struct kind *kind, const char *name, const char *symbol, struct hl_error *err)
{
	int r = check_free(kind, name, symbol, err);

	for (size_t i = 0; !r && i < 2 && kind->files[i].skeleton; i++) {
		cleanup_free char *path = path_of(kind->files[i].path, name, symbol);

		r = skeleton_write(kind->files[i].skeleton, name, path, err);
		if (!r)
			printf("wrote %s\n", path);
	}
	if (!r && kind->list) {
		cleanup_free char *entry = file_path(kind->line, symbol);

		r = skeleton_add_line(kind->list, entry, kind->sorted, err);
		if (!r)
			printf("added a line to %s\n", kind->list);
	}
	return r;
}

static int run(const struct command_line *line)
{
	const struct kind *kind = find_kind(line->operands[0]);
	const char *name = line->operands[1];
	cleanup_free char *symbol = skeleton_symbol(name);
	struct hl_error err = HL_ERROR_INIT;

	if (!kind)
		return unknown_kind(line);
	if (skeleton_check_name(name, &err))
		return command_usage_error(line, "%s", err.text);
	if (begin(kind, name, symbol, &err))
		return command_error(line, FAILED, &err);
	printf(kind->next, name, symbol);
	return 0;
}

const struct command command_new = {
	.name = "new",
	.summary = "begin a scenario, an injector, a workload or a checker",
	.operands = "scenario|injector|workload|checker NAME",
	.help = "Writes a commented file to start from, and what tests it. A scenario goes into this folder; "
		"the\n"
		"others are for the source tree of hanglab, where they get their line in a list too. What is "
		"not\n"
		"written yet fails its test.\n\n"
		"Exit code: 0, or 2 when something is there already.\n",
	.example = "hanglab new scenario my-freeze\n"
		   "hanglab new injector clock-stop\n",
	.fewest = 2,
	.most = 2,
	.run = run,
};
