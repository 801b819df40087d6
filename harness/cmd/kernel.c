// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "cmd/command.h"
#include "vm-images/build.h"
#include "vm-images/fetch_debian.h"
#include "vm-images/kernel_store.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define FAILED	     2
#define PIPE_SECONDS 10
#define JOBS_MOST    1024

/* On a terminal one line that changes; in a pipe each new phase, and every ten seconds how far it is. */
struct shown {
	size_t length;
	char phase[64];
	time_t at;
};

static void show_line(struct shown *shown, const char *phase)
{
	size_t length = strcspn(phase, ":");
	time_t now = time(NULL);
	bool same = length == shown->length && !strncmp(phase, shown->phase, length);

	if (same && now < shown->at + PIPE_SECONDS)
		return;
	fprintf(stderr, "%s\n", phase);
	shown->length = length;
	snprintf(shown->phase, sizeof(shown->phase), "%.*s", (int)length, phase);
	shown->at = now;
}

static void show_progress(void *context, const char *phase, int percent)
{
	if (!isatty(STDERR_FILENO)) {
		show_line(context, phase);
		return;
	}
	fprintf(stderr, "\r\033[K%s", phase);
	if (percent >= 0)
		fprintf(stderr, " %d%%", percent);
	fflush(stderr);
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}

static void print_kernel(const struct kernel *kernel, const char *what)
{
	printf("%s %s (package version %s, sha256 %.16s...)\n", kernel->name, what, kernel->version,
	       kernel->sha256);
}

static int fetch_one(const struct command_line *line, const char *name)
{
	struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;
	struct shown shown = {0};
	const struct progress progress = {show_progress, &shown};
	bool added;
	int r;

	r = kernel_fetch_debian(name, &progress, &kernel, &added, &err);
	end_progress();
	if (r)
		return command_error(line, FAILED, &err);
	print_kernel(kernel, added ? "fetched" : "is in the store already");
	kernel_free(kernel);
	return 0;
}

static int add(const struct command_line *line, const char *const *paths, size_t count)
{
	struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;
	bool added;

	if (kernel_store_add(paths, count, command_option(line, "name"), &kernel, &added, &err))
		return command_error(line, FAILED, &err);
	print_kernel(kernel, added ? "added" : "is in the store already");
	kernel_free(kernel);
	return 0;
}

static int list_all(const struct command_line *line, const char *const *operands, size_t count)
{
	struct kernel_list list = {0};
	struct hl_error err = HL_ERROR_INIT;

	(void)operands, (void)count;
	if (kernel_store_list(&list, &err))
		return command_error(line, FAILED, &err);
	for (size_t i = 0; i < list.count; i++)
		printf("%-40s %-28s %-20s %.16s\n", list.kernels[i]->name, list.kernels[i]->release,
		       list.kernels[i]->version, list.kernels[i]->sha256);
	if (!list.count)
		printf("The store is empty; \"hanglab kernel fetch debian\" gets a kernel.\n");
	kernel_list_free(&list);
	return 0;
}

static int fetch(const struct command_line *line, const char *const *names, size_t count)
{
	int code = 0;

	for (size_t i = 0; !code && i < count; i++)
		code = fetch_one(line, names[i]);
	return code;
}

/* ---- build ---- */

static const char **option_values(const struct command_line *line, const char *name, size_t *count)
{
	const char **values = calloc(line->given_count + 1, sizeof(*values)), *value;
	size_t position = 0;

	*count = 0;
	while (values && (value = command_option_next(line, name, &position)))
		values[(*count)++] = value;
	return values;
}

static int build_one(const struct command_line *line, const struct build *wanted)
{
	struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;
	struct shown shown = {0};
	const struct progress progress = {show_progress, &shown};
	time_t begin = time(NULL);
	bool built;
	int r = kernel_build(wanted, &progress, &kernel, &built, &err);

	end_progress();
	if (r)
		return command_error(line, FAILED, &err);
	if (built)
		printf("%s built in %ld s (%s, sha256 %.16s...)\n", kernel->name, (long)(time(NULL) - begin),
		       kernel->source, kernel->sha256);
	else
		printf("%s is up to date (%s, sha256 %.16s...)\n", kernel->name, kernel->source,
		       kernel->sha256);
	kernel_free(kernel);
	return 0;
}

