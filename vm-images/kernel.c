// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <ctype.h>
#include <string.h>

void kernel_free(struct kernel *kernel)
{
	if (!kernel)
		return;
	free(kernel->name);
	free(kernel->release);
	free(kernel->version);
	free(kernel->architecture);
	free(kernel->sha256);
	free(kernel->source);
	free(kernel->folder);
	free(kernel->vmlinuz);
	free(kernel->config);
	free(kernel->modules);
	free(kernel);
}

void kernel_cleanup(struct kernel **kernel)
{
	kernel_free(*kernel);
}

void kernel_list_free(struct kernel_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		kernel_free(list->kernels[i]);
	free(list->kernels);
	*list = (struct kernel_list){NULL, 0};
}

/* The text behind "CONFIG_OPTION=" at the beginning of a line, or NULL. */
static const char *find_assignment(const char *config, const char *option)
{
	cleanup_free char *wanted = file_path("CONFIG_%s=", option);
	size_t length = strlen(wanted);

	for (const char *line = config; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, wanted, length))
			return line + length;
	}
	return NULL;
}

/* Kconfig writes a string in double quotes, with \ before a quote or a backslash in it. */
static char *unquote(const char *text)
{
	char *value = strndup(text, strcspn(text, "\n")), *put = value;

	if (!value || *value != '"')
		return value;
	for (const char *get = value + 1; *get && *get != '"'; get++) {
		if (*get == '\\' && get[1])
			get++;
		*put++ = *get;
	}
	*put = '\0';
	return value;
}

int kernel_config_value(const struct kernel *kernel, const char *option, char **value, struct hl_error *err)
{
	cleanup_free char *config = NULL;
	const char *assigned;
	int r = file_read(kernel->config, &config, NULL, err);

	if (r == -ENOENT)
		return hl_error_set(err, ENOENT,
				    "the configuration of kernel %s is not known: no file with it came with "
				    "the kernel, which was built without CONFIG_IKCONFIG",
				    kernel->name);
	if (r)
		return hl_error_prefix(err, "configuration of kernel %s", kernel->name);
	if (!strncmp(option, "CONFIG_", strlen("CONFIG_")))
		option += strlen("CONFIG_");
	assigned = find_assignment(config, option);
	*value = assigned ? unquote(assigned) : strdup("n");
	return *value ? 0 : hl_error_errno(err, ENOMEM, "configuration of kernel %s", kernel->name);
}

/* The next number of a dotted version, 0 when there is none. */
static unsigned long next_number(const char **text)
{
	char *end;
	unsigned long number;

	if (!isdigit((unsigned char)**text))
		return 0;
	number = strtoul(*text, &end, 10);
	*text = *end == '.' && isdigit((unsigned char)end[1]) ? end + 1 : end;
	return number;
}

static int compare_numbers(unsigned long a, unsigned long b)
{
	return (a > b) - (a < b);
}

/* Runs of digits as numbers, everything else by character; the end comes first. */
static int compare_rest(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			char *end_a, *end_b;
			int order = compare_numbers(strtoul(a, &end_a, 10), strtoul(b, &end_b, 10));

			if (order)
				return order;
			a = end_a;
			b = end_b;
		} else if (*a != *b) {
			break;
		} else {
			a++;
			b++;
		}
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static int is_release_candidate(const char *rest)
{
	return !strncmp(rest, "-rc", 3) && isdigit((unsigned char)rest[3]);
}

int kernel_release_compare(const char *a, const char *b)
{
	while (isdigit((unsigned char)*a) || isdigit((unsigned char)*b)) {
		int order = compare_numbers(next_number(&a), next_number(&b));

		if (order)
			return order;
	}
	if (is_release_candidate(a) != is_release_candidate(b))
		return is_release_candidate(b) - is_release_candidate(a);
	return compare_rest(a, b);
}

const char *kernel_flavour(const char *release)
{
	for (const char *dash = strchr(release, '-'); dash; dash = strchr(dash + 1, '-'))
		if (!isdigit((unsigned char)dash[1]))
			return dash + 1;
	return release + strlen(release);
}
