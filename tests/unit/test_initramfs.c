// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "package_fixture.h"
#include "vm-images/initramfs.h"

#include <CUnit/CUnit.h>
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fiu-control.h>
#include <fiu.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static const char *const tool_true[] = {"true"};
static const struct initramfs_file plan = {"/etc/hanglab/plan", "a plan\n", 7, 0600};

/* A request with a guest program of the fixture's and one file, the smallest that is complete. */
static struct initramfs_request small_request(const char *folder)
{
	static char program[PATH_MAX];

	snprintf(program, sizeof(program), "%s/guest", folder);
	fixture_write_text(program, "#!/guest program\n");
	return (struct initramfs_request){.guest_program = program, .files = &plan, .file_count = 1};
}

static char *build(const struct initramfs_request *request)
{
	struct hl_error err = HL_ERROR_INIT;
	char *path = NULL;
	int r = initramfs_build(request, &path, &err);

	if (r)
		printf("%s ", err.text);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	return path;
}

/* One file of an archive: "MODE TARGET-OR-CONTENT", newly allocated, or NULL. */
static char *look_up(const char *archive_path, const char *name)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	char *found = NULL;

	archive_read_support_format_cpio(archive);
	CU_ASSERT_EQUAL_FATAL(archive_read_open_filename(archive, archive_path, 65536), ARCHIVE_OK);
	while (!found && archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		cleanup_free char *content = calloc(1, (size_t)archive_entry_size(entry) + 1);

		CU_ASSERT_EQUAL(archive_entry_uid(entry), 0);
		CU_ASSERT_EQUAL(archive_entry_mtime(entry), 0);
		if (strcmp(archive_entry_pathname(entry), name))
			continue;
		archive_read_data(archive, content, (size_t)archive_entry_size(entry));
		found = file_path("%o %s", archive_entry_mode(entry),
				  archive_entry_symlink(entry) ?: content);
	}
	archive_read_free(archive);
	return found;
}