static int build(const struct command_line *line, const char *const *operands, size_t count)
{
	struct build wanted = {
		.name = command_option(line, "name"),
		.source = command_option(line, "source"),
		.config = command_option(line, "config") ?: "lab",
	};
	const char *jobs = command_option(line, "jobs");
	cleanup_free const char **fragments = option_values(line, "config-fragment", &wanted.fragment_count);
	cleanup_free const char **patches = option_values(line, "patch", &wanted.patch_count);
	char *end = "";

	(void)operands, (void)count;
	if (!wanted.name || !wanted.source)
		return command_usage_error(line, "build needs --source, such as debian:6.1, and --name");
	wanted.jobs = jobs ? (unsigned int)strtoul(jobs, &end, 10) : (unsigned int)get_nprocs();
	if (*end || !wanted.jobs || wanted.jobs > JOBS_MOST)
		return command_usage_error(line, "--jobs takes a number from 1 to %d", JOBS_MOST);
	wanted.fragments = fragments;
	wanted.patches = patches;
	return build_one(line, &wanted);
}

/* ---- the command ---- */

static const struct action {
	const char *name;
	int (*run)(const struct command_line *line, const char *const *operands, size_t count);
	const char *wants; /* NULL: takes no operands */
} actions[] = {
	{"add", add, "a path of a .deb or .rpm file"},
	{"build", build, NULL},
	{"fetch", fetch, "a name such as debian or debian:6.1.0-55-cloud-amd64"},
	{"list", list_all, NULL},
};

static int run_action(const struct command_line *line, const struct action *action)
{
	size_t count = line->operand_count - 1;

	if (action->wants && !count)
		return command_usage_error(line, "%s needs %s", action->name, action->wants);
	if (!action->wants && count)
		return command_usage_error(line, "%s takes no operands", action->name);
	return action->run(line, line->operands + 1, count);
}

static int kernel(const struct command_line *line)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(actions[i].name, line->operands[0]))
			return run_action(line, &actions[i]);
	return command_usage_error(line, "unknown action '%s': write add, build, fetch or list",
				   line->operands[0]);
}

static const struct command_option options[] = {
	{"name", 0, "NAME", "add, build: what to call the kernel; default of add: its release"},
	{"source", 0, "SOURCE", "build: debian:SERIES, debian:SUITE/SERIES, or one of these with =VERSION"},
	{"config", 0, "CONFIG", "build: boot, lab (the default), or a file with a whole configuration"},
	{"config-fragment", 0, "FILE", "build: further options; may be repeated"},
	{"patch", 0, "FILE", "build: a patch, as for patch -p1; may be repeated"},
	{"jobs", 'j', "N", "build: compilers at once; default: one for each CPU"},
	{NULL, 0, NULL, NULL},
};

const struct command command_kernel = {
	.name = "kernel",
	.summary = "fetch, add, build and list kernels for lab VMs",
	.operands = "fetch NAME... | add PATH... | build | list",
	.help = "fetch  gets kernels through apt: debian is the current cloud kernel, debian:amd64 the "
		"current\n"
		"       full one, with every driver, debian:RELEASE or debian:VERSION a certain one,\n"
		"       debian:SUITE/RELEASE or debian:SUITE/VERSION one of\n"
		"       another suite of Debian's, for which apt gets a private state: nothing of this\n"
		"       machine's own apt changes\n"
		"add    takes one kernel from package files, .deb or .rpm: one, or those that together hold\n"
		"       it (linux-image-unsigned and linux-modules; kernel-core and kernel-modules); a "
		"debug\n"
		"       package beside them brings its symbols\n"
		"build  builds one from Debian's source package, unpacked once and kept. Of the "
		"configuration\n"
		"       lab, all is built in that the scenarios need of a kernel; boot is the least that "
		"boots.\n"
		"       Every option of a fragment must get into the configuration. Patches are applied in\n"
		"       their order, and undone by the next build. Nothing is built when the store has the\n"
		"       same; what it has of this name, built from other things, is replaced\n"
		"list   shows name, release, package version and sha256 of every kernel in the store\n\n"
		"The store is ${XDG_CACHE_HOME:-~/.cache}/hanglab/kernels. Nothing is installed on this "
		"machine.\n\n"
		"Exit code: 0 done, 2 failed.\n",
	.example = "hanglab kernel fetch debian\n"
		   "hanglab kernel fetch debian:amd64 debian:6.1.0-55-cloud-amd64 debian:6.1.170-3\n"
		   "hanglab kernel fetch debian:bullseye/5.10.218 debian:trixie-backports\n"
		   "hanglab kernel add --name mine ./linux-image-6.1.0-mine_amd64.deb\n"
		   "hanglab kernel add kernel-core-4.18.0-553.el8.x86_64.rpm "
		   "kernel-modules-4.18.0-553.el8.x86_64.rpm\n"
		   "hanglab kernel build --source debian:6.1 --patch fix.patch --name fixed\n"
		   "hanglab kernel build --source debian:trixie/6.12 --config-fragment kasan.config "
		   "--name kasan\n",
	.options = options,
	.fewest = 1,
	.most = SIZE_MAX,
	.run = kernel,
};
