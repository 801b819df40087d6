// SPDX-License-Identifier: GPL-2.0-or-later
#include "apt_fixture.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "package_fixture.h"
#include "vm-images/fetch_debian.h"
#include "vm-images/kernel_store.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define CURRENT "6.1.0-56-cloud-amd64"
#define META	"linux-image-cloud-amd64"

/* @downloadable: false for a package that the lists name and the server no longer has */
static void serve_kernel(const char *folder, const char *release, bool downloadable)
{
	cleanup_free char *package = file_path("linux-image-%s", release);
	cleanup_free char *deb = file_path("%s/%s/%s.deb", folder, downloadable ? "pool" : "gone", package);
	cleanup_free char *text = NULL;
	char sha256[HASH_TEXT_SIZE];

	fixture_write_kernel_deb(deb, release, "1");
	CU_ASSERT_EQUAL_FATAL(hash_file(deb, sha256, NULL), 0);
	text = file_path(
		"Package: %s\nVersion: 1\nDepends: kmod, linux-base (>= 4.3~)\nSize: 27000000\nSHA256: %s\n",
		package, sha256);
	apt_fixture_serve(folder, package, text);
}

/* A kernel that is what the meta package depends on. */
static void serve_as_current(const char *folder, const char *release)
{
	cleanup_free char *meta = file_path("Package: " META "\nVersion: 2\nDepends: linux-image-%s (= 2)\n"
					    "Size: 1504\nSHA256: 00\n",
					    release);

	serve_kernel(folder, release, true);
	apt_fixture_serve(folder, META, meta);
}

static void watch(void *context, const char *phase, int percent)
{
	int *seen = context;

	CU_ASSERT_PTR_NOT_NULL(phase);
	CU_ASSERT_TRUE(percent >= -1 && percent <= 100);
	if (percent > *seen)
		*seen = percent;
}

static void check_fetched(const char *wanted, const char *name, bool expect_added)
{
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;
	bool added = !expect_added;
	int percent = -1;
	const struct progress progress = {watch, &percent};
	int r = kernel_fetch_debian(wanted, &progress, &kernel, &added, &err);

	if (r)
		printf("%s ", err.text);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	CU_ASSERT_STRING_EQUAL(kernel->name, name);
	CU_ASSERT_EQUAL(added, expect_added);
	CU_ASSERT_EQUAL(percent, expect_added ? 42 : -1);
}

static void check_refused(const char *wanted, int code, const char *text)
{
	struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(kernel_fetch_debian(wanted, &(struct progress){NULL, NULL}, &kernel, NULL, &err),
			-code);
	CU_ASSERT_PTR_NULL(kernel);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
}

static void test_current(void)
{
	const char *folder = apt_fixture_begin();
	cleanup_free char *downloads = file_path("%s/cache/hanglab/downloads", folder);

	serve_as_current(folder, CURRENT);
	check_fetched("debian", "debian:" CURRENT, true);
	CU_ASSERT_TRUE(apt_fixture_called(folder, "apt-get"));
	CU_ASSERT_EQUAL(fixture_count(downloads, ""), 0);
	check_fetched("debian", "debian:" CURRENT, false);
	CU_ASSERT_FALSE(apt_fixture_called(folder, "apt-get"));
	serve_as_current(folder, "6.1.0-57-cloud-amd64");
	check_fetched("debian", "debian:6.1.0-57-cloud-amd64", true);
	apt_fixture_end();
}

static void test_named(void)
{
	const char *folder = apt_fixture_begin();

	serve_as_current(folder, CURRENT);
	serve_kernel(folder, "6.1.0-55-cloud-amd64", true);
	check_fetched("debian:6.1.0-55-cloud-amd64", "debian:6.1.0-55-cloud-amd64", true);
	CU_ASSERT_TRUE(apt_fixture_called(folder, "download linux-image-6.1.0-55-cloud-amd64"));
	check_fetched("debian:6.1.0-55-cloud-amd64", "debian:6.1.0-55-cloud-amd64", false);
	CU_ASSERT_FALSE(apt_fixture_called(folder, "apt"));
	check_refused("debian:6.1.0-5", ENOENT, "linux-image-6.1.0-5;");
	apt_fixture_end();
}

static void test_not_served(void)
{
	const char *folder = apt_fixture_begin();

	serve_as_current(folder, CURRENT);
	for (unsigned int abi = 47; abi < 56; abi++) {
		cleanup_free char *package = file_path("linux-image-6.1.0-%u-cloud-amd64", abi);
		cleanup_free char *debug = file_path("%s-dbg", package);

		apt_fixture_serve(folder, package, "");
		apt_fixture_serve(folder, debug, "");
	}
	check_refused("debian:6.1.0-46-cloud-amd64", ENOENT,
		      "nearest it has: 6.1.0-47-cloud-amd64, 6.1.0-48-cloud-amd64, 6.1.0-49-cloud-amd64");
	/* 6.1.0-52.1 does not exist either; both neighbours are told, three each. */
	check_refused(
		"debian:6.1.0-52.1-cloud-amd64", ENOENT,
		"6.1.0-50-cloud-amd64, 6.1.0-51-cloud-amd64, 6.1.0-52-cloud-amd64, 6.1.0-53-cloud-amd64");
	CU_ASSERT_FALSE(apt_fixture_called(folder, "apt-get"));
	apt_fixture_end();
}

