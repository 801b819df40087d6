// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "vm-images/kernel_store.h"
#include "vm-images/workspace.h"

#include <CUnit/CUnit.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define CLOUD_55 "6.1.0-55-cloud-amd64"
#define CLOUD_56 "6.1.0-56-cloud-amd64"

/* The folder of the store in the fixture's cache, newly allocated. */
static char *store_of(const char *folder)
{
	return file_path("%s/cache/hanglab/kernels", folder);
}

static void add(const char *folder, const char *name, const char *release, const char *version)
{
	cleanup_free char *package = file_path("%s/%s_%s.deb", folder, release, version);
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;
	bool added = false;

	fixture_write_kernel_deb(package, release, version);
	CU_ASSERT_EQUAL_FATAL(
		kernel_store_add((const char *const[]){package}, 1, name, &kernel, &added, &err), 0);
	CU_ASSERT_TRUE(added);
}

static void test_add(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/linux.deb", folder), *store = store_of(folder);
	cleanup_free char *depmod = NULL;
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL, *again = NULL;
	struct hl_error err = HL_ERROR_INIT;
	bool added = false;

	fixture_write_kernel_deb(package, CLOUD_56, "6.1.192-2");
	CU_ASSERT_EQUAL_FATAL(kernel_store_add((const char *const[]){package}, 1, "debian:" CLOUD_56, &kernel,
					       &added, &err),
			      0);
	CU_ASSERT_TRUE(added);
	CU_ASSERT_STRING_EQUAL(kernel->name, "debian:" CLOUD_56);
	CU_ASSERT_STRING_EQUAL(kernel->release, CLOUD_56);
	CU_ASSERT_STRING_EQUAL(kernel->version, "6.1.192-2");
	CU_ASSERT_STRING_EQUAL(kernel->architecture, "amd64");
	CU_ASSERT_STRING_EQUAL(kernel->source, "linux.deb");
	CU_ASSERT_EQUAL(access(kernel->vmlinuz, R_OK), 0);
	CU_ASSERT_EQUAL(access(kernel->config, R_OK), 0);
	depmod = file_path("%s/modules.dep.bin", kernel->modules);
	CU_ASSERT_EQUAL(access(depmod, R_OK), 0);
	CU_ASSERT_EQUAL(fixture_count(kernel->folder, "usr"), 0);

	CU_ASSERT_EQUAL_FATAL(
		kernel_store_add((const char *const[]){package}, 1, "debian:" CLOUD_56, &again, &added, &err),
		0);
	CU_ASSERT_FALSE(added);
	CU_ASSERT_STRING_EQUAL(again->folder, kernel->folder);
	CU_ASSERT_EQUAL(fixture_count(store, ""), 1);
}

static void test_default_name(void)
{
	const char *folder = fixture_folder();
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	add(folder, NULL, CLOUD_55, "6.1.192-1");
	CU_ASSERT_EQUAL_FATAL(kernel_store_find(CLOUD_55, &kernel, &err), 0);
	CU_ASSERT_STRING_EQUAL(kernel->name, CLOUD_55);
}

static void check_found(const char *wanted, const char *name, const char *version)
{
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL_FATAL(kernel_store_find(wanted, &kernel, &err), 0);
	CU_ASSERT_STRING_EQUAL(kernel->name, name);
	CU_ASSERT_STRING_EQUAL(kernel->version, version);
}

static void check_missed(const char *wanted, int code, const char *text)
{
	struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(kernel_store_find(wanted, &kernel, &err), -code);
	CU_ASSERT_PTR_NULL(kernel);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
}

