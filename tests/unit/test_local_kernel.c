// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "vm-images/bzimage.h"
#include "vm-images/kernel_store.h"
#include "vm-images/modules.h"
#include "vm-images/vmlinux.h"

#include <CUnit/CUnit.h>
#include <elf.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

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

/* A bzImage as far as its header goes. */
static void write_bzimage(const char *folder, const char *path, const void *kernel, size_t size,
			  enum packing packing)
{
	char image[PAYLOAD + LARGEST] = "";
	size_t payload_size;
	cleanup_free char *payload = packed(folder, kernel, size, packing, &payload_size);

	CU_ASSERT_FATAL(payload_size + 4 < LARGEST);
	put(image, 0x1f1, 1, 1);
	memcpy(image + 0x202, "HdrS", 4);
	put(image, 0x206, 0x20f, 2);
	put(image, 0x20e, BANNER_AT - SECTOR, 2);
	memcpy(image + BANNER_AT, BANNER, strlen(BANNER));
	put(image, 0x248, 0, 4);
	memcpy(image + PAYLOAD, payload, payload_size);
	/* As the kernel's build does where the format does not do so itself. */
	if (packing != PACKED_GZIP) {
		put(image, PAYLOAD + payload_size, (uint32_t)size, 4);
		payload_size += 4;
	}
	put(image, 0x24c, (uint32_t)payload_size, 4);
	fixture_write(path, image, PAYLOAD + payload_size);
}

/* With @config in its kernel, or none. */
static void write_image(const char *folder, const char *path, const char *config, enum packing packing)
{
	char kernel[LARGEST] = "code of the kernel";
	size_t config_size = 0, at = strlen(kernel);
	cleanup_free char *inner = NULL;

	if (config) {
		inner = packed(folder, config, strlen(config), PACKED_GZIP, &config_size);
		at = (size_t)(stpcpy(kernel + at, "IKCFG_ST") - kernel);
		memcpy(kernel + at, inner, config_size);
		at = (size_t)(stpcpy(kernel + at + config_size, "IKCFG_ED") - kernel);
	}
	write_bzimage(folder, path, kernel, at, packing);
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

/* An ELF file that is all header, with one note. */
struct elf_kernel {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Nhdr note;
	char owner[4];
	uint32_t entry;
};

static struct elf_kernel elf_kernel(uint32_t note_type)
{
	return (struct elf_kernel){
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64},
			   .e_phoff = offsetof(struct elf_kernel, segment),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 1},
		.segment = {.p_type = PT_NOTE,
			    .p_offset = offsetof(struct elf_kernel, note),
			    .p_filesz = sizeof(Elf64_Nhdr) + 8},
		.note = {.n_namesz = 4, .n_descsz = 4, .n_type = note_type},
		.owner = "Xen",
		.entry = 0x1000000,
	};
}

/* @payload: what the bzImage holds. Is there a vmlinux of it that QEMU can start? */
static bool finds_vmlinux(const char *folder, const void *payload, size_t size, enum packing packing)
{
	cleanup_free char *image = file_path("%s/vmlinuz", folder), *made = file_path("%s/vmlinux", folder);
	struct kernel kernel = {.folder = (char *)folder, .vmlinuz = image};
	cleanup_free char *first = NULL, *second = NULL, *content = NULL;
	struct hl_error err = HL_ERROR_INIT;
	size_t content_size = 0;

	unlink(made);
	write_bzimage(folder, image, payload, size, packing);
	CU_ASSERT_EQUAL_FATAL(vmlinux_find(&kernel, &first, &err), 0);
	/* The answer is kept: the bzImage is not looked at again. */
	unlink(image);
	CU_ASSERT_EQUAL_FATAL(vmlinux_find(&kernel, &second, &err), 0);
	CU_ASSERT_EQUAL(!first, !second);
	CU_ASSERT_EQUAL_FATAL(file_read(made, &content, &content_size, &err), 0);
	CU_ASSERT_EQUAL(content_size, first ? size : 0);
	CU_ASSERT(!first || !memcmp(content, payload, size));
	return first;
}

static void test_vmlinux(void)
{
	const char *folder = fixture_folder();
	struct elf_kernel pvh = elf_kernel(18), other = elf_kernel(17), cut = elf_kernel(18);
	struct kernel nowhere = {.folder = (char *)folder, .vmlinuz = "/nonexistent"};
	cleanup_free char *path = NULL;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(vmlinux_find(&nowhere, &path, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent"));
	CU_ASSERT_TRUE(finds_vmlinux(folder, &pvh, sizeof(pvh), PACKED_ZSTD));
	CU_ASSERT_TRUE(finds_vmlinux(folder, &pvh, sizeof(pvh), PACKED_XZ));
	CU_ASSERT_TRUE(finds_vmlinux(folder, &pvh, sizeof(pvh), PACKED_GZIP));
	CU_ASSERT_FALSE(finds_vmlinux(folder, &other, sizeof(other), PACKED_ZSTD));
	CU_ASSERT_FALSE(finds_vmlinux(folder, &pvh, sizeof(pvh), PACKED_PLAIN));
	CU_ASSERT_FALSE(finds_vmlinux(folder, &pvh, sizeof(pvh.header), PACKED_GZIP));
	cut.segment.p_filesz += sizeof(cut);
	CU_ASSERT_FALSE(finds_vmlinux(folder, &cut, sizeof(cut), PACKED_GZIP));
	cut.segment.p_filesz -= sizeof(cut);
	cut.note.n_namesz = UINT32_MAX;
	CU_ASSERT_FALSE(finds_vmlinux(folder, &cut, sizeof(cut), PACKED_GZIP));
}

CU_TestInfo local_kernel_tests[] = {
	{"what an image says", test_image},
	{"bzImage", test_bzimage_kernel},
	{"bzImage with modules", test_image_with_modules},
	{"tree", test_tree},
	{"vmlinux", test_vmlinux},
	CU_TEST_INFO_NULL,
};
