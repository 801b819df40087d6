// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/registers.h"

#include <stdlib.h>
#include <string.h>

#define REGISTER(name, member)                                                                               \
	{                                                                                                    \
		name, offsetof(struct user_regs_struct, member)                                              \
	}

/* As QEMU pads them (target/i386/cpu-dump.c). */
static const struct {
	const char *name;
	size_t offset;
} registers[] = {
	REGISTER("RAX=", rax),	  REGISTER("RBX=", rbx), REGISTER("RCX=", rcx), REGISTER("RDX=", rdx),
	REGISTER("RSI=", rsi),	  REGISTER("RDI=", rdi), REGISTER("RBP=", rbp), REGISTER("RSP=", rsp),
	REGISTER("R8 =", r8),	  REGISTER("R9 =", r9),	 REGISTER("R10=", r10), REGISTER("R11=", r11),
	REGISTER("R12=", r12),	  REGISTER("R13=", r13), REGISTER("R14=", r14), REGISTER("R15=", r15),
	REGISTER("RIP=", rip),	  REGISTER("CS =", cs),	 REGISTER("SS =", ss),	REGISTER("DS =", ds),
	REGISTER("RFL=", eflags),
};

/* "GS =0000 ffff88801f600000 ffffffff 00c00000": selector, base ... */
static unsigned long long base_of(const char *block, const char *end, const char *name)
{
	const char *found = memmem(block, (size_t)(end - block), name, strlen(name));
	const char *space =
		found ? memchr(found + strlen(name), ' ', (size_t)(end - found) - strlen(name)) : NULL;

	return space ? strtoull(space, NULL, 16) : 0;
}

static void parse_cpu(const char *block, const char *end, struct user_regs_struct *regs)
{
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		const char *name = registers[i].name;
		const char *found = memmem(block, (size_t)(end - block), name, strlen(name));
		unsigned long long value = found ? strtoull(found + strlen(name), NULL, 16) : 0;

		memcpy((char *)regs + registers[i].offset, &value, sizeof(value));
	}
	regs->orig_rax = ~0ULL;
	regs->fs_base = base_of(block, end, "FS =");
	regs->gs_base = base_of(block, end, "GS =");
}

struct elf_prstatus *registers_parse(const char *text, size_t *count)
{
	struct elf_prstatus *list = NULL;

	*count = 0;
	for (const char *block = strstr(text, "CPU#"); block; block = strstr(block + 1, "CPU#")) {
		const char *next = strstr(block + 1, "CPU#");
		const char *end = next ? next : block + strlen(block);
		struct elf_prstatus *larger = realloc(list, (*count + 1) * sizeof(*list));
		struct user_regs_struct regs = {0};

		if (!larger)
			abort();
		list = larger;
		parse_cpu(block, end, &regs);
		memset(&list[*count], 0, sizeof(*list));
		memcpy(&list[*count].pr_reg, &regs, sizeof(regs));
		(*count)++;
	}
	return list;
}

struct user_regs_struct registers_of(const struct elf_prstatus *status)
{
	struct user_regs_struct regs;

	memcpy(&regs, &status->pr_reg, sizeof(regs));
	return regs;
}
