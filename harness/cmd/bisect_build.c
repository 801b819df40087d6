// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/bisect_build.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "compare/git_answer.h"
#include "vm-images/tree_build.h"

#include <string.h>
#include <sys/sysinfo.h>

#define TREE	       "tree:"
#define MOST_FRAGMENTS 16

int bisect_build(const struct command_line *line, const char *const *kernels, size_t count)
{
	const struct progress silent = {NULL, NULL};
	cleanup_free char *tree = NULL, *folder = NULL;
	struct kconfig config cleanup_with(kconfig_clear) = {0};
	const char *fragments[MOST_FRAGMENTS], *fragment, *name = kernels[0];
	const char *base = command_option(line, "config");
	struct hl_error err = HL_ERROR_INIT;
	size_t position = 0, used = 0;
	int r;

	if (count != 1 || strncmp(name, TREE, strlen(TREE)) != 0)
		return command_usage_error(line, "--build: it builds one kernel, named tree:FOLDER");
	while (used < MOST_FRAGMENTS && (fragment = command_option_next(line, "config-fragment", &position)))
		fragments[used++] = fragment;
	r = kconfig_read(base ? base : "lab", fragments, used, &config, &err);
	if (!r)
		r = tree_build_check_programs(&err);
	if (r)
		return command_error(line, GIT_ANSWER_SKIP, &err);
	tree = realpath(name + strlen(TREE), NULL);
	r = tree ? file_cache_folder("bisect", &folder, &err)
		 : hl_error_errno(&err, errno, "find the tree %s", name + strlen(TREE));
	if (!r)
		r = tree_build(&(struct tree_build){tree, name, folder, &config, (unsigned int)get_nprocs()},
			       &silent, &err);
	return r ? command_error(line, GIT_ANSWER_SKIP, &err) : 0;
}
