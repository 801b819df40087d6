// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "package_fixture.h"
#include "vm-images/modules.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define RELEASE "6.0-test"

/* What depmod reads from a module: its .modinfo, the symbols that it exports and those that it needs. */
#define INFO(text) "static const char info[] __attribute__((section(\".modinfo\"), used)) = \"" text "\";"
#define EXPORTS(name)                                                                                        \
	"static const char exported[] __attribute__((section(\"__ksymtab_strings\"), used)) = \"" name "\";" \
	"int " name ";"
#define NEEDS(name) "extern int " name "; int *user_of_" name " = &" name ";"

static const struct {
	const char *name, *code;
	enum packing packing;
} sources[] = {
	/* The shape of xfs: a hard dependency that has a soft one with several providers. */
	{"library", EXPORTS("library_symbol") INFO("softdep=pre: fastsum missing_helper post: afterwards"),
	 PACKED_XZ},
	{"filesystem", NEEDS("library_symbol") INFO("alias=fs-filesystem"), PACKED_PLAIN},
	{"fastsum_generic", INFO("alias=fastsum\\0alias=fastsum-generic"), PACKED_ZSTD},
	{"fastsum_cpu", INFO("alias=fastsum"), PACKED_PLAIN},
	{"afterwards", "", PACKED_PLAIN},
	/* A soft dependency with one provider, which depends on another module. */
	{"deep", EXPORTS("deep_symbol"), PACKED_PLAIN},
	{"soft", NEEDS("deep_symbol"), PACKED_PLAIN},
	{"softly", INFO("softdep=pre: soft"), PACKED_PLAIN},
	{"circle_a", INFO("softdep=pre: circle_b"), PACKED_PLAIN},
	{"circle_b", INFO("softdep=pre: circle_a"), PACKED_PLAIN},
	{"lost", "", PACKED_PLAIN},
	{"uses_lost", INFO("softdep=pre: lost"), PACKED_PLAIN},
	{"uses_builtin", INFO("softdep=pre: ext9"), PACKED_PLAIN},
};

