// SPDX-License-Identifier: GPL-2.0-or-later
#include "postmortem/vmcoreinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

/* First and one other of the lines that every kernel since 2.6.24 writes. */
#define FIRST_LINE "OSRELEASE="
#define OTHER_LINE "\nSYMBOL(swapper_pg_dir)="

static char *text_at(const uint8_t *page)
{
	char *text;

	if (memcmp(page, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return NULL;
	text = strndup((const char *)page, VMCOREINFO_SIZE);
	if (text && !strstr(text, OTHER_LINE)) {
		free(text);
		return NULL;
	}
	return text;
}

char *vmcoreinfo_find(const struct image *image, uint64_t *position)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		uint64_t end = segment->physical + segment->size, at = (segment->physical + PAGE - 1) & -PAGE;

		if (at < *position)
			at = *position;
		for (; at >= segment->physical && at < end && end - at >= PAGE; at += PAGE) {
			char *text = text_at(segment->data + (at - segment->physical));

			if (text) {
				*position = at + PAGE;
				return text;
			}
		}
	}
	return NULL;
}

static const char *value_of(const char *info, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = info; line && *line;) {
		if (!strncmp(line, key, length) && line[length] == '=')
			return line + length + 1;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

bool vmcoreinfo_number(const char *info, const char *key, uint64_t *value)
{
	const char *text = value_of(info, key);
	char *end;

	if (!text)
		return false;
	errno = 0;
	*value = strncmp(key, "SYMBOL(", 7) != 0 ? (uint64_t)strtoll(text, &end, 10)
						 : strtoull(text, &end, 16);
	return end != text && !errno;
}

void vmcoreinfo_text(const char *info, const char *key, char *text, size_t size)
{
	const char *value = value_of(info, key);

	snprintf(text, size, "%.*s", value ? (int)strcspn(value, "\n") : 0, value ? value : "");
}