static char *look_up_there(const char *archive, const char *name)
{
	char *found = look_up(archive, name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	return found;
}

static void check_entry(const char *archive, const char *name, const char *expected)
{
	cleanup_free char *found = look_up_there(archive, name);

	CU_ASSERT_STRING_EQUAL(found, expected);
}

static void test_content(void)
{
	struct initramfs_request request = small_request(fixture_folder());
	cleanup_free char *archive = build(&request);

	check_entry(archive, "init", "100755 #!/guest program\n");
	check_entry(archive, "dev", "40755 ");
	check_entry(archive, "modules/order", "100644 ");
	check_entry(archive, "etc/hanglab", "40755 ");
	check_entry(archive, "etc/hanglab/plan", "100600 a plan\n");
	CU_ASSERT_PTR_NULL(look_up(archive, "usr"));
}

/* A kernel whose one module file is compressed. */
static struct kernel kernel_with_module(const char *folder)
{
	cleanup_free char *source = file_path("%s/m.c", folder), *object = file_path("%s/m.o", folder);
	cleanup_free char *path = file_path("%s/lib/modules/6.0/kernel/some-module.ko.xz", folder),
			  *data = NULL;
	const char *const compile[] = {"cc", "-c", "-o", object, source, NULL};
	const char *const depmod[] = {"depmod", "-b", folder, "6.0", NULL};
	struct kernel kernel = {.name = "test", .modules = file_path("%s/lib/modules/6.0", folder)};
	size_t size;

	fixture_write_text(source, "int content;");
	CU_ASSERT_EQUAL_FATAL(process_run(compile, 60000, NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(file_read(object, &data, &size, NULL), 0);
	fixture_write_compressed(path, data, size, PACKED_XZ);
	CU_ASSERT_EQUAL_FATAL(process_run(depmod, 60000, NULL, NULL), 0);
	return kernel;
}

static void test_modules(void)
{
	static const char *const modules[] = {"some_module"}, *const missing[] = {"other_module"};
	const char *folder = fixture_folder();
	struct initramfs_request request = small_request(folder);
	struct kernel kernel = kernel_with_module(folder);
	cleanup_free char *archive = NULL, *module = NULL;
	struct hl_error err = HL_ERROR_INIT;
	char *none = NULL;

	request.kernel = &kernel;
	request.modules = modules;
	request.module_count = 1;
	archive = build(&request);
	check_entry(archive, "modules/order", "100644 000-some_module.ko\n");
	module = look_up(archive, "modules/000-some_module.ko");
	CU_ASSERT_PTR_NOT_NULL_FATAL(module);
	CU_ASSERT_EQUAL(strncmp(module, "100644 \177ELF", strlen("100644 \177ELF")), 0);

	request.modules = missing;
	CU_ASSERT_EQUAL(initramfs_build(&request, &none, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "other_module"));
	free(kernel.modules);
}

static void unpack(const char *archive_path, const char *root)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;

	archive_read_support_format_cpio(archive);
	CU_ASSERT_EQUAL_FATAL(archive_read_open_filename(archive, archive_path, 65536), ARCHIVE_OK);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		cleanup_free char *path = file_path("%s/%s", root, archive_entry_pathname(entry));

		archive_entry_set_pathname(entry, path);
		CU_ASSERT_EQUAL_FATAL(archive_read_extract(archive, entry, ARCHIVE_EXTRACT_PERM), ARCHIVE_OK);
	}
	archive_read_free(archive);
}

/* Run a program where there is nothing but the archive: what was copied must be all that it needs. */
static void check_runs(const char *folder, const char *archive, const char *program)
{
	cleanup_free char *root = file_path("%s/root", folder);
	const char *const command[] = {"chroot", root, program, NULL};
	struct hl_error err = HL_ERROR_INIT;
	int r;

	if (geteuid()) {
		printf("SKIP: running a copied tool in a chroot needs root ");
		return;
	}
	unpack(archive, root);
	r = process_run(command, 60000, NULL, &err);
	if (r)
		printf("%s ", err.text);
	CU_ASSERT_EQUAL(r, 0);
}

/* libgcc_s, which the C library opens by itself, is there if this machine has it. */
static void check_thread_end(const char *archive)
{
	glob_t files;

	if (!glob("/usr/lib/*/libgcc_s.so.1", 0, NULL, &files))
		free(look_up_there(archive, files.gl_pathv[0] + 1));
	globfree(&files);
}

static void test_tools(void)
{
	const char *folder = fixture_folder();
	struct initramfs_request request = small_request(folder);
	cleanup_free char *script = file_path("%s/script", folder), *link = file_path("%s/link", folder);
	cleanup_free char *archive = NULL;
	const char *const tools[] = {"true", link};

	fixture_write_text(script, "#!/bin/sh -e\nexec true\n");
	CU_ASSERT_EQUAL_FATAL(symlink("script", link), 0);
	request.tools = tools;
	request.tool_count = 2;
	archive = build(&request);
	check_entry(archive, link + 1, "120777 script");
	check_entry(archive, script + 1, "100755 #!/bin/sh -e\nexec true\n");
	check_runs(folder, archive, link);
	check_thread_end(archive);
}

/* The same layout of /bin and /lib as here: a file behind such a link arrives where it points. */
static void test_root_links(void)
{
	static const char *const folders[] = {"/bin", "/lib", "/sbin"};
	static const struct initramfs_file behind = {"/lib/hanglab/file", "x", 1, 0644};
	struct initramfs_request request = small_request(fixture_folder());
	cleanup_free char *archive = NULL;
	char target[PATH_MAX] = "";

	request.tools = tool_true;
	request.tool_count = 1;
	request.files = &behind;
	archive = build(&request);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		ssize_t length = readlink(folders[i], target, sizeof(target) - 1);
		cleanup_free char *expected = file_path("120777 %.*s", (int)length, target);

		check_entry(archive, folders[i] + 1, length < 0 ? "40755 " : expected);
	}
	check_entry(archive, "lib/hanglab/file", "100644 x");
}

