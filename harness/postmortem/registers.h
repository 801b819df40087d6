/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_REGISTERS_H
#define HANGLAB_POSTMORTEM_REGISTERS_H

#include <stddef.h>
#include <sys/procfs.h>
#include <sys/user.h>

/**
 * registers_parse() - what QEMU's monitor command "info registers -a" prints, as a core file holds it
 * @text: the output
 * @count: receives the number of vCPUs
 *
 * Return: newly allocated list in the order of the vCPUs, NULL when there is none.
 */
struct elf_prstatus *registers_parse(const char *text, size_t *count);

/** registers_of() - the registers of one vCPU in a core's note */
struct user_regs_struct registers_of(const struct elf_prstatus *status);

#endif
