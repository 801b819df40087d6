// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool parse_task(struct report *report, const char *text, const char *end)
{
	const char *pid = end;

	while (pid > text && isdigit((unsigned char)pid[-1]))
		pid--;
	if (pid == end || pid - text < 2 || pid[-1] != ':' || end - pid > 10)
		return false;
	report->event.stack.comm = report_text(report, text, (size_t)(pid - 1 - text));
	report->event.stack.pid = atol(pid);
	return true;
}

const char *parse_number(const char *text, unsigned long long *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	*value = strtoull(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	return end;
}

/* Return: 0 to 15, or 16 for what is no digit. */
static unsigned int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

const char *parse_hex(const char *text, uint64_t *value)
{
	bool prefixed = text[0] == '0' && (text[1] | 0x20) == 'x' && hex_digit(text[2]) < 16;
	const char *end = prefixed ? text + 2 : text;
	uint64_t sum = 0;

	for (unsigned int digit; (digit = hex_digit(*end)) < 16; end++)
		sum = sum > UINT64_MAX >> 4 ? UINT64_MAX : sum << 4 | digit;
	if (end == text)
		return NULL;
	*value = sum;
	return end;
}

const char *parse_after(const char *text, const char *needle)
{
	const char *found = strstr(text, needle);

	return found ? found + strlen(needle) : NULL;
}

size_t parse_trimmed(const char *text)
{
	size_t length = strlen(text);

	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	return length;
}

bool parse_at_start(const struct line *line, const char *anchor)
{
	static const char *const subsystems[] = {
		"NMI watchdog: ", "watchdog: ",	 "rcu: ", "mce: ", "Kernel: ", "workqueue: ",
		"kvm: ",	  "kvm_intel: ", "smp: ", "BUG: ", "traps: "};
	const char *text = line->text;
	bool again = true;

	while (again) {
		again = false;
		while (*text == ' ' || *text == '\t' || *text == '[' || *text == '=' || *text == '*')
			text++;
		if (text >= anchor)
			return true;
		for (size_t i = 0; i < sizeof(subsystems) / sizeof(*subsystems) && !again; i++) {
			const char *end = parse_starts(text, subsystems[i]);

			if (end && end <= anchor) {
				text = end;
				again = true;
			}
		}
	}
	return false;
}

static bool is_name_byte(char c)
{
	static const bool yes[256] = {
		['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
		['_'] = true,	      ['.'] = true,	    ['$'] = true,
	};

	return yes[(unsigned char)c];
}

size_t parse_function(const char *text)
{
	size_t length = 0;

	if (!isalpha((unsigned char)*text) && *text != '_' && *text != '.' && *text != '<')
		return 0;
	if (*text == '<') {
		/* Rust: "<module::Type as Trait>::method" ends at the offset only. */
		const char *offset = strstr(text, "+0x");

		return offset && memchr(text, ':', (size_t)(offset - text)) ? (size_t)(offset - text) : 0;
	}
	while (is_name_byte(text[length]) || (text[length] == ':' && text[length + 1] == ':' && ++length))
		length++;
	return length;
}