static void test_no_lists(void)
{
	apt_fixture_begin();
	check_refused("debian", ENOENT, "apt-get update");
	check_refused("debian:6.1.0-55-cloud-amd64", ENOENT, "apt-get update");
	apt_fixture_end();
}

static void test_download_fails(void)
{
	const char *folder = apt_fixture_begin();
	cleanup_free char *store = file_path("%s/cache/hanglab/kernels", folder);
	cleanup_free char *downloads = file_path("%s/cache/hanglab/downloads", folder);

	serve_kernel(folder, CURRENT, false);
	check_refused("debian:" CURRENT, EIO, "404  Not Found");
	CU_ASSERT_EQUAL(fixture_count(store, ""), 0);
	CU_ASSERT_EQUAL(fixture_count(downloads, ""), 0);
	apt_fixture_end();
}

static void test_names(void)
{
	check_refused("fedora", EINVAL, "\"fedora\"");
	check_refused("debian:", EINVAL, "\"debian:\"");
	check_refused("debianx", EINVAL, "\"debianx\"");
	check_refused("debian:-o=x", EINVAL, "\"debian:-o=x\"");
	check_refused("debian:../x/5.10", EINVAL, "names no Debian kernel");
	check_refused("debian:bullseye/", EINVAL, "names no Debian kernel");
	check_refused("debian:bullseye/-o", EINVAL, "names no Debian kernel");
	check_refused("debian:" CURRENT "-dbg", EINVAL,
		      "apt-get download linux-image-" CURRENT "-dbg linux-image-" CURRENT ",");
}

/* By the version of the package, or the upstream part of it. */
static void test_version(void)
{
	const char *folder = apt_fixture_begin();

	serve_as_current(folder, CURRENT);
	check_fetched("debian:1", "debian:" CURRENT, true);
	check_fetched("debian:" CURRENT, "debian:" CURRENT, false);
	check_refused("debian:3", ENOENT, "linux-image-3;");
	apt_fixture_end();
}

/* Another suite has a state of apt's own, with the security updates of a release. */
static void test_suite(void)
{
	const char *folder = apt_fixture_begin();
	cleanup_free char *sources = file_path("%s/sources", folder), *text = NULL;

	serve_kernel(folder, "5.10.0-30-cloud-amd64", true);
	check_fetched("debian:bullseye/5.10.0-30-cloud-amd64", "debian:bullseye/5.10.0-30-cloud-amd64", true);
	CU_ASSERT_EQUAL_FATAL(file_read(sources, &text, NULL, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " http://a/debian/ bullseye main\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " http://a/debian-security bullseye-security main\n"));
	CU_ASSERT_TRUE(apt_fixture_called(folder, "-c"));
	check_fetched("debian:bullseye/5.10.0-30-cloud-amd64", "debian:bullseye/5.10.0-30-cloud-amd64",
		      false);
	CU_ASSERT_FALSE(apt_fixture_called(folder, "apt"));
	check_refused("debian:nonesuch", EIO, "suite \"nonesuch\"");
	apt_fixture_end();
}

/* From 7.x an empty linux-image depends on the packages with the kernel and its modules. */
static void test_parts(void)
{
	static const struct packed_file binary[] = {
		{"./usr/lib/modules/7.3.4-cloud-amd64/vmlinuz", "kernel", NULL}, {NULL, NULL, NULL}};
	static const struct packed_file modules[] = {
		{"./usr/lib/modules/7.3.4-cloud-amd64/modules.order", "", NULL},
		{"./usr/lib/modules/7.3.4-cloud-amd64/modules.builtin", "", NULL},
		{NULL, NULL, NULL}};
	static const struct packed_file nothing[] = {{"./usr/share/doc/empty", "", NULL}, {NULL, NULL, NULL}};
	static const struct {
		const char *name, *depends;
		const struct packed_file *files;
	} parts[] = {
		{"linux-image-7.3.4-cloud-amd64",
		 "kmod, linux-binary-7.3.4-cloud-amd64, linux-modules-7.3.4-cloud-amd64", nothing},
		{"linux-binary-7.3.4-cloud-amd64", "kmod", binary},
		{"linux-modules-7.3.4-cloud-amd64", "kmod", modules},
	};
	const char *folder = apt_fixture_begin();

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		cleanup_free char *deb = file_path("%s/pool/%s.deb", folder, parts[i].name), *text = NULL;
		cleanup_free char *control =
			file_path("Package: %s\nVersion: 7.3.4-1\nArchitecture: amd64\n", parts[i].name);
		char sha256[HASH_TEXT_SIZE];

		fixture_write_deb(deb, control, parts[i].files, PACKED_XZ);
		CU_ASSERT_EQUAL_FATAL(hash_file(deb, sha256, NULL), 0);
		text = file_path("%sDepends: %s\nSize: 1000\nSHA256: %s\n", control, parts[i].depends,
				 sha256);
		apt_fixture_serve(folder, parts[i].name, text);
	}
	check_fetched("debian:7.3.4", "debian:7.3.4-cloud-amd64", true);
	check_fetched("debian:7.3.4-cloud-amd64", "debian:7.3.4-cloud-amd64", false);
	apt_fixture_end();
}

CU_TestInfo fetch_debian_tests[] = {
	{"current kernel", test_current},
	{"named kernel", test_named},
	{"not served", test_not_served},
	{"no package lists", test_no_lists},
	{"download fails", test_download_fails},
	{"bad names", test_names},
	{"by version", test_version},
	{"another suite", test_suite},
	{"a kernel in parts", test_parts},
	CU_TEST_INFO_NULL,
};
