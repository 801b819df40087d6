// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "vm-images/deb.h"
#include "vm-images/package.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/stat.h>

#define BOOT_FILES                                                                                           \
	{"./boot/vmlinuz-" FIXTURE_RELEASE, "vmlinuz content", NULL},                                        \
		{"./boot/config-" FIXTURE_RELEASE, "CONFIG_MODULES=y\n", NULL},                              \
	{                                                                                                    \
		"./boot/System.map-" FIXTURE_RELEASE, "ffffffff81000000 T _text\n", NULL                     \
	}

#define MODULES "lib/modules/" FIXTURE_RELEASE

static const struct packed_file unmerged[] = {
	BOOT_FILES,
	{"./" MODULES "/kernel/fs/xfs/xfs.ko", "xfs content", NULL},
	{"./" MODULES "/modules.order", "kernel/fs/xfs/xfs.ko\n", NULL},
	{"./" MODULES "/build", NULL, "/usr/src/linux-headers"},
	{"./usr/share/doc/linux-image/copyright", "GPL\n", NULL},
	{NULL, NULL, NULL},
};

static const struct packed_file merged[] = {
	BOOT_FILES,
	{"./usr/" MODULES "/kernel/fs/xfs/xfs.ko", "xfs content", NULL},
	{NULL, NULL, NULL},
};

static int unpack(const char *folder, const char *package, struct kernel_package *deb, struct hl_error *err)
{
	cleanup_free char *target = file_path("%s/unpacked", folder);

	CU_ASSERT_EQUAL_FATAL(file_remove_tree(target, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(mkdir(target, 0755), 0);
	return package_unpack_kernel(&package, 1, target, deb, err);
}

static void check_content(const char *folder, const char *name, const char *expected)
{
	cleanup_free char *path = file_path("%s/unpacked/%s", folder, name);
	cleanup_free char *content = NULL;

	CU_ASSERT_EQUAL_FATAL(file_read(path, &content, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(content, expected);
}

static void check_unpacked(const struct packed_file *files, enum packing packing)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/kernel.deb", folder);
	cleanup_free char *foreign = file_path("%s/unpacked/share", folder);
	cleanup_free char *link = file_path("%s/unpacked/" MODULES "/build", folder);
	cleanup_with(kernel_package_clear) struct kernel_package deb = {NULL, NULL, NULL, NULL};
	struct hl_error err = HL_ERROR_INIT;
	struct stat status;

	fixture_write_deb(package, FIXTURE_CONTROL, files, packing);
	CU_ASSERT_EQUAL_FATAL(unpack(folder, package, &deb, &err), 0);
	CU_ASSERT_STRING_EQUAL(deb.package, "linux-image-" FIXTURE_RELEASE);
	CU_ASSERT_STRING_EQUAL(deb.version, "6.1.42-1");
	CU_ASSERT_STRING_EQUAL(deb.architecture, "amd64");
	CU_ASSERT_STRING_EQUAL(deb.release, FIXTURE_RELEASE);
	check_content(folder, "vmlinuz", "vmlinuz content");
	check_content(folder, "config", "CONFIG_MODULES=y\n");
	check_content(folder, "System.map", "ffffffff81000000 T _text\n");
	check_content(folder, MODULES "/kernel/fs/xfs/xfs.ko", "xfs content");
	CU_ASSERT_EQUAL(lstat(foreign, &status), -1);
	CU_ASSERT_EQUAL(lstat(link, &status), -1);
}

static void test_layouts(void)
{
	for (enum packing packing = 0; packing < PACKINGS; packing++) {
		check_unpacked(unmerged, packing);
		check_unpacked(merged, packing);
	}
}

static void check_refused(const char *folder, const char *package, int code, const char *reason)
{
	struct kernel_package deb = {NULL, NULL, NULL, NULL};
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(unpack(folder, package, &deb, &err), -code);
	CU_ASSERT_PTR_NULL(deb.release);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, package));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, reason));
}

static void check_refused_files(const struct packed_file *files, int code, const char *reason)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/kernel.deb", folder);

	fixture_write_deb(package, FIXTURE_CONTROL, files, PACKED_XZ);
	check_refused(folder, package, code, reason);
}

