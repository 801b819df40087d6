// SPDX-License-Identifier: GPL-2.0-or-later
#include "apt_fixture.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "package_fixture.h"
#include "vm-images/build.h"
#include "vm-images/kernel_store.h"
#include "vm-images/source.h"

#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/stat.h>

#define PACKAGE	   "linux-source-6.1"
#define TIMEOUT_MS 30000

/* A tree in which make does what that of a kernel does, for a kernel of one text file. Of the options it
 * knows all but UNKNOWN. */
static const char makefile[] =
	"olddefconfig: ; @sed -i /CONFIG_UNKNOWN/d .config\n"
	"all:\n"
	"\t@echo '  CC      init/main.o'; ! grep -q broken text || { echo 'text:1:2: error: broken'; exit 1; "
	"}\n"
	"\t@mkdir -p include/config arch/x86/boot; echo 6.1.9-lab > include/config/kernel.release\n"
	"\t@cat text > arch/x86/boot/bzImage; echo > System.map; echo kernel/fs/ext4.ko > "
	"modules.builtin\n"
	"\t@echo $(KBUILD_BUILD_USER) > modules.builtin.modinfo; : > modules.order; echo made >> made\n";

static const char change[] = "--- a/text\n+++ b/text\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n";
static const char change_again[] = "--- a/text\n+++ b/text\n@@ -1,3 +1,3 @@\n one\n-TWO\n+2\n three\n";
static const char new_file[] = "--- /dev/null\n+++ b/script.d/new\n@@ -0,0 +1 @@\n+new\n"
			       "--- a/script\n+++ b/script\n@@ -1 +1 @@\n-#!/bin/sh\n+#!/bin/bash\n";
static const char no_patch[] = "Dear all,\n";

static void run(const char *const *command)
{
	struct hl_error err = HL_ERROR_INIT;

	if (process_run(command, TIMEOUT_MS, NULL, &err))
		printf("%s ", err.text);
	CU_ASSERT_EQUAL_FATAL(err.code, 0);
}

static void write_below(const char *folder, const char *name, const char *text)
{
	cleanup_free char *path = file_path("%s/%s", folder, name);

	fixture_write_text(path, text);
}

/* Debian's package of that version, which apt serves from now on. */
static void serve(const char *folder, const char *version)
{
	static const char pack[] = "mkdir -p deb/usr/src deb/DEBIAN && "
				   "tar -cJf deb/usr/src/" PACKAGE ".tar.xz linux && "
				   "dpkg-deb --root-owner-group -b deb pool/" PACKAGE ".deb";
	cleanup_free char *control = file_path("Package: " PACKAGE "\nVersion: %s\nArchitecture: all\n"
					       "Maintainer: nobody <n@localhost>\nDescription: text\n",
					       version);
	cleanup_free char *deb = file_path("%s/pool/" PACKAGE ".deb", folder), *paragraph = NULL;
	cleanup_free char *text = file_path("one\ntwo\nthree\n%s\n", version);
	char sha256[HASH_TEXT_SIZE];

	write_below(folder, "linux/Makefile", makefile);
	write_below(folder, "linux/Kconfig", "config KNOWN\n\tbool\n");
	write_below(folder, "linux/text", text);
	write_below(folder, "linux/script", "#!/bin/sh\n");
	write_below(folder, "deb/DEBIAN/control", control);
	write_below(folder, "pool/nothing", "");
	run((const char *const[]){"env", "-C", folder, "sh", "-c", pack, NULL});
	CU_ASSERT_EQUAL_FATAL(hash_file(deb, sha256, NULL), 0);
	paragraph = file_path("%sSize: 1000\nSHA256: %s\n", control, sha256);
	apt_fixture_serve(folder, PACKAGE, paragraph);
}

static const char *begin(void)
{
	static const char *const programs[] = {"bc", "bison", "ccache", "flex"};
	const char *folder = apt_fixture_begin();

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		cleanup_free char *name = file_path("bin/%s", programs[i]);

		write_below(folder, name, "#!/bin/sh\n");
	}
	serve(folder, "6.1.9-1");
	write_below(folder, "whole.config", "CONFIG_MODULES=y\n# CONFIG_FUTEX is not set\n");
	write_below(folder, "change.patch", change);
	write_below(folder, "again.patch", change_again);
	write_below(folder, "new.patch", new_file);
	write_below(folder, "none.patch", no_patch);
	return folder;
}

static const struct progress nobody = {NULL, NULL};

/* ---- sources and patches ---- */

