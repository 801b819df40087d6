/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_VMCOREINFO_H
#define HANGLAB_POSTMORTEM_VMCOREINFO_H

#include "postmortem/image.h"

/*
 * VMCOREINFO: what the kernel writes down about itself for readers of its memory
 * (Documentation/admin-guide/kdump/vmcoreinfo.rst): lines like "SYMBOL(swapper_pg_dir)=ffffffff8260a000".
 */

/** Most that it takes: a page. */
#define VMCOREINFO_SIZE 4096

/** Where the kernel's image is mapped, plus phys_base (arch/x86/include/asm/page_64_types.h). */
#define KERNEL_MAP_START 0xffffffff80000000ULL

/**
 * vmcoreinfo_find() - look for it in memory: it begins a page
 * @position: physical address to search from, at first 0; receives where to go on
 *
 * Return: newly allocated text, NULL when there is no further one.
 */
char *vmcoreinfo_find(const struct image *image, uint64_t *position);

/**
 * vmcoreinfo_number() - a value by its key
 * @info: the text
 * @key: "SYMBOL(NAME)" is hexadecimal, all others are decimal
 *
 * Return: false when it is not there.
 */
bool vmcoreinfo_number(const char *info, const char *key, uint64_t *value);

/** vmcoreinfo_text() - a value as text, "" when it is not there */
void vmcoreinfo_text(const char *info, const char *key, char *text, size_t size);

#endif
