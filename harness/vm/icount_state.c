// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/icount_state.h"

#include <endian.h>
#include <string.h>

/* QEMU, migration/vmstate.c: a mark, the length of the name, the name, the version; then the fields. */
#define SECTION "\x05\x0ctimer/icount\0\0\0\1"

/* Both in big-endian byte order. */
struct fields {
	uint64_t bias, instructions;
};

static char *find_section(char *state, size_t size)
{
	return memmem(state, size, SECTION, sizeof(SECTION) - 1);
}

int icount_state_set_shift(void *state, size_t size, int64_t from, int64_t to, struct hl_error *err)
{
	char *end = (char *)state + size, *section = find_section(state, size), *at;
	struct fields fields;
	uint64_t instructions;

	if (!section)
		return hl_error_set(err, EBADMSG, "the state of the devices has no count of instructions");
	at = section + sizeof(SECTION) - 1;
	if ((size_t)(end - at) < sizeof(fields) || find_section(at, (size_t)(end - at)))
		return hl_error_set(err, EBADMSG, "the count of instructions in the state is damaged");
	memcpy(&fields, at, sizeof(fields));
	instructions = be64toh(fields.instructions);
	/* The sum stays. */
	fields.bias = htobe64(be64toh(fields.bias) + (instructions << from) - (instructions << to));
	memcpy(at, &fields, sizeof(fields));
	return 0;
}
