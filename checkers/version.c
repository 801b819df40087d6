// SPDX-License-Identifier: GPL-2.0-or-later
#include "version.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Without the architecture: ".x86_64", ".aarch64", "-amd64" ... */
static size_t length_without_arch(const char *release)
{
	static const char *const archs[] = {"x86_64", "aarch64", "amd64",   "arm64",
					    "i686",   "i386",	 "ppc64le", "s390x"};
	size_t length = strlen(release);

	for (size_t i = 0; i < sizeof(archs) / sizeof(*archs); i++) {
		size_t arch = strlen(archs[i]);

		if (length > arch + 1 && strcmp(release + length - arch, archs[i]) == 0)
			return length - arch - 1;
	}
	return length;
}

static size_t part_length(const char *text, const char *end, bool number)
{
	const char *start = text;

	while (text < end && (number ? isdigit((unsigned char)*text) : isalpha((unsigned char)*text)))
		text++;
	return (size_t)(text - start);
}

static int compare_numbers(const char *a, size_t a_length, const char *b, size_t b_length)
{
	while (a_length && *a == '0')
		a++, a_length--;
	while (b_length && *b == '0')
		b++, b_length--;
	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return memcmp(a, b, a_length);
}

static int compare_words(const char *a, size_t a_length, const char *b, size_t b_length)
{
	int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order ? order : a_length < b_length ? -1 : a_length > b_length;
}

int version_compare(const char *a, const char *b)
{
	const char *a_end = a + length_without_arch(a), *b_end = b + length_without_arch(b);

	for (;;) {
		size_t a_length, b_length;
		bool number;
		int order;

		while (a < a_end && !isalnum((unsigned char)*a))
			a++;
		while (b < b_end && !isalnum((unsigned char)*b))
			b++;
		if (a == a_end || b == b_end)
			break;
		number = isdigit((unsigned char)*a);
		/* "514.el7" and "514.6.el7": a number is newer than a word. */
		if (number != (bool)isdigit((unsigned char)*b))
			return number ? 1 : -1;
		a_length = part_length(a, a_end, number);
		b_length = part_length(b, b_end, number);
		order = number ? compare_numbers(a, a_length, b, b_length)
			       : compare_words(a, a_length, b, b_length);
		if (order)
			return order;
		a += a_length;
		b += b_length;
	}
	if (a == a_end && b == b_end)
		return 0;
	/* What is longer is newer, but for a release candidate. */
	if (a == a_end)
		return strncmp(b, "rc", 2) == 0 ? 1 : -1;
	return strncmp(a, "rc", 2) == 0 ? -1 : 1;
}
