// SPDX-License-Identifier: GPL-2.0-or-later
#include "host_tool.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"

#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX	  40 /* as the kernel's own limit, MAXSYMLINKS */
#define INTERPRETERS_MAX  4  /* a script's interpreter may be a script; the kernel stops at 4 too */
#define LOADER_TIMEOUT_MS 10000
#define C_LIBRARY	  "libc.so.6"
#define THREAD_END	  "libgcc_s.so.1"

/* ---- a path and the links on the way ---- */

static int add_regular(struct cpio_tree *tree, const char *path, struct hl_error *err)
{
	struct stat status;

	if (stat(path, &status))
		return hl_error_errno(err, errno, "open %s", path);
	return cpio_tree_add_file(tree, path, path, NULL, status.st_mode & 0111 ? 0755 : 0644, err);
}

/* One step of the walk: @resolved (no links in it) plus the component @name. */
static int step(struct cpio_tree *tree, char **resolved, const char *name, char **link, struct hl_error *err)
{
	cleanup_free char *old = *resolved;
	char target[PATH_MAX];
	ssize_t length;
	int r;

	*link = NULL;
	*resolved = file_path("%s/%s", old, name);
	length = readlink(*resolved, target, sizeof(target) - 1);
	if (length < 0)
		return errno == EINVAL ? 0 : hl_error_errno(err, errno, "open %s", *resolved);
	target[length] = '\0';
	*link = file_path("%s", target);
	r = cpio_tree_add_link(tree, *resolved, target, err);
	if (r)
		return r;
	free(*resolved);
	*resolved = file_path("%s", target[0] == '/' ? "" : old);
	return 0;
}

static void drop_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/* Add the links on the way of @path; @real receives where it ends. */
static int add_links(struct cpio_tree *tree, const char *path, char **real, struct hl_error *err)
{
	cleanup_free char *resolved = file_path("%s", ""), *rest = file_path("%s", path);
	size_t links = 0;

	while (*rest) {
		cleanup_free char *old = rest, *link = NULL;
		char *name = old + strspn(old, "/"), *tail = name + strcspn(name, "/");
		int r = 0;

		rest = file_path("%s", tail);
		*tail = '\0';
		if (!strcmp(name, ".."))
			drop_last(resolved);
		else if (*name && strcmp(name, "."))
			r = step(tree, &resolved, name, &link, err);
		if (!r && link && ++links > LINKS_MAX)
			r = hl_error_errno(err, ELOOP, "open %s", path);
		if (r)
			return r;
		if (link) {
			cleanup_free char *after = rest;

			rest = file_path("%s%s", link, after);
		}
	}
	*real = take_pointer(resolved);
	return 0;
}

static int add_path(struct cpio_tree *tree, const char *path, struct hl_error *err)
{
	cleanup_free char *real = NULL;
	int r = add_links(tree, path, &real, err);

	return r ? r : add_regular(tree, real, err);
}

/* ---- what a program needs ---- */

static void elf_cleanup(Elf **elf)
{
	elf_end(*elf);
}

/* The loader that an ELF program names in PT_INTERP, newly allocated; NULL for a static one. */
static char *find_loader(Elf *elf)
{
	size_t count = 0, size = 0;
	const char *image = elf_rawfile(elf, &size);
	GElf_Phdr header;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; image && i < count; i++)
		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_INTERP &&
		    header.p_offset < size && header.p_filesz <= size - header.p_offset)
			return strndup(image + header.p_offset, header.p_filesz);
	return NULL;
}

/* The C library opens libgcc_s by name when a thread ends or is cancelled: nothing lists it. */
static int add_thread_end(struct cpio_tree *tree, const char *c_library, struct hl_error *err)
{
	cleanup_free char *path =
		file_path("%.*s" THREAD_END, (int)(strlen(c_library) - strlen(C_LIBRARY)), c_library);

	return access(path, F_OK) ? 0 : add_path(tree, path, err);
}

