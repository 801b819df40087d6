// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Post-mortem readers on a small memory made by hand: page tables, VMCOREINFO, a symbol table and a log
 * ring as the kernel lays them out; then on the same memory damaged at random.
 */
#include "base/cleanup.h"
#include "postmortem/core.h"
#include "postmortem/dmesg.h"
#include "postmortem/registers.h"
#include "postmortem/report.h"
#include "postmortem/symbols.h"
#include "postmortem/vmcoreinfo.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY_SIZE (8U << 20)
#define TABLES	    0x10000U
#define INFO	    0x200000U
#define KALLSYMS    0x210000U
#define RING	    0x300000U
#define OLD_LOG	    0x320000U
#define TEXT_BITS   9
#define COUNT_BITS  2

/* Where the kernel is mapped, KASLR included. */
#define PHYS_BASE	  0x100000U
#define VIRTUAL(physical) (KERNEL_MAP_START - PHYS_BASE + (physical))
#define DIRECT_MAP	  0xffff888040000000ULL

static void put64(uint8_t *memory, size_t at, uint64_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

static void put32(uint8_t *memory, size_t at, uint32_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

static void put16(uint8_t *memory, size_t at, uint16_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

/* The kernel's image by pages of 4 KiB, the direct map by one of 1 GiB. */
static void put_tables(uint8_t *memory, bool five_levels)
{
	uint32_t top = TABLES, kernel = TABLES + 0x1000, middle = TABLES + 0x2000, direct = TABLES + 0x6000;

	if (five_levels) {
		put64(memory, TABLES + 511 * 8, (TABLES + 0x7000) | 3);
		put64(memory, TABLES + 273 * 8, (TABLES + 0x8000) | 3);
		put64(memory, TABLES + 0x8000, direct | 3);
		top = TABLES + 0x7000;
	} else {
		put64(memory, top + 273 * 8, direct | 3);
	}
	put64(memory, top + 511 * 8, kernel | 3);
	put64(memory, kernel + 510 * 8, middle | 3);
	put64(memory, direct + 8, 0x80 | 3);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t last = TABLES + 0x3000 + i * 0x1000;

		put64(memory, middle + i * 8, last | 3);
		for (uint64_t page = 0; page < 512; page++)
			put64(memory, last + page * 8, (PHYS_BASE + i * 0x200000 + page * 0x1000) | 3);
	}
}

/* Numbers as in the VMCOREINFO of Debian's 6.1.0-56-cloud-amd64, but for the addresses. */
static void put_info(uint8_t *memory, bool five_levels)
{
	snprintf(
		(char *)memory + INFO, VMCOREINFO_SIZE,
		"OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=%llx\nSYMBOL(swapper_pg_dir)=%llx\n"
		"SYMBOL(_stext)=%llx\nNUMBER(phys_base)=%u\nNUMBER(pgtable_l5_enabled)=%d\nKERNELOFFSET=0\n"
		"SYMBOL(kallsyms_names)=%llx\nSYMBOL(kallsyms_num_syms)=%llx\nSYMBOL(kallsyms_token_table)=%"
		"llx\n"
		"SYMBOL(kallsyms_token_index)=%llx\nSYMBOL(kallsyms_offsets)=%llx\n"
		"SYMBOL(kallsyms_relative_base)=%llx\n"
		"SYMBOL(prb)=%llx\nOFFSET(printk_ringbuffer.desc_ring)=0\n"
		"OFFSET(printk_ringbuffer.text_data_ring)=48\nOFFSET(prb_desc_ring.count_bits)=0\n"
		"OFFSET(prb_desc_ring.descs)=8\nOFFSET(prb_desc_ring.infos)=16\nOFFSET(prb_desc_ring.head_id)"
		"=24\n"
		"OFFSET(prb_desc_ring.tail_id)=32\nSIZE(prb_desc)=24\nOFFSET(prb_desc.state_var)=0\n"
		"OFFSET(prb_desc.text_blk_lpos)=8\nOFFSET(prb_data_blk_lpos.begin)=0\n"
		"OFFSET(prb_data_blk_lpos.next)=8\nSIZE(printk_info)=88\nOFFSET(printk_info.ts_nsec)=8\n"
		"OFFSET(printk_info.text_len)=16\nOFFSET(prb_data_ring.size_bits)=0\nOFFSET(prb_data_ring."
		"data)=8\n",
		VIRTUAL(INFO + 0x8000), VIRTUAL(TABLES), VIRTUAL(0x200000U), PHYS_BASE, five_levels,
		VIRTUAL(KALLSYMS), VIRTUAL(KALLSYMS + 0x1000), VIRTUAL(KALLSYMS + 0x2000),
		VIRTUAL(KALLSYMS + 0x3000), VIRTUAL(KALLSYMS + 0x4000), VIRTUAL(KALLSYMS + 0x5000),
		VIRTUAL(RING));
}

/* Tokens are single letters, but for one: 200 stands for "init_". */
static void put_symbols(uint8_t *memory)
{
	static const struct {
		const char *name;
		uint32_t at;
	} symbols[] = {{"Tdo_work", 0x220000U}, {"tsleep_on", 0x220100U}, {"D\310uts_ns", INFO + 0x8000}};
	size_t token = KALLSYMS + 0x2000, name = KALLSYMS;

	for (unsigned int i = 0; i < 256; i++) {
		put16(memory, KALLSYMS + 0x3000 + i * 2, (uint16_t)(token - KALLSYMS - 0x2000));
		memory[token] = (uint8_t)i;
		if (i == 200)
			memcpy(memory + token, "init_", 5);
		token += i == 200 ? 6 : 2;
	}
	for (size_t i = 0; i < 3; i++) {
		memory[name++] = (uint8_t)strlen(symbols[i].name);
		memcpy(memory + name, symbols[i].name, strlen(symbols[i].name));
		name += strlen(symbols[i].name);
		put32(memory, KALLSYMS + 0x4000 + i * 4, (uint32_t)-1 - (symbols[i].at - PHYS_BASE));
	}
	put32(memory, KALLSYMS + 0x1000, 3);
	put64(memory, KALLSYMS + 0x5000, KERNEL_MAP_START);
}

/* Descriptor @id of the ring: its text lies at @begin. */
static void put_record(uint8_t *memory, uint64_t id, uint64_t begin, uint64_t nanoseconds, const char *text,
		       uint64_t state)
{
	size_t slot = id % (1U << COUNT_BITS), size = 1U << TEXT_BITS;
	uint64_t next = begin + ((sizeof(id) + strlen(text) + 7) & ~7ULL);

	put64(memory, RING + 0x1000 + slot * 24, state << 62 | id);
	put64(memory, RING + 0x1000 + slot * 24 + 8, begin);
	put64(memory, RING + 0x1000 + slot * 24 + 16, next);
	put64(memory, RING + 0x2000 + slot * 88 + 8, nanoseconds);
	put16(memory, RING + 0x2000 + slot * 88 + 16, (uint16_t)strlen(text));
	put64(memory, RING + 0x3000 + begin % size, id);
	memcpy(memory + RING + 0x3000 + begin % size + 8, text, strlen(text));
}

static void put_log(uint8_t *memory)
{
	put64(memory, RING, VIRTUAL(RING + 8));
	put32(memory, RING + 8, COUNT_BITS);
	put64(memory, RING + 16, VIRTUAL(RING + 0x1000));
	put64(memory, RING + 24, VIRTUAL(RING + 0x2000));
	put64(memory, RING + 32, 7);
	put64(memory, RING + 40, 4);
	put32(memory, RING + 56, TEXT_BITS);
	put64(memory, RING + 64, VIRTUAL(RING + 0x3000));
	put_record(memory, 4, 0x440, 1500000, "first\nof two lines", 2);
	put_record(memory, 5, 0x480, 2000000, "reserved, not written yet", 0);
	put_record(memory, 6, 0x4c0, 12345678901234, "committed", 1);
	/* A block that would not fit begins again at the start of the ring. */
	put_record(memory, 7, 0x600, 20000000000000, "wrapped", 2);
	put64(memory, RING + 0x1000 + 3 * 24 + 8, 0x5f8);
}

/* struct printk_log of 4.19 (kernel/printk/printk.c): 16 bytes, the text, the dictionary, up to a multiple
 * of 4. */
static size_t put_old_record(uint8_t *memory, size_t at, uint64_t nanoseconds, const char *text,
			     const char *dictionary)
{
	size_t size = (16 + strlen(text) + strlen(dictionary) + 3) & ~3UL;

	put64(memory, OLD_LOG + 0x1000 + at, nanoseconds);
	put16(memory, OLD_LOG + 0x1000 + at + 8, (uint16_t)size);
	put16(memory, OLD_LOG + 0x1000 + at + 10, (uint16_t)strlen(text));
	put16(memory, OLD_LOG + 0x1000 + at + 12, (uint16_t)strlen(dictionary));
	memcpy(memory + OLD_LOG + 0x1000 + at + 16, text, strlen(text));
	memcpy(memory + OLD_LOG + 0x1000 + at + 16 + strlen(text), dictionary, strlen(dictionary));
	return at + size;
}

/* log_buf, log_buf_len, log_first_idx, log_next_idx: the oldest record is near the end of the buffer. */
static void put_old_log(uint8_t *memory)
{
	size_t next = put_old_record(memory, 400, 1500000, "first\nof two lines", "SUBSYSTEM=pci");

	put_old_record(memory, next, 0, "", "");
	put16(memory, OLD_LOG + 0x1000 + next + 8, 0);
	next = put_old_record(memory, 0, 20000000000000, "from the beginning again", "");
	put64(memory, OLD_LOG, VIRTUAL(OLD_LOG + 0x1000));
	put32(memory, OLD_LOG + 8, 512);
	put32(memory, OLD_LOG + 12, 400);
	put32(memory, OLD_LOG + 16, (uint32_t)next);
}

/* A core file made from it, opened. */
static void make_core(struct image *image, bool five_levels, const struct elf_prstatus *registers,
		      size_t cpu_count)
{
	char path[] = "/tmp/hanglab-core-XXXXXX";
	cleanup_fd int ram = memfd_create("ram", MFD_CLOEXEC), core = mkstemp(path);
	struct hl_error err = HL_ERROR_INIT;
	uint8_t *memory;

	CU_ASSERT_FATAL(ram >= 0 && core >= 0 && !ftruncate(ram, MEMORY_SIZE));
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
	CU_ASSERT_FATAL(memory != MAP_FAILED);
	put_tables(memory, five_levels);
	put_info(memory, five_levels);
	put_symbols(memory);
	put_log(memory);
	put_old_log(memory);
	munmap(memory, MEMORY_SIZE);
	CU_ASSERT_EQUAL_FATAL(core_copy(ram, MEMORY_SIZE, core, &err), 0);
	CU_ASSERT_EQUAL_FATAL(core_finish(core, MEMORY_SIZE, registers, cpu_count, &err), 0);
	CU_ASSERT_EQUAL_FATAL(image_open(image, path, &err), 0);
	unlink(path);
}

static void check_core(bool five_levels)
{
	struct image image;
	struct mapping mapping;
	uint64_t physical = 0, value = 0;

	make_core(&image, five_levels, NULL, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(image.vmcoreinfo, "OSRELEASE=6.1.0-test\n"));
	CU_ASSERT_EQUAL_FATAL(mapping_open(&mapping, &image, NULL), 0);
	CU_ASSERT_EQUAL(mapping.levels, five_levels ? 5 : 4);
	CU_ASSERT(mapping_translate(&mapping, VIRTUAL(RING) + 5, &physical));
	CU_ASSERT_EQUAL(physical, RING + 5);
	CU_ASSERT_FALSE(mapping_translate(&mapping, 0xffffffffff600000ULL, &physical));
	CU_ASSERT_FALSE(mapping_read(&mapping, VIRTUAL(0x6ffffeU), &value, sizeof(value)));
	CU_ASSERT_EQUAL(value, 0);
	mapping_close(&mapping);
	image_close(&image);
}

static void core_has_addresses(void)
{
	check_core(false);
	check_core(true);
}

static void direct_map_is_found(void)
{
	struct image image;
	struct mapping mapping;

	make_core(&image, false, NULL, 0);
	CU_ASSERT_EQUAL_FATAL(mapping_open(&mapping, &image, NULL), 0);
	CU_ASSERT_EQUAL(mapping_direct_map(&mapping), DIRECT_MAP);
	mapping_close(&mapping);
	image_close(&image);
	make_core(&image, true, NULL, 0);
	CU_ASSERT_EQUAL_FATAL(mapping_open(&mapping, &image, NULL), 0);
	CU_ASSERT_EQUAL(mapping_direct_map(&mapping), 0xff11000040000000ULL);
	mapping_close(&mapping);
	image_close(&image);
}

static void log_is_read(void)
{
	struct image image;
	struct mapping mapping;
	cleanup_free char *text = NULL;

	make_core(&image, false, NULL, 0);
	CU_ASSERT_EQUAL_FATAL(mapping_open(&mapping, &image, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(dmesg_read(&mapping, &text, NULL), 0);
	CU_ASSERT_STRING_EQUAL(text, "[    0.001500] first\n[    0.001500] of two lines\n"
				     "[12345.678901] committed\n[20000.000000] wrapped\n");
	mapping_close(&mapping);
	image_close(&image);
}

static void log_of_old_kernels_is_read(void)
{
	struct image image;
	struct mapping mapping;
	cleanup_free char *text = NULL;

	make_core(&image, false, NULL, 0);
	CU_ASSERT_EQUAL_FATAL(mapping_open(&mapping, &image, NULL), 0);
	free(mapping.info);
	CU_ASSERT_FATAL(
		asprintf(&mapping.info,
			 "SYMBOL(log_buf)=%llx\nSYMBOL(log_buf_len)=%llx\nSYMBOL(log_first_idx)=%llx\n"
			 "SYMBOL(log_next_idx)=%llx\nSIZE(printk_log)=16\nOFFSET(printk_log.ts_nsec)=0\n"
			 "OFFSET(printk_log.len)=8\nOFFSET(printk_log.text_len)=10\n",
			 VIRTUAL(OLD_LOG), VIRTUAL(OLD_LOG + 8), VIRTUAL(OLD_LOG + 12),
			 VIRTUAL(OLD_LOG + 16)) > 0);
	CU_ASSERT_EQUAL_FATAL(dmesg_read(&mapping, &text, NULL), 0);
	CU_ASSERT_STRING_EQUAL(text, "[    0.001500] first\n[    0.001500] of two lines\n"
				     "[20000.000000] from the beginning again\n");
	mapping_close(&mapping);
	image_close(&image);
}

static void symbols_are_read(void)
{
	struct image image;
	struct mapping mapping;
	struct symbols symbols;
	struct symbol_place place;

	make_core(&image, false, NULL, 0);
	CU_ASSERT_EQUAL_FATAL(mapping_open(&mapping, &image, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(symbols_open(&symbols, &mapping, NULL), 0);
	symbols_sort(&symbols);
	CU_ASSERT_EQUAL(symbols.count, 3);
	CU_ASSERT_EQUAL(symbols_address(&symbols, "init_uts_ns"), VIRTUAL(INFO + 0x8000));
	CU_ASSERT_EQUAL(symbols_address(&symbols, "no_such_symbol"), 0);
	CU_ASSERT(symbols_function_at(&symbols, VIRTUAL(0x220007U), &place));
	CU_ASSERT_STRING_EQUAL(place.name, "do_work");
	CU_ASSERT_EQUAL(place.offset, 7);
	CU_ASSERT_EQUAL(place.size, 0x100);
	CU_ASSERT_FALSE(symbols_function_at(&symbols, VIRTUAL(INFO), &place));
	symbols_close(&symbols);
	mapping_close(&mapping);
	image_close(&image);
}

/* As QEMU 10.0.2 printed them for our own guest; what is between is left out. */
static const char monitor[] =
	"\r\nCPU#0\r\n"
	"RAX=ffffffffb186ab00 RBX=0000000000000000 RCX=00000000c0000080 RDX=0000000000000000\r\n"
	"RSI=00000000000000ff RDI=00000000000000f0 RBP=ffff8943c7a19040 RSP=ffffc99f80003fc0\r\n"
	"R8 =ffffffffff9ae46e R9 =000000003333185b R10=0000000000000000 R11=ffffc99f80003ff8\r\n"
	"R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 R15=0000000000000000\r\n"
	"RIP=ffffffffb183d023 RFL=00000093 [--S-A-C] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
	"CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\r\n"
	"GS =0000 ffff8943c7a00000 00000000 00000000\r\n\r\n"
	"CPU#1\r\n"
	"RIP=ffffffffb21c3643 RFL=00000283 [--S---C] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n"
	"CS =0033 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\r\n";

static void registers_are_kept(void)
{
	size_t count = 0;
	cleanup_free struct elf_prstatus *list = registers_parse(monitor, &count);
	struct user_regs_struct regs;
	struct image image;

	CU_ASSERT_EQUAL_FATAL(count, 2);
	make_core(&image, false, list, count);
	CU_ASSERT_EQUAL_FATAL(image.cpu_count, 2);
	regs = registers_of(&image.registers[0]);
	CU_ASSERT_EQUAL(regs.rip, 0xffffffffb183d023ULL);
	CU_ASSERT_EQUAL(regs.rsp, 0xffffc99f80003fc0ULL);
	CU_ASSERT_EQUAL(regs.r8, 0xffffffffff9ae46eULL);
	CU_ASSERT_EQUAL(regs.gs_base, 0xffff8943c7a00000ULL);
	CU_ASSERT_EQUAL(regs.eflags, 0x93);
	regs = registers_of(&image.registers[1]);
	CU_ASSERT_EQUAL(regs.rip, 0xffffffffb21c3643ULL);
	CU_ASSERT_EQUAL(regs.cs, 0x33);
	image_close(&image);
	CU_ASSERT_PTR_NULL(registers_parse("no monitor here", &count));
	CU_ASSERT_EQUAL(count, 0);
}

static void other_files_are_refused(void)
{
	struct hl_error err = HL_ERROR_INIT;
	json_t *report = NULL;

	CU_ASSERT_EQUAL(postmortem_read("/nonexistent", NULL, &report, &err), -ENOENT);
	CU_ASSERT_EQUAL(postmortem_read("README.md", NULL, &report, &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "README.md is no ELF core"));
	CU_ASSERT_EQUAL(postmortem_read("/bin/true", NULL, &report, &err), -EBADMSG);
	CU_ASSERT_EQUAL(postmortem_read(".", NULL, &report, &err), -EBADMSG);
	CU_ASSERT_PTR_NULL(report);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Whatever the guest left: the readers end, and touch nothing that is not theirs (make asan). */
static void damaged_memory_does_no_harm(void)
{
	static const uint32_t places[] = {
		TABLES, INFO,	       KALLSYMS,     KALLSYMS + 0x1000, KALLSYMS + 0x3000,
		RING,	RING + 0x1000, RING + 0x2000};
	struct image image;
	uint64_t random = 1;
	uint8_t *memory, *good;
	size_t read = 0;

	make_core(&image, false, NULL, 0);
	memory = (uint8_t *)image.map + (image.map_size - MEMORY_SIZE);
	good = malloc(MEMORY_SIZE);
	CU_ASSERT_FATAL(good && !mprotect(image.map, image.map_size, PROT_READ | PROT_WRITE));
	memcpy(good, memory, MEMORY_SIZE);
	for (int round = 0; round < 3000; round++) {
		json_t *report = NULL;

		for (int i = 0; i < 4; i++) {
			uint32_t at = places[next_random(&random) % (sizeof(places) / sizeof(places[0]))];

			at += (uint32_t)(next_random(&random) % 0x200);
			memory[at] = (uint8_t)next_random(&random);
		}
		read += !postmortem_read_image(&image, "core", NULL, &report, NULL);
		json_decref(report);
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			memcpy(memory + places[i], good + places[i], 0x200);
	}
	/* Most damage leaves something to read. */
	CU_ASSERT(read > 1000);
	free(good);
	image_close(&image);
}

CU_TestInfo postmortem_tests[] = {
	{"a core has the kernel's addresses, with four and five levels", core_has_addresses},
	{"the direct map is found, moved by KASLR", direct_map_is_found},
	{"the log ring is read, in order and whole", log_is_read},
	{"the log of kernels before 5.10", log_of_old_kernels_is_read},
	{"the symbol table is read", symbols_are_read},
	{"registers go through the monitor's output into the core", registers_are_kept},
	{"files that are no core are refused", other_files_are_refused},
	{"damaged memory does no harm", damaged_memory_does_no_harm},
	CU_TEST_INFO_NULL,
};