static void test_bad_tools(void)
{
	const char *folder = fixture_folder();
	struct initramfs_request request = small_request(folder);
	cleanup_free char *text = file_path("%s/text", folder);
	const char *tools[] = {"no-such-tool-anywhere"};
	struct hl_error err = HL_ERROR_INIT;
	char *path = NULL;

	request.tools = tools;
	request.tool_count = 1;
	CU_ASSERT_EQUAL(initramfs_build(&request, &path, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no-such-tool-anywhere is not installed"));
	fixture_write_text(text, "ab/bin/sh\n");
	CU_ASSERT_EQUAL_FATAL(chmod(text, 0755), 0);
	tools[0] = text;
	CU_ASSERT_EQUAL(initramfs_build(&request, &path, &err), -ENOEXEC);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
	CU_ASSERT_PTR_NULL(path);
}

static void test_bad_files(void)
{
	static const struct initramfs_file init = {"/init", "x", 1, 0644}, relative = {"etc/x", "x", 1, 0644};
	struct initramfs_request request = small_request(fixture_folder());
	struct hl_error err = HL_ERROR_INIT;
	char *path = NULL;

	request.files = &init;
	CU_ASSERT_EQUAL(initramfs_build(&request, &path, &err), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/init"));
	request.files = &relative;
	CU_ASSERT_EQUAL(initramfs_build(&request, &path, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "etc/x"));
	request.guest_program = "/nonexistent/guest";
	CU_ASSERT_EQUAL(initramfs_build(&request, &path, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/guest"));
	CU_ASSERT_PTR_NULL(path);
}

static ino_t inode_of(const char *path)
{
	struct stat status;

	CU_ASSERT_EQUAL_FATAL(stat(path, &status), 0);
	return status.st_ino;
}

/* The guest program is rewritten in place, with as many bytes, within the same second. */
static void check_rewritten(const struct initramfs_request *request, const char *before)
{
	cleanup_fd int fd = open(request->guest_program, O_WRONLY);
	cleanup_free char *after = NULL;
	struct timespec times[2];
	struct stat status;

	CU_ASSERT_EQUAL_FATAL(fstat(fd, &status), 0);
	times[0] = times[1] = status.st_mtim;
	times[1].tv_nsec ^= 1;
	CU_ASSERT_EQUAL_FATAL(pwrite(fd, "#!/newer", 8, 0), 8);
	CU_ASSERT_EQUAL_FATAL(futimens(fd, times), 0);
	after = build(request);
	CU_ASSERT_STRING_NOT_EQUAL(before, after);
}

/* Equal requests share an archive; other content gets another; a lost one is made again, equal to the byte.
 */
static void test_cache(void)
{
	static const struct initramfs_file other_plan = {"/etc/hanglab/plan", "b plan\n", 7, 0600};
	struct initramfs_request request = small_request(fixture_folder());
	cleanup_free char *first = NULL, *second = NULL, *other = NULL, *changed = NULL, *again = NULL;
	cleanup_free char *before = NULL, *after = NULL;
	size_t size_before, size_after;
	ino_t inode;

	request.tools = tool_true;
	request.tool_count = 1;
	first = build(&request);
	inode = inode_of(first);
	second = build(&request);
	CU_ASSERT_STRING_EQUAL(first, second);
	CU_ASSERT_EQUAL(inode_of(second), inode);

	CU_ASSERT_EQUAL_FATAL(file_read(first, &before, &size_before, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(unlink(first), 0);
	again = build(&request);
	CU_ASSERT_EQUAL_FATAL(file_read(again, &after, &size_after, NULL), 0);
	CU_ASSERT_STRING_EQUAL(first, again);
	CU_ASSERT_EQUAL_FATAL(size_before, size_after);
	CU_ASSERT_EQUAL(memcmp(before, after, size_before), 0);

	request.files = &other_plan;
	other = build(&request);
	CU_ASSERT_STRING_NOT_EQUAL(first, other);
	check_entry(other, "etc/hanglab/plan", "100600 b plan\n");

	fixture_write_text(request.guest_program, "#!/other program\n");
	changed = build(&request);
	CU_ASSERT_STRING_NOT_EQUAL(other, changed);
	check_entry(changed, "init", "100755 #!/other program\n");
	check_rewritten(&request, changed);
}

/* @age: seconds since its last use */
static void write_old_archive(const char *folder, unsigned int number, time_t age)
{
	cleanup_free char *path = file_path("%s/%08u.cpio", folder, number);
	struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};

	fixture_write_text(path, "old");
	CU_ASSERT_EQUAL_FATAL(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_trim(void)
{
	const char *folder = fixture_folder();
	struct initramfs_request request = small_request(folder);
	cleanup_free char *cache = file_path("%s/cache/hanglab/initramfs", folder), *archive = NULL;
	cleanup_free char *oldest = file_path("%s/00000049.cpio", cache),
			  *newest = file_path("%s/00000010.cpio", cache);

	for (unsigned int i = 10; i < 50; i++)
		write_old_archive(cache, i, 1000 + 10 * i);
	archive = build(&request);
	CU_ASSERT_EQUAL(fixture_count(cache, ""), 32);
	CU_ASSERT_EQUAL(access(archive, F_OK), 0);
	CU_ASSERT_EQUAL(access(newest, F_OK), 0);
	CU_ASSERT_NOT_EQUAL(access(oldest, F_OK), 0);
}

static void test_trim_keeps_used(void)
{
	const char *folder = fixture_folder();
	struct initramfs_request request = small_request(folder);
	cleanup_free char *cache = file_path("%s/cache/hanglab/initramfs", folder), *archive = NULL;

	for (unsigned int i = 0; i < 40; i++)
		write_old_archive(cache, i, 5);
	archive = build(&request);
	CU_ASSERT_EQUAL(fixture_count(cache, ""), 41);
}

static void check_disk_full(const struct initramfs_request *request, const char *folder)
{
	cleanup_free char *cache = file_path("%s/cache/hanglab/initramfs", folder);
	struct hl_error err = HL_ERROR_INIT;
	char *path = NULL;

	CU_ASSERT_EQUAL(initramfs_build(request, &path, &err), -ENOSPC);
	CU_ASSERT_PTR_NULL(path);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "No space left on device"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cache));
	CU_ASSERT_EQUAL(fixture_count(cache, ""), 0);
}

static void test_failure_point(void)
{
	const char *folder = fixture_folder();
	struct initramfs_request request = small_request(folder);
	cleanup_free char *archive = NULL;

	fiu_init(0);
	CU_ASSERT_EQUAL_FATAL(fiu_enable("initramfs/write", 1, NULL, 0), 0);
	check_disk_full(&request, folder);
	CU_ASSERT_EQUAL_FATAL(fiu_disable("initramfs/write"), 0);
	archive = build(&request);
	check_entry(archive, "etc/hanglab/plan", "100600 a plan\n");
}

static void test_disk_full(void)
{
	static char big[2 * 1024 * 1024];
	const struct initramfs_file file = {"/big", big, sizeof(big), 0644};
	const char *folder = fixture_folder();
	struct initramfs_request request = small_request(folder);
	cleanup_free char *cache = file_path("%s/cache", folder);

	request.files = &file;
	if (!fixture_mount_full(cache))
		return;
	check_disk_full(&request, folder);
	fixture_unmount(cache);
}

CU_TestInfo initramfs_tests[] = {
	{"content", test_content},
	{"modules", test_modules},
	{"tools", test_tools},
	{"links of the root folder", test_root_links},
	{"bad tools", test_bad_tools},
	{"bad files", test_bad_files},
	{"cache", test_cache},
	{"old archives are removed", test_trim},
	{"archives in use stay", test_trim_keeps_used},
	{"failure point initramfs/write", test_failure_point},
	{"full disk", test_disk_full},
	CU_TEST_INFO_NULL,
};
