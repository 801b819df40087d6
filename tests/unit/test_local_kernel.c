// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "vm-images/bzimage.h"
#include "vm-images/kernel_store.h"
#include "vm-images/modules.h"

#include <CUnit/CUnit.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>

#define RELEASE	  "6.9.0-mine"
#define SECTOR	  512
#define PAYLOAD	  (2 * SECTOR) /* one sector of set-up code */
#define LARGEST	  4096
#define CONFIG	  "CONFIG_VIRTIO_PCI=y\nCONFIG_XFS_FS=m\n"
#define BANNER	  RELEASE " (somebody@here) #1 SMP"
#define BANNER_AT 0x260

static void put(char *image, size_t at, uint32_t value, size_t width)
{
	value = htole32(value);
	memcpy(image + at, &value, width);
}

/* What a compressor makes of some bytes, newly allocated. */
static char *packed(const char *folder, const void *data, size_t size, enum packing packing,
		    size_t *packed_size)
{
	cleanup_free char *path = file_path("%s/packed", folder);
	char *content = NULL;

	fixture_write_compressed(path, data, size, packing);
	CU_ASSERT_EQUAL_FATAL(file_read(path, &content, packed_size, NULL), 0);
	return content;
}

/* A bzImage as far as its header goes, with @config in its kernel, or none. */
static void write_image(const char *folder, const char *path, const char *config, enum packing packing)
{
	char image[PAYLOAD + LARGEST] = "", kernel[LARGEST] = "code of the kernel";
	size_t config_size = 0, kernel_size, at = strlen(kernel);
	cleanup_free char *inner = NULL, *payload = NULL;

	if (config) {
		inner = packed(folder, config, strlen(config), PACKED_GZIP, &config_size);
		at = (size_t)(stpcpy(kernel + at, "IKCFG_ST") - kernel);
		memcpy(kernel + at, inner, config_size);
		at = (size_t)(stpcpy(kernel + at + config_size, "IKCFG_ED") - kernel);
	}
	payload = packed(folder, kernel, at, packing, &kernel_size);
	CU_ASSERT_FATAL(kernel_size < LARGEST);
	put(image, 0x1f1, 1, 1);
	memcpy(image + 0x202, "HdrS", 4);
	put(image, 0x206, 0x20f, 2);
	put(image, 0x20e, BANNER_AT - SECTOR, 2);
	memcpy(image + BANNER_AT, BANNER, strlen(BANNER));
	put(image, 0x248, 0, 4);
	put(image, 0x24c, (uint32_t)kernel_size, 4);
	memcpy(image + PAYLOAD, payload, kernel_size);
	fixture_write(path, image, PAYLOAD + kernel_size);
}

static void check_config(const char *path, int code, const char *expected)
{
	cleanup_free char *config = NULL;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL_FATAL(bzimage_config(path, &config, &err), -code);
	CU_ASSERT_PTR_NOT_NULL(strstr(code ? err.text : config, expected));
}

static void test_image(void)
{
	static const enum packing packings[] = {PACKED_GZIP, PACKED_XZ, PACKED_ZSTD};
	const char *folder = fixture_folder();
	cleanup_free char *path = file_path("%s/bzImage", folder), *release = NULL;
	struct hl_error err = HL_ERROR_INIT;

	for (size_t i = 0; i < sizeof(packings) / sizeof(*packings); i++) {
		write_image(folder, path, CONFIG, packings[i]);
		check_config(path, 0, CONFIG);
	}
	CU_ASSERT_EQUAL_FATAL(bzimage_release(path, &release, &err), 0);
	CU_ASSERT_STRING_EQUAL(release, RELEASE);
	write_image(folder, path, NULL, PACKED_ZSTD);
	check_config(path, ENODATA, "was built without CONFIG_IKCONFIG");
	write_image(folder, path, CONFIG, PACKED_PLAIN);
	check_config(path, EBADMSG, "cannot be decompressed");
	fixture_write_text(path, "text");
	check_config(path, EBADMSG, "is not the bzImage of a kernel");
	check_config(folder, EISDIR, folder);
}

/* Modules of a kernel without a list of what is built in: its configuration tells. */
static void check_built_in(const struct kernel *kernel)
{
	cleanup_with(module_list_clear) struct module_list list = {NULL, 0};
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(modules_resolve(kernel, (const char *const[]){"virtio_pci"}, 1, &list, &err), 0);
	CU_ASSERT_EQUAL(list.count, 0);
	CU_ASSERT_EQUAL(modules_resolve(kernel, (const char *const[]){"xfs"}, 1, &list, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "CONFIG_XFS_FS is m"));
}

