// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/image.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void cleanup_elf(Elf **elf)
{
	elf_end(*elf);
}

/* Grows a list that only loading ever appends to. */
static void *append(void *list, size_t count, size_t size, const void *item)
{
	char *larger = realloc(list, (count + 1) * size);

	if (!larger)
		abort();
	memcpy(larger + count * size, item, size);
	return larger;
}

static void add_segment(struct image *image, const GElf_Phdr *header)
{
	struct image_segment segment = {header->p_paddr, header->p_filesz, NULL};

	if (header->p_offset >= image->map_size || !segment.size)
		return;
	if (segment.size > image->map_size - header->p_offset)
		segment.size = image->map_size - header->p_offset;
	if (segment.physical + segment.size < segment.physical)
		return;
	segment.data = (const uint8_t *)image->map + header->p_offset;
	image->segments = append(image->segments, image->segment_count++, sizeof(segment), &segment);
}

static void add_note(struct image *image, const char *name, unsigned int type, const uint8_t *data,
		     size_t size)
{
	if (!strcmp(name, "VMCOREINFO") && !image->vmcoreinfo)
		image->vmcoreinfo = strndup((const char *)data, size);
	if (!strcmp(name, "CORE") && type == NT_PRSTATUS && size >= sizeof(struct elf_prstatus))
		image->registers =
			append(image->registers, image->cpu_count++, sizeof(*image->registers), data);
}

static void add_notes(struct image *image, Elf *elf, const GElf_Phdr *header)
{
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)header->p_offset, header->p_filesz, ELF_T_NHDR);
	size_t offset = 0, name, description;
	GElf_Nhdr note;

	while (data && (offset = gelf_getnote(data, offset, &note, &name, &description)) > 0) {
		const char *text = (const char *)data->d_buf + name;

		if (note.n_namesz && !text[note.n_namesz - 1])
			add_note(image, text, note.n_type, (const uint8_t *)data->d_buf + description,
				 note.n_descsz);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct image_segment *x = a, *y = b;

	if (x->physical != y->physical)
		return x->physical < y->physical ? -1 : 1;
	return x->size > y->size ? -1 : x->size < y->size;
}

/* A core names the kernel's text twice: on its own and within the direct map. */
static void sort_segments(struct image *image)
{
	size_t kept = 0;

	if (image->segment_count)
		qsort(image->segments, image->segment_count, sizeof(*image->segments), by_address);
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		const struct image_segment *last = kept ? &image->segments[kept - 1] : NULL;

		if (!last || segment->physical + segment->size > last->physical + last->size)
			image->segments[kept++] = *segment;
	}
	image->segment_count = kept;
}

static int load(struct image *image, int fd, const char *path, struct hl_error *err)
{
	Elf *elf __attribute__((cleanup(cleanup_elf))) = NULL;
	GElf_Ehdr ehdr;
	size_t count;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || !gelf_getehdr(elf, &ehdr) || ehdr.e_type != ET_CORE || ehdr.e_machine != EM_X86_64 ||
	    elf_getphdrnum(elf, &count))
		return hl_error_set(err, EBADMSG,
				    "%s is no ELF core of x86-64 (a kdump-compressed one: makedumpfile -E)",
				    path);
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(elf, (int)i, &header))
			continue;
		if (header.p_type == PT_LOAD)
			add_segment(image, &header);
		else if (header.p_type == PT_NOTE)
			add_notes(image, elf, &header);
	}
	sort_segments(image);
	return 0;
}

int image_open(struct image *image, const char *path, struct hl_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	int r;

	memset(image, 0, sizeof(*image));
	if (fd < 0 || fstat(fd, &status))
		return hl_error_errno(err, errno, "open %s", path);
	if (!S_ISREG(status.st_mode) || !status.st_size)
		return hl_error_set(err, EBADMSG, "%s is no core file", path);
	image->map_size = (size_t)status.st_size;
	image->map = mmap(NULL, image->map_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image->map == MAP_FAILED) {
		image->map = NULL;
		return hl_error_errno(err, errno, "map %s", path);
	}
	r = load(image, fd, path, err);
	if (r)
		image_close(image);
	return r;
}

/* QEMU, hw/i386/pc_q35.c: all is below 4 GiB up to this size; from it on, what is above 2 GiB lies there. */
#define Q35_SPLIT_FROM 0xb0000000ULL
#define Q35_LOW	       0x80000000ULL
#define Q35_HIGH       0x100000000ULL

int image_open_copy(struct image *image, int fd, uint64_t offset, uint64_t size, struct hl_error *err)
{
	uint64_t low = size >= Q35_SPLIT_FROM ? Q35_LOW : size;
	struct image_segment segment = {0, low, NULL};

	memset(image, 0, sizeof(*image));
	image->map_size = size;
	image->map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, (off_t)offset);
	if (image->map == MAP_FAILED) {
		image->map = NULL;
		return hl_error_errno(err, errno, "map the copy of the guest's memory");
	}
	segment.data = image->map;
	image->segments = append(image->segments, image->segment_count++, sizeof(segment), &segment);
	if (size > low) {
		segment = (struct image_segment){Q35_HIGH, size - low, segment.data + low};
		image->segments = append(image->segments, image->segment_count++, sizeof(segment), &segment);
	}
	return 0;
}

void image_close(struct image *image)
{
	if (image->map)
		munmap(image->map, image->map_size);
	free(image->segments);
	free(image->vmcoreinfo);
	free(image->registers);
	memset(image, 0, sizeof(*image));
}

const uint8_t *image_at(const struct image *image, uint64_t physical, uint64_t *available)
{
	size_t low = 0, high = image->segment_count;

	/* The last one that begins at or before the address. */
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (image->segments[middle].physical <= physical)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || physical - image->segments[low - 1].physical >= image->segments[low - 1].size)
		return NULL;
	*available = image->segments[low - 1].size - (physical - image->segments[low - 1].physical);
	return image->segments[low - 1].data + (physical - image->segments[low - 1].physical);
}

bool image_read(const struct image *image, uint64_t physical, void *data, size_t size)
{
	uint64_t available;
	const uint8_t *memory = image_at(image, physical, &available);

	if (!memory || available < size) {
		memset(data, 0, size);
		return false;
	}
	memcpy(data, memory, size);
	return true;
}