static void test_find(void)
{
	const char *folder = fixture_folder();

	check_missed("debian", ENOENT, "it has: nothing; to get it: hanglab kernel fetch debian");
	add(folder, "debian:6.1.0-9-cloud-amd64", "6.1.0-9-cloud-amd64", "6.1.27-1");
	add(folder, "debian:" CLOUD_56, CLOUD_56, "6.1.192-10");
	add(folder, "debian:" CLOUD_56, CLOUD_56, "6.1.192-2");
	add(folder, "debian:" CLOUD_55, CLOUD_55, "6.1.192-1");
	add(folder, "mine", "6.9.0-mine", "1");
	check_missed("debian:amd64", ENOENT, "to get it: hanglab kernel fetch debian:amd64");
	add(folder, "debian:6.1.0-9-amd64", "6.1.0-9-amd64", "6.1.27-1");
	add(folder, "debian:6.1.0-57-amd64", "6.1.0-57-amd64", "6.1.193-1");

	check_found("debian:" CLOUD_55, "debian:" CLOUD_55, "6.1.192-1");
	check_found("debian:" CLOUD_56, "debian:" CLOUD_56, "6.1.192-10");
	check_found("debian:" CLOUD_56 "=6.1.192-2", "debian:" CLOUD_56, "6.1.192-2");
	check_found(CLOUD_55, "debian:" CLOUD_55, "6.1.192-1");
	check_found("debian", "debian:" CLOUD_56, "6.1.192-10");
	check_found("debian:amd64", "debian:6.1.0-57-amd64", "6.1.193-1");
	check_found("debian:cloud-amd64", "debian:" CLOUD_56, "6.1.192-10");
	check_found("6.1.0-9-c", "debian:6.1.0-9-cloud-amd64", "6.1.27-1");
	check_found("mi", "mine", "1");
	check_found("6.9", "mine", "1");
	check_missed("6.1.0-5", ENOTUNIQ, "debian:" CLOUD_55 ", debian:" CLOUD_56);
	check_missed("nothing", ENOENT,
		     "it has: debian:6.1.0-9-amd64, debian:6.1.0-9-cloud-amd64, debian:" CLOUD_55
		     ", debian:" CLOUD_56 ", debian:6.1.0-57-amd64, mine;");
	check_missed("debian:" CLOUD_56 "=1", ENOENT, "it has: ");
	check_missed("debian:6.1.0-54-cloud-amd64", ENOENT,
		     "to get it: hanglab kernel fetch debian:6.1.0-54-cloud-amd64");
	check_missed("6.1.0-54-cloud-amd64", ENOENT,
		     "to get it: hanglab kernel fetch debian:6.1.0-54-cloud-amd64");
	check_missed("debian:6.1.0-56-cluod-amd64", ENOENT, "did you mean debian:" CLOUD_56 "?");
	check_missed("", ENOENT, "hanglab kernel add");
}

static void test_list(void)
{
	const char *folder = fixture_folder();
	static const char *const expected[] = {"alpha", "debian:6.1.0-9-cloud-amd64", "debian:" CLOUD_56};
	cleanup_with(kernel_list_free) struct kernel_list list = {NULL, 0};
	struct hl_error err = HL_ERROR_INIT;

	add(folder, "debian:" CLOUD_56, CLOUD_56, "2");
	add(folder, "debian:6.1.0-9-cloud-amd64", "6.1.0-9-cloud-amd64", "1");
	add(folder, "alpha", "6.9", "1");
	CU_ASSERT_EQUAL_FATAL(kernel_store_list(&list, &err), 0);
	CU_ASSERT_EQUAL_FATAL(list.count, 3);
	for (size_t i = 0; i < list.count; i++)
		CU_ASSERT_STRING_EQUAL(list.kernels[i]->name, expected[i]);
}

static void check_add_fails(const char *package, const char *name, int code, const char *text)
{
	struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(kernel_store_add((const char *const[]){package}, 1, name, &kernel, NULL, &err),
			-code);
	CU_ASSERT_PTR_NULL(kernel);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
}

static void test_names(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/other.deb", folder), *store = store_of(folder);

	add(folder, "mine", CLOUD_55, "1");
	fixture_write_kernel_deb(package, CLOUD_56, "1");
	check_add_fails(package, "mine", EEXIST, CLOUD_55);
	check_add_fails(package, "../mine", EINVAL, "\"../mine\"");
	check_add_fails(package, "a b", EINVAL, "\"a b\"");
	check_add_fails(package, "", EINVAL, "\"\"");
	CU_ASSERT_EQUAL(fixture_count(store, ""), 1);
}

static void test_bad_package(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/text.deb", folder), *store = store_of(folder);

	fixture_write_text(package, "text\n");
	check_add_fails(package, NULL, EBADMSG, "text.deb is not a Debian package");
	CU_ASSERT_EQUAL(fixture_count(store, ""), 0);
}