static void test_bzimage_kernel(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *path = file_path("%s/bzImage", folder), *name = file_path("bzImage:%s", path);
	cleanup_free char *bad = file_path("%s,module=x", name), *text = NULL;
	cleanup_free char *store = file_path("%s/cache/hanglab/kernels", folder);
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL, *again = NULL;
	struct hl_error err = HL_ERROR_INIT;

	write_image(folder, path, CONFIG, PACKED_GZIP);
	CU_ASSERT_EQUAL_FATAL(kernel_store_find(name, &kernel, &err), 0);
	CU_ASSERT_STRING_EQUAL(kernel->name, name);
	CU_ASSERT_STRING_EQUAL(kernel->release, RELEASE);
	CU_ASSERT_EQUAL_FATAL(file_read(kernel->config, &text, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(text, CONFIG);
	check_built_in(kernel);

	/* As it was: the same; built anew: in place of it. */
	CU_ASSERT_EQUAL_FATAL(kernel_store_find(name, &again, &err), 0);
	CU_ASSERT_STRING_EQUAL(again->folder, kernel->folder);
	kernel_free(take_pointer(again));
	write_image(folder, path, NULL, PACKED_GZIP);
	CU_ASSERT_EQUAL_FATAL(kernel_store_find(name, &again, &err), 0);
	CU_ASSERT_STRING_NOT_EQUAL(again->folder, kernel->folder);
	CU_ASSERT_NOT_EQUAL(access(again->config, F_OK), 0);
	CU_ASSERT_EQUAL(fixture_count(store, ""), 1);

	kernel_free(take_pointer(again));
	CU_ASSERT_EQUAL(kernel_store_find(bad, &again, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"module=x\""));
	CU_ASSERT_EQUAL(kernel_store_find("bzImage:/nonesuch", &again, &err), -ENOENT);
	CU_ASSERT_EQUAL(kernel_store_find("bzImage:", &again, &err), -ENOENT);
}

static void write_below(const char *folder, const char *name, const char *text)
{
	cleanup_free char *path = file_path("%s/%s", folder, name);

	fixture_write_text(path, text);
}

static void test_image_with_modules(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *path = file_path("%s/bzImage", folder);
	cleanup_free char *name = file_path("bzImage:%s,modules=%s,config=%s/config", path, folder, folder);
	cleanup_free char *order = NULL, *text = NULL;
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	write_image(folder, path, NULL, PACKED_GZIP);
	write_below(folder, "config", CONFIG);
	write_below(folder, "lib/modules/" RELEASE "/modules.order", "kernel/fs/x.ko\n");
	CU_ASSERT_EQUAL_FATAL(kernel_store_find(name, &kernel, &err), 0);
	order = file_path("%s/modules.order", kernel->modules);
	CU_ASSERT_EQUAL(access(order, R_OK), 0);
	CU_ASSERT_EQUAL_FATAL(file_read(kernel->config, &text, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(text, CONFIG);
}

static void test_tree(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *image = file_path("%s/linux/arch/x86/boot/bzImage", folder);
	cleanup_free char *name = file_path("tree:%s/linux/", folder);
	cleanup_with(kernel_cleanup) struct kernel *kernel = NULL;
	struct hl_error err = HL_ERROR_INIT;

	write_below(folder, "linux/.config", CONFIG);
	CU_ASSERT_EQUAL(kernel_store_find(name, &kernel, &err), -ENODATA);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no kernel was built in"));
	write_image(folder, image, NULL, PACKED_GZIP);
	write_below(folder, "linux/include/config/kernel.release", RELEASE "\n");
	write_below(folder, "linux/System.map", "");
	write_below(folder, "linux/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	write_below(folder, "linux/modules.order", "");
	CU_ASSERT_EQUAL_FATAL(kernel_store_find(name, &kernel, &err), 0);
	CU_ASSERT_STRING_EQUAL(kernel->release, RELEASE);
	check_built_in(kernel);
}

CU_TestInfo local_kernel_tests[] = {
	{"what an image says", test_image},
	{"bzImage", test_bzimage_kernel},
	{"bzImage with modules", test_image_with_modules},
	{"tree", test_tree},
	CU_TEST_INFO_NULL,
};
