// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree_build.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "kernel_tree.h"

#include <string.h>

static const struct {
	const char *program, *package;
} needs[] = {
	{"bc", "bc"},	  {"bison", "bison"}, {"ccache", "ccache"}, {"flex", "flex"},	{"gcc", "gcc"},
	{"make", "make"}, {"patch", "patch"}, {"tar", "tar"},	    {"xz", "xz-utils"},
};

int tree_build_check_programs(struct hl_error *err)
{
	cleanup_free char *missing = file_path("%s", "");

	for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
		cleanup_free char *path = process_find_program(needs[i].program), *old = missing;

		missing = file_path("%s%s%s", old, path ? "" : " ", path ? "" : needs[i].package);
	}
	if (!*missing)
		return 0;
	return hl_error_set(err, ENOENT,
			    "to build a kernel, these are missing here:%s; run make deps-kernel, or apt-get "
			    "install%s libelf-dev libssl-dev",
			    missing, missing);
}

static int make(const struct tree_build *build, const char *const *words, const char *what,
		const struct progress *progress, struct hl_error *err)
{
	cleanup_free char *log = file_path("%s/build.log", build->folder);
	cleanup_free char *phase = file_path("%s %s", what, build->name);

	return kernel_tree_make(build->tree, words, log, progress, phase, err);
}

static int configure(const struct tree_build *build, const struct progress *progress, struct hl_error *err)
{
	bool off = build->config->rest_off;
	cleanup_free char *text = kconfig_text(build->config);
	cleanup_free char *path =
		off ? file_path("%s/wanted.config", build->folder) : file_path("%s/.config", build->tree);
	cleanup_free char *wanted = file_path("KCONFIG_ALLCONFIG=%s", path);
	const char *const all_off[] = {wanted, "allnoconfig", NULL}, *const defaults[] = {"olddefconfig",
											  NULL};
	int r = file_write(path, text, strlen(text), err);

	if (!r)
		r = make(build, off ? all_off : defaults, "configure", progress, err);
	return r ? r : kconfig_check(build->config, build->tree, err);
}

int tree_build(const struct tree_build *build, const struct progress *progress, struct hl_error *err)
{
	cleanup_free char *jobs = file_path("-j%u", build->jobs);
	const char *const words[] = {jobs, "CC=ccache gcc", "HOSTCC=ccache gcc", "all", NULL};
	int r = configure(build, progress, err);

	return r ? r : make(build, words, "build", progress, err);
}
