// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel_tree.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define SILENT_MS	   (30 * 60 * 1000) /* linking a whole kernel is one silent step */
#define INSTALL_TIMEOUT_MS (20 * 60 * 1000)
#define WORDS_MOST	   16

/* ---- make ---- */

/**
 * struct make - what is known of a make that runs
 * @done: files that were made
 * @complaint: the first line that looks like an error, newly allocated
 */
struct make {
	const struct progress *progress;
	const char *phase;
	FILE *log;
	unsigned int done;
	char *complaint;
};

static void make_cleanup(struct make *make)
{
	free(make->complaint);
	if (make->log)
		fclose(make->log);
}

/* "  CC      mm/filemap.o", "  CC [M]  fs/xfs/xfs.o" */
static const char *made_file(const char *line)
{
	const char *file = strrchr(line, ' ');

	return !strncmp(line, "  ", 2) && line[2] >= 'A' && line[2] <= 'Z' && file ? file + 1 : NULL;
}

static bool is_complaint(const char *line)
{
	return strstr(line, "error: ") || strstr(line, "Error: ") || strstr(line, " *** ") ||
	       strstr(line, "not found");
}

static void read_line(void *data, const char *line)
{
	struct make *make = data;
	const char *file = made_file(line);

	fprintf(make->log, "%s\n", line);
	if (file) {
		cleanup_free char *text = file_path("%s: %u files, %s", make->phase, ++make->done, file);

		progress_report(make->progress, text, -1);
	} else if (!make->complaint && is_complaint(line)) {
		make->complaint = strdup(line);
	}
}

int kernel_tree_make(const char *tree, const char *const *words, const char *log,
		     const struct progress *progress, const char *phase, struct hl_error *err)
{
	const char *command[WORDS_MOST + 8] = {
		"make",
		"-C",
		tree,
		"KBUILD_BUILD_USER=hanglab",
		"KBUILD_BUILD_HOST=hanglab",
		"KBUILD_BUILD_VERSION=1",
		"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
	};
	cleanup_with(make_cleanup) struct make make = {progress, phase, fopen(log, "we"), 0, NULL};
	const struct process_listener listener = {read_line, &make, SILENT_MS, -1};
	size_t used = 7;
	int status = 0, r;

	if (!make.log)
		return hl_error_errno(err, errno, "write %s", log);
	setvbuf(make.log, NULL, _IOLBF, 0);
	while (*words && used < WORDS_MOST + 7)
		command[used++] = *words++;
	progress_report(progress, phase, -1);
	r = process_follow(command, &listener, &status, err);
	if (r)
		hl_error_prefix(err, "make");
	else if (status)
		r = hl_error_set(err, EIO, "%s: make failed: %s (all it printed is in %s)", phase,
				 make.complaint ?: "it gave no reason", log);
	return r;
}

/* ---- install ---- */

static int read_release(const char *tree, char **release, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/include/config/kernel.release", tree);
	int r = file_read(path, release, NULL, err);

	if (r == -ENOENT)
		return hl_error_set(err, ENODATA, "no kernel was built in %s: there is no %s", tree, path);
	if (!r)
		(*release)[strcspn(*release, "\n")] = '\0';
	return r;
}

static int copy(const char *tree, const char *name, const char *folder, const char *new_name,
		struct hl_error *err)
{
	cleanup_free char *from = file_path("%s/%s", tree, name), *to = file_path("%s/%s", folder, new_name);
	cleanup_free char *content = NULL;
	size_t size;
	int r = file_read(from, &content, &size, err);

	if (r == -ENOENT)
		return hl_error_set(err, ENODATA, "no kernel was built in %s: there is no %s", tree, from);
	return r ? r : file_write(to, content, size, err);
}

static bool has_modules(const char *tree)
{
	cleanup_free char *path = file_path("%s/modules.order", tree);
	struct stat status;

	return !stat(path, &status) && status.st_size;
}

static int install_modules(const char *tree, const char *folder, struct hl_error *err)
{
	cleanup_free char *place = file_path("INSTALL_MOD_PATH=%s", folder);
	const char *const command[] = {
		"make",	       "-s", "-C", tree, "modules_install", place, "INSTALL_MOD_STRIP=1",
		"DEPMOD=true", NULL,
	};

	return process_run(command, INSTALL_TIMEOUT_MS, NULL, err);
}

/* Without modules "make modules_install" fails; what is built in is listed all the same. */
static int install_lists(const char *tree, const char *folder, const char *release, struct hl_error *err)
{
	static const char *const lists[] = {"modules.builtin", "modules.builtin.modinfo", "modules.order"};
	cleanup_free char *modules = file_path("%s/lib/modules/%s", folder, release);
	int r = file_make_folders(modules, err);

	for (size_t i = 0; !r && i < sizeof(lists) / sizeof(*lists); i++) {
		cleanup_free char *path = file_path("%s/%s", tree, lists[i]);

		if (!access(path, R_OK))
			r = copy(tree, lists[i], modules, lists[i], err);
	}
	return r;
}

void kernel_tree_remove_links(const char *folder, const char *release)
{
	static const char *const links[] = {"build", "source"};

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		cleanup_free char *path = file_path("%s/lib/modules/%s/%s", folder, release, links[i]);

		unlink(path);
	}
}

int kernel_tree_install(const char *tree, const char *folder, struct kernel_package *package,
			struct hl_error *err)
{
	cleanup_free char *release = NULL;
	int r = read_release(tree, &release, err);

	if (!r)
		r = copy(tree, KERNEL_TREE_IMAGE, folder, "vmlinuz", err);
	if (!r)
		r = copy(tree, ".config", folder, "config", err);
	if (!r)
		r = copy(tree, "System.map", folder, "System.map", err);
	if (!r && has_modules(tree))
		r = install_modules(tree, folder, err);
	if (!r)
		r = install_lists(tree, folder, release, err);
	if (r)
		return r;
	kernel_tree_remove_links(folder, release);
	package->release = take_pointer(release);
	package->architecture = strdup("amd64");
	return 0;
}
