// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/command.h"
#include "vm-images/fetch_debian.h"
#include "vm-images/kernel_store.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FAILED 2

static void show_progress(void *context, const char *phase, int percent)
{
	(void)context;
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%s", phase);
	if (percent >= 0)
		fprintf(stderr, " %d%%", percent);
	fflush(stderr);
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
	bool added;
	int r;

	r = kernel_fetch_debian(name, show_progress, NULL, &kernel, &added, &err);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
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

static int list_all(const struct command_line *line)
{
	struct kernel_list list = {0};
	struct hl_error err = HL_ERROR_INIT;

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

static const struct {
	const char *name;
	int (*run)(const struct command_line *line, const char *const *operands, size_t count);
	const char *wants;
} actions[] = {
	{"add", add, "a path of a .deb or .rpm file"},
	{"fetch", fetch, "a name such as debian or debian:6.1.0-55-cloud-amd64"},
};

static int kernel(const struct command_line *line)
{
	const char *action = line->operands[0];

	if (!strcmp(action, "list"))
		return line->operand_count > 1 ? command_usage_error(line, "list takes no operands")
					       : list_all(line);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, action) != 0)
			continue;
		if (line->operand_count < 2)
			return command_usage_error(line, "%s needs %s", action, actions[i].wants);
		return actions[i].run(line, line->operands + 1, line->operand_count - 1);
	}
	return command_usage_error(line, "unknown action '%s': write add, fetch or list", action);
}

static const struct command_option options[] = {
	{"name", 0, "NAME", "add: what to call the kernel; default: its release"},
	{NULL, 0, NULL, NULL},
};

const struct command command_kernel = {
	.name = "kernel",
	.summary = "fetch, add and list kernels for lab VMs",
	.operands = "fetch NAME... | add PATH... | list",
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
		"list   shows name, release, package version and sha256 of every kernel in the store\n\n"
		"The store is ${XDG_CACHE_HOME:-~/.cache}/hanglab/kernels. Nothing is installed on this "
		"machine.\n\n"
		"Exit code: 0 done, 2 failed.\n",
	.example = "hanglab kernel fetch debian\n"
		   "hanglab kernel fetch debian:amd64 debian:6.1.0-55-cloud-amd64 debian:6.1.170-3\n"
		   "hanglab kernel fetch debian:bullseye/5.10.218 debian:trixie-backports\n"
		   "hanglab kernel add --name mine ./linux-image-6.1.0-mine_amd64.deb\n"
		   "hanglab kernel add kernel-core-4.18.0-553.el8.x86_64.rpm "
		   "kernel-modules-4.18.0-553.el8.x86_64.rpm\n",
	.options = options,
	.fewest = 1,
	.most = SIZE_MAX,
	.run = kernel,
};