static void build(const char *folder, size_t index)
{
	static const char *const endings[PACKINGS] = {"", ".gz", ".xz", ".zst"};
	cleanup_free char *source = file_path("%s/source.c", folder),
			  *object = file_path("%s/object.o", folder);
	cleanup_free char *path = file_path("%s/lib/modules/" RELEASE "/kernel/%s.ko%s", folder,
					    sources[index].name, endings[sources[index].packing]);
	const char *const compile[] = {"cc", "-c", "-o", object, source, NULL};
	cleanup_free char *data = NULL;
	size_t size;

	fixture_write_text(source, sources[index].code);
	CU_ASSERT_EQUAL_FATAL(process_run(compile, 60000, NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(file_read(object, &data, &size, NULL), 0);
	if (sources[index].packing == PACKED_PLAIN)
		fixture_write(path, data, size);
	else
		fixture_write_compressed(path, data, size, sources[index].packing);
}

/* The kernel of these tests, built once. */
static const struct kernel *test_kernel(void)
{
	static struct kernel kernel;
	char *folder;

	if (kernel.modules)
		return &kernel;
	folder = strdup(fixture_folder());
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		build(folder, i);
	kernel.name = "test:" RELEASE;
	kernel.config = file_path("%s/config", folder);
	kernel.modules = file_path("%s/lib/modules/" RELEASE, folder);
	fixture_write_text(kernel.config, "CONFIG_EXT9=y\n# CONFIG_XFS_FS is not set\n");

	cleanup_free char *order = file_path("%s/modules.order", kernel.modules);
	cleanup_free char *builtin = file_path("%s/modules.builtin", kernel.modules);
	cleanup_free char *lost = file_path("%s/kernel/lost.ko", kernel.modules);
	const char *const depmod[] = {"depmod", "-b", folder, RELEASE, NULL};

	fixture_write_text(order, "");
	fixture_write_text(builtin, "kernel/fs/ext9.ko\n");
	CU_ASSERT_EQUAL_FATAL(process_run(depmod, 60000, NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(unlink(lost), 0);
	free(folder);
	return &kernel;
}

/* @expected: names in load order, "-" in front of optional ones. */
static void check_order(const char *const *wanted, size_t count, const char *expected)
{
	cleanup_with(module_list_clear) struct module_list list = {NULL, 0};
	cleanup_free char *order = NULL;
	struct hl_error err = HL_ERROR_INIT;
	size_t size;
	FILE *text;

	CU_ASSERT_EQUAL_FATAL(modules_resolve(test_kernel(), wanted, count, &list, &err), 0);
	text = open_memstream(&order, &size);
	for (size_t i = 0; i < list.count; i++) {
		fprintf(text, "%s%s%s", i ? " " : "", list.modules[i].optional ? "-" : "",
			list.modules[i].name);
		CU_ASSERT_EQUAL(access(list.modules[i].path, R_OK), 0);
	}
	fclose(text);
	if (strcmp(order, expected))
		printf("\n%s, expected %s ", order, expected);
	CU_ASSERT_STRING_EQUAL(order, expected);
}

#define CHECK_ORDER(expected, ...)                                                                           \
	check_order((const char *const[]){__VA_ARGS__},                                                      \
		    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), expected)

static void test_dependencies(void)
{
	CHECK_ORDER("-fastsum_generic library filesystem", "filesystem");
	CHECK_ORDER("-fastsum_generic library filesystem", "fs-filesystem");
	CHECK_ORDER("afterwards -fastsum_generic library filesystem", "afterwards", "library", "filesystem");
	CHECK_ORDER("fastsum_cpu", "fastsum-cpu");
}

static void test_optional(void)
{
	CHECK_ORDER("-deep -soft softly", "softly");
	/* Asked for later by name, what was optional is so no more, its dependencies included. */
	CHECK_ORDER("deep soft softly", "softly", "soft");
	CHECK_ORDER("-circle_b circle_a", "circle_a");
	CHECK_ORDER("uses_lost", "uses_lost");
	/* Asked for as optional. */
	CHECK_ORDER("-deep -soft -softly", "-softly");
	CHECK_ORDER("deep soft softly", "-softly", "softly", "soft");
	CHECK_ORDER("", "-no_such_module");
}

static void test_built_in(void)
{
	CHECK_ORDER("", "ext9");
	CHECK_ORDER("uses_builtin", "uses_builtin");
}

static void check_missing(const char *wanted, const char *text)
{
	struct module_list list = {NULL, 0};
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(modules_resolve(test_kernel(), &wanted, 1, &list, &err), -ENOENT);
	CU_ASSERT_PTR_NULL(list.modules);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
}

static void test_missing(void)
{
	check_missing("xfs", "no module xfs: CONFIG_XFS_FS is not set");
	check_missing("fs-xfs", "no module fs-xfs: CONFIG_XFS_FS is not set");
	check_missing("lost", "no module lost");
	check_missing("nothing_like_it", "kernel test:" RELEASE " has no module nothing_like_it");
}

static void test_no_indexes(void)
{
	struct kernel kernel = {.name = "bare", .modules = (char *)fixture_folder()};
	struct module_list list = {NULL, 0};
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(modules_resolve(&kernel, (const char *const[]){"xfs"}, 1, &list, &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, kernel.modules));
}

/* Content that does not compress, so that a cut falls into it. */
static char *noise(size_t size)
{
	char *content = malloc(size);
	unsigned int state = 1;

	CU_ASSERT_PTR_NOT_NULL_FATAL(content);
	for (size_t i = 0; i < size; i++) {
		state = state * 1103515245 + 12345;
		content[i] = (char)(state >> 16);
	}
	return content;
}

static const char *const module_names[PACKINGS] = {"x.ko", "x.ko.gz", "x.ko.xz", "x.ko.zst"};

static void test_read(void)
{
	const char *folder = fixture_folder();
	size_t size = 1024 * 1024 + 17;
	cleanup_free char *content = noise(size);

	for (enum packing packing = 0; packing < PACKINGS; packing++) {
		cleanup_free char *path = file_path("%s/%s", folder, module_names[packing]);
		cleanup_free void *data = NULL;
		struct hl_error err = HL_ERROR_INIT;
		size_t got = 0;

		fixture_write_compressed(path, content, size, packing);
		CU_ASSERT_EQUAL_FATAL(module_read(path, &data, &got, &err), 0);
		CU_ASSERT_EQUAL_FATAL(got, size);
		CU_ASSERT_EQUAL(memcmp(data, content, size), 0);
	}
}

static void test_read_truncated(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *content = noise(1024 * 1024);

	for (enum packing packing = PACKED_GZIP; packing < PACKINGS; packing++) {
		cleanup_free char *path = file_path("%s/%s", folder, module_names[packing]), *packed = NULL;
		struct hl_error err = HL_ERROR_INIT;
		void *data = NULL;
		size_t size;

		fixture_write_compressed(path, content, 1024 * 1024, packing);
		CU_ASSERT_EQUAL_FATAL(file_read(path, &packed, &size, NULL), 0);
		for (size_t length = 1; length < size; length += size / 7) {
			fixture_write(path, packed, length);
			CU_ASSERT_EQUAL(module_read(path, &data, &size, &err), -EBADMSG);
			CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
		}
	}
}

CU_TestInfo modules_tests[] = {
	{"dependencies in load order", test_dependencies},
	{"optional modules", test_optional},
	{"built-in modules", test_built_in},
	{"missing modules", test_missing},
	{"no indexes", test_no_indexes},
	{"compressed modules", test_read},
	{"truncated module", test_read_truncated},
	CU_TEST_INFO_NULL,
};
