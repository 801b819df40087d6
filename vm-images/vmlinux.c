// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmlinux.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "bzimage.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define PVH_OWNER "Xen"
#define PVH_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* Is the entry among the notes in @size bytes? */
static bool notes_have_entry(const char *notes, size_t size)
{
	Elf64_Nhdr note;

	for (size_t at = 0; size - at >= sizeof(note);) {
		memcpy(&note, notes + at, sizeof(note));
		at += sizeof(note);
		if (size - at < padded(note.n_namesz) ||
		    size - at - padded(note.n_namesz) < padded(note.n_descsz))
			return false;
		if (note.n_type == PVH_ENTRY && note.n_namesz == sizeof(PVH_OWNER) &&
		    !memcmp(notes + at, PVH_OWNER, sizeof(PVH_OWNER)))
			return true;
		at += padded(note.n_namesz) + padded(note.n_descsz);
	}
	return false;
}

/* And is it whole? */
static bool has_pvh_entry(const char *kernel, size_t size)
{
	bool found = false;
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (size < sizeof(header))
		return false;
	memcpy(&header, kernel, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(segment))
		return false;
	for (size_t i = 0; i < header.e_phnum; i++) {
		uint64_t at = header.e_phoff + i * sizeof(segment);

		if (at > size || size - at < sizeof(segment))
			return false;
		memcpy(&segment, kernel + at, sizeof(segment));
		if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
			return false;
		found |= segment.p_type == PT_NOTE &&
			 notes_have_entry(kernel + segment.p_offset, segment.p_filesz);
	}
	return found;
}

/* An empty file says that there is none. */
static int make(const struct kernel *kernel, const char *path, struct hl_error *err)
{
	struct hl_error why = HL_ERROR_INIT;
	cleanup_free char *data = NULL;
	size_t size = 0;
	int r = bzimage_kernel(kernel->vmlinuz, &data, &size, &why);

	if (r && r != -EBADMSG)
		return hl_error_set(err, -r, "%s", why.text);
	return file_write(path, data, !r && has_pvh_entry(data, size) ? size : 0, err);
}

int vmlinux_find(const struct kernel *kernel, char **path, struct hl_error *err)
{
	cleanup_free char *file = file_path("%s/vmlinux", kernel->folder);
	struct stat status;
	int r = 0;

	*path = NULL;
	if (stat(file, &status)) {
		r = make(kernel, file, err);
		if (!r && stat(file, &status))
			r = hl_error_errno(err, errno, "read %s", file);
	}
	if (!r && status.st_size)
		*path = take_pointer(file);
	return r;
}
