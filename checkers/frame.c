// SPDX-License-Identifier: GPL-2.0-or-later
#include "frame.h"
#include "parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "[<ffffffff8183dda5>] " or "[ffffffff8183dda5] ", perhaps twice. */
static const char *skip_addresses(const char *text, uint64_t *address)
{
	while (*text == '[') {
		const char *digits = text + (text[1] == '<' ? 2 : 1);
		uint64_t value;
		const char *end =
			parse_hex(digits[0] == '0' && digits[1] == 'x' ? digits + 2 : digits, &value);

		if (!end || end - digits < (text[1] == '<' ? 1 : 8))
			return text;
		if (*end == '>')
			end++;
		if (*end != ']')
			return text;
		*address = value;
		for (text = end + 1; *text == ' '; text++)
			;
	}
	return text;
}

/* "[ext4]", "[kvm_intel 5d2b...]", "[inline]", "(unreliable)", "fs/open.c:123". */
static void parse_tail(const char *text, struct frame_text *result)
{
	while (*text == ' ') {
		size_t length;

		while (*text == ' ')
			text++;
		length = strcspn(text, " ");
		if (parse_starts(text, "[inline]") || parse_starts(text, "(inlined)")) {
			result->frame.inlined = true;
		} else if (*text == '[' && !result->module_length && isalpha((unsigned char)text[1])) {
			result->module = text + 1;
			result->module_length = strcspn(result->module, "] (");
			text += strcspn(text, "]");
			length = *text == ']' ? 1 : 0;
		} else if (parse_starts(text, "(unreliable)")) {
			result->frame.reliable = false;
		} else if (!result->file_length && memchr(text, '/', length) && memchr(text, ':', length)) {
			const char *colon = memchr(text, ':', length);

			if (isdigit((unsigned char)colon[1])) {
				result->file = text;
				result->file_length = (size_t)(colon - text);
				result->frame.file_line = (unsigned int)strtoul(colon + 1, NULL, 10);
			}
		}
		text += length;
	}
}

static bool parse_name(const char *text, struct frame_text *result)
{
	const char *end;

	result->function = text;
	result->function_length = parse_function(text);
	if (!result->function_length)
		return false;
	end = text + result->function_length;
	if (end[0] == '+' && end[1] == '0' && end[2] == 'x') {
		end = parse_hex(end + 3, &result->frame.offset);
		/* No function is that long: damaged text. */
		if (!end || result->frame.offset > UINT32_MAX)
			return false;
		if (end[0] == '/' && end[1] == '0' && end[2] == 'x') {
			const char *behind = parse_hex(end + 3, &result->frame.size);

			end = behind ? behind : end;
			if (result->frame.size > UINT32_MAX)
				return false;
		} else if (!result->frame.address) {
			return false;
		}
		if (*end == ')')
			end++;
		parse_tail(end, result);
		return true;
	}
	/* Without an offset only a decoded frame is one: "schedule kernel/sched/core.c:123 [inline]". */
	if (*end != ' ' || end[1 + strcspn(end + 1, " :")] != ':')
		return false;
	parse_tail(end, result);
	return result->file_length > 0 && result->file == end + 1;
}

bool frame_parse(const char *text, struct frame_text *result)
{
	const char *from;

	*result = (struct frame_text){.frame = {.reliable = true}};
	while (*text == ' ' || *text == '\t')
		text++;
	text = skip_addresses(text, &result->frame.address);
	if (text[0] == '?' && text[1] == ' ') {
		result->frame.reliable = false;
		for (text++; *text == ' '; text++)
			;
	}
	if (*text == '(') { /* arm: the caller is the frame; s390: the first one */
		from = parse_after(text, " from ");
		if (from)
			text = skip_addresses(from, &result->frame.address);
		if (*text == '(')
			text = skip_addresses(text + 1, &result->frame.address);
	}
	if (parse_name(text, result))
		return true;
	from = parse_starts(text + result->function_length, " from ");
	return from && parse_name(skip_addresses(from, &result->frame.address), result);
}

const char *frame_is_instruction(const char *text)
{
	/* "lr" is where the function was called from: a frame of its own in every printed trace. */
	static const char *const registers[] = {"RIP: ", "RIP  [<", "EIP: ", "IP: ",	  "PC is at ",
						"pc : ", "epc : ",  "NIP [", "EIP is at "};
	const char *end = NULL;

	while (*text == ' ')
		text++;
	/* s390: "Krnl PSW : 0704c00180000000 00000000a8c2f2b4 (multi_cpu_stop+0x104/0x1e8)" */
	if (parse_starts(text, "Krnl PSW : "))
		return parse_after(text, "(");
	for (size_t i = 0; i < sizeof(registers) / sizeof(*registers) && !end; i++)
		end = *text == *registers[i] ? parse_starts(text, registers[i]) : NULL;
	if (!end)
		return NULL;
	if (end[-1] == '<')
		end -= 2;
	else if (end[-1] == '[')
		end -= 1;
	/* Code segment: 0010 is the kernel on bare metal, e030 under Xen. */
	if (isxdigit((unsigned char)end[0]) && isxdigit((unsigned char)end[3]) && end[4] == ':')
		end += 5;
	while (*end == ' ')
		end++;
	return end;
}