static void test_not_a_package(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *text = file_path("%s/text.deb", folder),
			  *empty = file_path("%s/empty.deb", folder);
	cleanup_free char *missing = file_path("%s/missing.deb", folder);

	fixture_write_text(text, "This is not the package you are looking for.\n");
	fixture_write_text(empty, "");
	check_refused(folder, text, EBADMSG, "not a Debian package");
	check_refused(folder, empty, EBADMSG, "not a Debian package");
	check_refused(folder, folder, EBADMSG, "not a regular file");
	check_refused(folder, missing, ENOENT, "No such file");
}

/* Wherever the file is cut, it is said to be cut (or, before the first member, to be no package). */
static void test_truncated(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *whole = file_path("%s/whole.deb", folder), *cut = file_path("%s/cut.deb", folder);

	for (enum packing packing = 0; packing < PACKINGS; packing++) {
		cleanup_free char *data = NULL;
		size_t size;

		fixture_write_deb(whole, FIXTURE_CONTROL, unmerged, packing);
		CU_ASSERT_EQUAL_FATAL(file_read(whole, &data, &size, NULL), 0);
		/* The very last byte may be the padding of ar. */
		for (size_t length = 1; length < size - 1; length += 1 + size / 97) {
			fixture_write(cut, data, length);
			check_refused(folder, cut, EBADMSG, length < 72 ? "cut.deb" : "truncated");
		}
	}
}

static void test_damaged(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/kernel.deb", folder), *data = NULL;
	size_t size;

	fixture_write_deb(package, FIXTURE_CONTROL, unmerged, PACKED_XZ);
	CU_ASSERT_EQUAL_FATAL(file_read(package, &data, &size, NULL), 0);
	memset(data + size - 200, 0x55, 100);
	fixture_write(package, data, size);
	check_refused(folder, package, EBADMSG, "damaged");
}

static void test_no_kernel(void)
{
	static const struct packed_file documents[] = {{"./usr/share/doc/x", "x", NULL}, {NULL, NULL, NULL}};
	static const struct packed_file without_modules[] = {BOOT_FILES, {NULL, NULL, NULL}};
	static const struct packed_file two[] = {
		BOOT_FILES,
		{"./boot/vmlinuz-6.2", "another", NULL},
		{NULL, NULL, NULL},
	};

	check_refused_files(documents, ENODATA, "holds no kernel");
	check_refused_files(without_modules, ENODATA, "without its modules");
	check_refused_files(two, ENODATA, "more than one kernel");
}

static void test_climbing_path(void)
{
	static const struct packed_file files[] = {
		BOOT_FILES,
		{"./lib/modules/../../../escaped", "x", NULL},
		{NULL, NULL, NULL},
	};

	check_refused_files(files, EBADMSG, "\"..\"");
}

static void test_no_control_fields(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *package = file_path("%s/kernel.deb", folder);

	fixture_write_deb(package, "Package: linux-image\n", unmerged, PACKED_GZIP);
	check_refused(folder, package, EBADMSG, "Version");
}

static void test_field(void)
{
	cleanup_free char *version =
		deb_field("Package: a\nXVersion: 1\nVersions: 3\nVersion:  2.0-1\nSize: 5", "Version");
	cleanup_free char *size = deb_field("Package: a\nVersion: 2.0-1\nSize: 5", "Size");

	CU_ASSERT_STRING_EQUAL(version, "2.0-1");
	CU_ASSERT_STRING_EQUAL(size, "5");
	CU_ASSERT_PTR_NULL(deb_field("Package: a\n", "Version"));
}

CU_TestInfo deb_tests[] = {
	{"compressions, merged and unmerged /lib", test_layouts},
	{"not a package", test_not_a_package},
	{"truncated anywhere", test_truncated},
	{"damaged", test_damaged},
	{"no kernel inside", test_no_kernel},
	{"path that climbs out", test_climbing_path},
	{"control file without fields", test_no_control_fields},
	{"control fields", test_field},
	CU_TEST_INFO_NULL,
};