/* One line of the loader: "	libx.so.1 => /lib/libx.so.1 (0x...)"; only what has a path is a file. */
static int add_library(struct cpio_tree *tree, const char *line, struct hl_error *err)
{
	const char *arrow = strstr(line, "=> ");
	cleanup_free char *path = NULL;
	size_t length;
	int r;

	if (!arrow)
		return 0;
	if (!strncmp(arrow + 3, "not found", strlen("not found")))
		return hl_error_set(err, ENOENT, "a shared library is missing:%s", line);
	path = strndup(arrow + 3, strcspn(arrow + 3, " \n"));
	if (!path || path[0] != '/')
		return 0;
	r = add_path(tree, path, err);
	length = strlen(path);
	if (!r && length > strlen(C_LIBRARY) && !strcmp(path + length - strlen(C_LIBRARY), C_LIBRARY))
		r = add_thread_end(tree, path, err);
	return r;
}

static int add_libraries(struct cpio_tree *tree, const char *loader, const char *path, struct hl_error *err)
{
	const char *const command[] = {loader, "--list", path, NULL};
	cleanup_free char *lines = NULL;
	char *position = NULL;
	int r = add_path(tree, loader, err);

	if (!r)
		r = process_run(command, LOADER_TIMEOUT_MS, &lines, err);
	if (r)
		return r;
	for (char *line = strtok_r(lines, "\n", &position); !r && line;
	     line = strtok_r(NULL, "\n", &position))
		r = add_library(tree, line, err);
	return r;
}

static int add_program(struct cpio_tree *tree, const char *path, unsigned int depth, struct hl_error *err);

/* "#!/bin/sh -f" */
static int add_interpreter(struct cpio_tree *tree, int fd, const char *path, unsigned int depth,
			   struct hl_error *err)
{
	char line[256] = "", *name = line + 2;
	ssize_t got = pread(fd, line, sizeof(line) - 1, 0);

	if (got < 0)
		return hl_error_errno(err, errno, "read %s", path);
	name += strspn(name, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	if (strncmp(line, "#!", 2) || name[0] != '/' || depth == INTERPRETERS_MAX)
		return hl_error_set(err, ENOEXEC, "%s is neither an ELF program nor a script", path);
	return add_program(tree, name, depth + 1, err);
}

static int add_program(struct cpio_tree *tree, const char *path, unsigned int depth, struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_with(elf_cleanup) Elf *elf = NULL;
	cleanup_free char *loader = NULL;
	int r;

	if (fd < 0)
		return hl_error_errno(err, errno, "open %s", path);
	r = add_path(tree, path, err);
	if (r)
		return r;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return add_interpreter(tree, fd, path, depth, err);
	loader = find_loader(elf);
	return loader ? add_libraries(tree, loader, path, err) : 0;
}

/* The folders of programs and libraries as they are here: with merged /usr, links into it. */
static int add_root_folders(struct cpio_tree *tree, struct hl_error *err)
{
	static const char *const folders[] = {"/bin", "/lib", "/lib64", "/sbin"};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(folders) / sizeof(*folders); i++) {
		cleanup_free char *real = NULL;

		if (access(folders[i], F_OK))
			continue;
		r = add_links(tree, folders[i], &real, err);
		if (!r)
			r = cpio_tree_add_folder(tree, real, err);
	}
	return r;
}

/* A program from an unusual folder is linked to where the guest's PATH leads. */
static int link_into_path(struct cpio_tree *tree, const char *path, struct hl_error *err)
{
	static const char *const usual[] = {"/usr/sbin/", "/usr/bin/",	      "/sbin/",
					    "/bin/",	  "/usr/local/sbin/", "/usr/local/bin/"};
	const char *base = strrchr(path, '/') + 1;
	cleanup_free char *link = file_path("/usr/bin/%s", base);

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if ((size_t)(base - path) == strlen(usual[i]) && !strncmp(path, usual[i], strlen(usual[i])))
			return 0;
	return cpio_tree_add_link(tree, link, path, err);
}

int host_tool_add(struct cpio_tree *tree, const char *name, struct hl_error *err)
{
	cleanup_free char *path = process_find_program(name);
	int r;

	if (!path)
		return hl_error_set(
			err, ENOENT,
			"the program %s is not installed here, so it cannot be copied into the VM", name);
	r = add_root_folders(tree, err);
	if (!r)
		r = add_program(tree, path, 0, err);
	if (!r)
		r = link_into_path(tree, path, err);
	if (r)
		hl_error_prefix(err, "copy the program %s", name);
	return r;
}