static void check_tree(const char *folder, const char *name, const char *expected)
{
	cleanup_free char *path = file_path("%s/cache/hanglab/sources/" PACKAGE "/tree/%s", folder, name);
	cleanup_free char *text = NULL;

	if (!expected) {
		CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
		return;
	}
	CU_ASSERT_EQUAL_FATAL(file_read(path, &text, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(text, expected);
}

/* Patch the tree with up to two patches. */
static int patch(const char *folder, const char *one, const char *other, struct hl_error *err)
{
	cleanup_with(source_close) struct source source = SOURCE_NONE;
	cleanup_free char *first = file_path("%s/%s", folder, one ? one : "");
	cleanup_free char *second = file_path("%s/%s", folder, other ? other : "");
	const char *paths[] = {first, second};

	CU_ASSERT_EQUAL_FATAL(source_open("debian:6.1", &nobody, &source, err), 0);
	CU_ASSERT_STRING_EQUAL(source.package, PACKAGE);
	return source_patch(&source, paths, (one != NULL) + (other != NULL), err);
}

#define TEXT(what) "one\n" what "\nthree\n6.1.9-1\n"

static void test_patch(void)
{
	const char *folder = begin();
	cleanup_free char *script = file_path("%s/cache/hanglab/sources/" PACKAGE "/tree/script", folder);
	struct hl_error err = HL_ERROR_INIT;
	struct stat status;

	CU_ASSERT_EQUAL(patch(folder, "change.patch", "again.patch", &err), 0);
	check_tree(folder, "text", TEXT("2"));
	CU_ASSERT_EQUAL(patch(folder, "new.patch", NULL, &err), 0);
	check_tree(folder, "text", TEXT("two"));
	check_tree(folder, "script.d/new", "new\n");
	check_tree(folder, "script", "#!/bin/bash\n");
	CU_ASSERT_EQUAL(patch(folder, NULL, NULL, &err), 0);
	check_tree(folder, "script.d/new", NULL);
	check_tree(folder, "script", "#!/bin/sh\n");
	CU_ASSERT_EQUAL_FATAL(stat(script, &status), 0);
	CU_ASSERT_TRUE(status.st_mode & S_IXUSR);
	apt_fixture_end();
}

static void test_patch_fails(void)
{
	const char *folder = begin();
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(patch(folder, "change.patch", "change.patch", &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "change.patch does not apply to " PACKAGE
						" 6.1.9-1: text: Hunk #1 FAILED at 1."));
	check_tree(folder, "text", TEXT("two"));
	CU_ASSERT_EQUAL(patch(folder, "new.patch", "again.patch", &err), -EINVAL);
	check_tree(folder, "script.d/new", NULL);
	CU_ASSERT_EQUAL(patch(folder, "none.patch", NULL, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "Only garbage was found in the patch input."));
	CU_ASSERT_EQUAL(patch(folder, "missing.patch", NULL, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "missing.patch"));
	apt_fixture_end();
}

static void check_refused_source(const char *name, int code, const char *text)
{
	cleanup_with(source_close) struct source source = SOURCE_NONE;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(source_open(name, &nobody, &source, &err), -code);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
}

static void test_source_names(void)
{
	const char *folder = begin();
	cleanup_with(source_close) struct source source = SOURCE_NONE;
	struct hl_error err = HL_ERROR_INIT;

	check_refused_source("6.1", EINVAL, "\"6.1\" names no kernel sources");
	check_refused_source("debian:", EINVAL, "names no kernel sources");
	check_refused_source("debian:-o", EINVAL, "names no kernel sources");
	check_refused_source("debian:../6.1", EINVAL, "names no kernel sources");
	check_refused_source("debian:6.1=", EINVAL, "names no kernel sources");
	check_refused_source("debian:6.2", ENOENT, "linux-source-6.2");
	CU_ASSERT_EQUAL(source_open("debian:6.1", &nobody, &source, &err), 0);
	source_close(&source);
	/* What is there serves its own version without asking, and any when apt does not answer. */
	apt_fixture_called(folder, "");
	CU_ASSERT_EQUAL(source_open("debian:6.1=6.1.9-1", &nobody, &source, &err), 0);
	CU_ASSERT_FALSE(apt_fixture_called(folder, "apt"));
	source_close(&source);
	check_refused_source("debian:6.1=6.1.8-1", ENOENT, PACKAGE "=6.1.8-1");
	apt_fixture_end();
}

/* ---- whole builds ---- */

static int build(const char *folder, const char *name, const char *patch_name, const char *fragment,
		 bool *built, struct kernel **kernel, struct hl_error *err)
{
	cleanup_free char *patch_path = file_path("%s/%s", folder, patch_name ?: "");
	cleanup_free char *fragment_path = file_path("%s/%s", folder, fragment ?: "");
	cleanup_free char *config = file_path("%s/whole.config", folder);
	const struct build wanted = {
		.name = name,
		.source = "debian:6.1",
		.config = config,
		.fragments = (const char *const[]){fragment_path},
		.fragment_count = fragment != NULL,
		.patches = (const char *const[]){patch_path},
		.patch_count = patch_name != NULL,
		.jobs = 1,
	};

	return kernel_build(&wanted, &nobody, kernel, built, err);
}

static void check_built(const char *folder, const char *patch_name, const char *fragment, bool expected,
			const char *image)
{
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	cleanup_free char *text = NULL, *provenance = NULL;
	struct hl_error err = HL_ERROR_INIT;
	bool built = !expected;
	int r = build(folder, "mine", patch_name, fragment, &built, &kernel, &err);

	if (r)
		printf("%s ", err.text);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	CU_ASSERT_EQUAL(built, expected);
	CU_ASSERT_STRING_EQUAL(kernel->name, "mine");
	CU_ASSERT_STRING_EQUAL(kernel->release, "6.1.9-lab");
	CU_ASSERT_TRUE(kernel->built);
	CU_ASSERT_EQUAL_FATAL(file_read(kernel->vmlinuz, &text, NULL, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, image));
	provenance = file_path("%s/build.json", kernel->folder);
	CU_ASSERT_EQUAL(access(provenance, R_OK), 0);
}

static void test_build(void)
{
	const char *folder = begin();
	cleanup_free char *store = file_path("%s/cache/hanglab/kernels", folder);
	cleanup_with(kernel_cleanup) struct kernel *found = NULL;
	struct hl_error err = HL_ERROR_INIT;

	check_built(folder, NULL, NULL, true, "two");
	check_built(folder, NULL, NULL, false, "two");
	check_built(folder, "change.patch", NULL, true, "TWO");
	check_built(folder, "change.patch", NULL, false, "TWO");
	/* A name leads to what was built last. */
	CU_ASSERT_EQUAL(fixture_count(store, ""), 1);
	serve(folder, "6.1.9-2");
	check_built(folder, NULL, NULL, true, "6.1.9-2");
	CU_ASSERT_EQUAL(fixture_count(store, ""), 1);
	CU_ASSERT_EQUAL_FATAL(kernel_store_find("mine", &found, &err), 0);
	CU_ASSERT_STRING_EQUAL(found->version, "6.1.9-2");
	/* The version of its sources is that of a package for packages alone. */
	kernel_free(take_pointer(found));
	CU_ASSERT_EQUAL(kernel_store_find("6.1.9-2", &found, &err), -ENOENT);
	apt_fixture_end();
}

static void check_not_built(const char *folder, const char *name, const char *patch_name,
			    const char *fragment, int code, const char *text)
{
	struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;
	bool built;

	CU_ASSERT_EQUAL(build(folder, name, patch_name, fragment, &built, &kernel, &err), -code);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
	if (!strstr(err.text, text))
		printf("%s ", err.text);
}

static void test_build_fails(void)
{
	const char *folder = begin();

	write_below(folder, "bad.config", "CONFIG_KNOWN=y\nKNOWN=y\n");
	write_below(folder, "unknown.config", "# a comment\n\nCONFIG_UNKNOWN=y\n");
	write_below(folder, "broken.patch",
		    "--- a/text\n+++ b/text\n@@ -1,3 +1,3 @@\n one\n-two\n+broken\n three\n");
	check_not_built(folder, "mine", NULL, "bad.config", EINVAL, "bad.config:2: \"KNOWN=y\"");
	check_not_built(folder, "mine", NULL, "unknown.config", EINVAL,
			"unknown.config:3: these sources have no option CONFIG_UNKNOWN");
	check_not_built(folder, "mine", NULL, "missing.config", ENOENT, "missing.config");
	check_not_built(folder, "mine", "broken.patch", NULL, EIO, "text:1:2: error: broken");
	check_not_built(folder, "debian:mine", NULL, NULL, EINVAL, "\"debian:\"");
	check_not_built(folder, "m y", NULL, NULL, EINVAL, "\"m y\"");
	apt_fixture_end();
}

CU_TestInfo build_tests[] = {
	{"patches", test_patch},
	{"patch does not apply", test_patch_fails},
	{"names of sources", test_source_names},
	{"build", test_build},
	{"build fails", test_build_fails},
	CU_TEST_INFO_NULL,
};