static void test_unusable_cache(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/kernel.deb", folder), *file = file_path("%s/file", folder);

	fixture_write_kernel_deb(package, CLOUD_55, "1");
	fixture_write_text(file, "not a folder");
	setenv("XDG_CACHE_HOME", file, 1);
	check_add_fails(package, NULL, ENOTDIR, file);
}

static void test_disk_full(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *cache = file_path("%s/cache", folder), *store = store_of(folder);
	cleanup_free char *package = file_path("%s/big.deb", folder), *big = calloc(1, 1024 * 1024 + 1);
	const struct packed_file files[] = {
		{"./boot/vmlinuz-" FIXTURE_RELEASE, big, NULL},
		{"./lib/modules/" FIXTURE_RELEASE "/modules.order", "", NULL},
		{NULL, NULL, NULL},
	};

	memset(big, 'x', 1024 * 1024);
	fixture_write_deb(package, FIXTURE_CONTROL, files, PACKED_ZSTD);
	if (!fixture_mount_full(cache))
		return;
	check_add_fails(package, NULL, ENOSPC, "No space left on device");
	check_add_fails(package, NULL, ENOSPC, package);
	CU_ASSERT_EQUAL(fixture_count(store, ""), 0);
	fixture_unmount(cache);
}

/* A process is killed with a kernel all but published: it counts for nothing, and the next add removes it. */
static void test_killed(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *store = store_of(folder);
	cleanup_with(kernel_list_free) struct kernel_list list = {NULL, 0};
	cleanup_with(workspace_close) struct workspace busy = WORKSPACE_NONE;
	struct hl_error err = HL_ERROR_INIT;
	int status;
	pid_t child;

	add(folder, "debian:" CLOUD_55, CLOUD_55, "1");
	child = fork();
	if (!child) {
		cleanup_free char *copy = NULL;
		struct workspace workspace = WORKSPACE_NONE;

		if (workspace_open(&workspace, store, NULL))
			_exit(1);
		copy = file_path("cp -r %s/debian*/* %s", store, workspace.path);
		if (system(copy))
			_exit(1);
		raise(SIGKILL);
	}
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	CU_ASSERT_TRUE_FATAL(WIFSIGNALED(status));
	CU_ASSERT_EQUAL(fixture_count(store, "new-"), 1);
	CU_ASSERT_EQUAL_FATAL(kernel_store_list(&list, &err), 0);
	CU_ASSERT_EQUAL(list.count, 1);

	CU_ASSERT_EQUAL_FATAL(workspace_open(&busy, store, &err), 0);
	CU_ASSERT_EQUAL(fixture_count(store, "new-"), 1);
	add(folder, "debian:" CLOUD_56, CLOUD_56, "1");
	CU_ASSERT_EQUAL(fixture_count(store, "new-"), 1);
	CU_ASSERT_EQUAL(access(busy.path, F_OK), 0);
}

static void test_together(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/kernel.deb", folder), *store = store_of(folder);
	pid_t children[4];

	fixture_write_kernel_deb(package, CLOUD_55, "1");
	for (size_t i = 0; i < 4; i++) {
		children[i] = fork();
		if (!children[i]) {
			struct kernel *kernel = NULL;

			_exit(kernel_store_add((const char *const[]){package}, 1, NULL, &kernel, NULL,
					       NULL) ||
			      access(kernel->vmlinuz, R_OK));
		}
	}
	for (size_t i = 0; i < 4; i++) {
		int status = -1;

		CU_ASSERT_EQUAL(waitpid(children[i], &status, 0), children[i]);
		CU_ASSERT_EQUAL(status, 0);
	}
	CU_ASSERT_EQUAL(fixture_count(store, ""), 1);
}

CU_TestInfo kernel_store_tests[] = {
	{"add, and add again", test_add},
	{"default name", test_default_name},
	{"find", test_find},
	{"list", test_list},
	{"names", test_names},
	{"bad package leaves nothing", test_bad_package},
	{"unusable cache", test_unusable_cache},
	{"full disk leaves nothing", test_disk_full},
	{"killed while adding", test_killed},
	{"several at once", test_together},
	CU_TEST_INFO_NULL,
};
