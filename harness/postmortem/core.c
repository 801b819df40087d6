// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/core.h"

#include "postmortem/mapping.h"
#include "postmortem/vmcoreinfo.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* Headers and notes come first; the notes of 64 vCPUs take 23 KiB of it. */
#define MEMORY_OFFSET  65536
#define KERNEL_SEGMENT (2ULL << 20)
/* Most headers: notes, the kernel's image, two pieces of memory. */
#define MOST_HEADERS   4

static int copy_range(int from, off_t begin, off_t end, int to, struct hl_error *err)
{
	if (lseek(to, MEMORY_OFFSET + begin, SEEK_SET) < 0)
		return hl_error_errno(err, errno, "copy the guest's memory");
	while (begin < end) {
		ssize_t done = sendfile(to, from, &begin, (size_t)(end - begin));

		if (done <= 0)
			return hl_error_errno(err, done ? errno : EIO, "copy the guest's memory");
	}
	return 0;
}

int core_copy(int memory, uint64_t size, int core, struct hl_error *err)
{
	off_t end = 0, begin;

	if (ftruncate(core, MEMORY_OFFSET + (off_t)size))
		return hl_error_errno(err, errno, "copy the guest's memory");
	while ((begin = lseek(memory, end, SEEK_DATA)) >= 0 && begin < (off_t)size) {
		int r;

		end = lseek(memory, begin, SEEK_HOLE);
		if (end < 0)
			break;
		if (end > (off_t)size)
			end = (off_t)size;
		r = copy_range(memory, begin, end, core, err);
		if (r)
			return r;
	}
	return begin < 0 && errno != ENXIO ? hl_error_errno(err, errno, "copy the guest's memory") : 0;
}

/** struct head - what goes in front of the memory */
struct head {
	uint8_t data[MEMORY_OFFSET];
	size_t used;
	Elf64_Phdr headers[MOST_HEADERS];
	size_t count;
};

static void add_note(struct head *head, const char *name, uint32_t type, const void *data, size_t size)
{
	Elf64_Nhdr note = {(uint32_t)strlen(name) + 1, (uint32_t)size, type};
	size_t name_room = (note.n_namesz + 3U) & ~3U, room = (size + 3) & ~(size_t)3;

	if (head->used + sizeof(note) + name_room + room > sizeof(head->data))
		return;
	memcpy(head->data + head->used, &note, sizeof(note));
	memcpy(head->data + head->used + sizeof(note), name, note.n_namesz);
	memcpy(head->data + head->used + sizeof(note) + name_room, data, size);
	head->used += sizeof(note) + name_room + room;
}

static void add_notes(struct head *head, const char *vmcoreinfo, const struct elf_prstatus *registers,
		      size_t cpu_count)
{
	/* Readers refuse a core without any; what is not known is zero. */
	static const struct elf_prstatus unknown;
	size_t begin = sizeof(Elf64_Ehdr) + MOST_HEADERS * sizeof(Elf64_Phdr);

	head->used = begin;
	if (vmcoreinfo)
		add_note(head, "VMCOREINFO", 0, vmcoreinfo, strlen(vmcoreinfo));
	for (size_t i = 0; i < cpu_count; i++)
		add_note(head, "CORE", NT_PRSTATUS, &registers[i], sizeof(registers[i]));
	if (!cpu_count)
		add_note(head, "CORE", NT_PRSTATUS, &unknown, sizeof(unknown));
	head->headers[head->count++] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = begin,
		.p_filesz = head->used - begin,
		.p_memsz = head->used - begin,
	};
}

static void add_load(struct head *head, uint64_t offset, uint64_t physical, uint64_t address, uint64_t size)
{
	head->headers[head->count++] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = MEMORY_OFFSET + offset,
		.p_vaddr = address,
		.p_paddr = physical,
		.p_filesz = size,
		.p_memsz = size,
		.p_align = 4096,
	};
}

/* The kernel's image, from where its text begins to the end of the region that it may take. */
static void add_kernel_load(struct head *head, const struct mapping *mapping)
{
	uint64_t text, size = 512ULL << 20, physical, available;
	const uint8_t *at;

	if (!vmcoreinfo_number(mapping->info, "SYMBOL(_stext)", &text) ||
	    !mapping_translate(mapping, text & -KERNEL_SEGMENT, &physical))
		return;
	at = image_at(mapping->image, physical, &available);
	vmcoreinfo_number(mapping->info, "NUMBER(KERNEL_IMAGE_SIZE)", &size);
	if (at)
		add_load(head, (uint64_t)(at - (const uint8_t *)mapping->image->map), physical,
			 text & -KERNEL_SEGMENT, size < available ? size : available);
}

static void fill_head(struct head *head, const struct image *image, const struct mapping *mapping,
		      const struct elf_prstatus *registers, size_t cpu_count)
{
	uint64_t direct_map = mapping ? mapping_direct_map(mapping) : 0;
	Elf64_Ehdr file = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(file),
		.e_ehsize = sizeof(file),
		.e_phentsize = sizeof(Elf64_Phdr),
	};

	add_notes(head, mapping ? mapping->info : NULL, registers, cpu_count);
	if (mapping)
		add_kernel_load(head, mapping);
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		add_load(head, (uint64_t)(segment->data - (const uint8_t *)image->map), segment->physical,
			 direct_map ? direct_map + segment->physical : 0, segment->size);
	}
	file.e_phnum = (Elf64_Half)head->count;
	memcpy(head->data, &file, sizeof(file));
	memcpy(head->data + sizeof(file), head->headers, head->count * sizeof(Elf64_Phdr));
}

int core_finish(int core, uint64_t size, const struct elf_prstatus *registers, size_t cpu_count,
		struct hl_error *err)
{
	struct head *head = calloc(1, sizeof(*head));
	struct mapping mapping;
	struct image image;
	int r = head ? image_open_copy(&image, core, MEMORY_OFFSET, size, err)
		     : hl_error_errno(err, ENOMEM, "write a core");

	if (!r) {
		bool found = !mapping_open(&mapping, &image, NULL);

		fill_head(head, &image, found ? &mapping : NULL, registers, cpu_count);
		if (pwrite(core, head->data, head->used, 0) != (ssize_t)head->used)
			r = hl_error_errno(err, errno, "write a core");
		mapping_close(&mapping);
		image_close(&image);
	}
	free(head);
	return r;
}
