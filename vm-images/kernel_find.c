// SPDX-License-Identifier: GPL-2.0-or-later
/* Which kernel of the store a user means. */
#include "kernel_store.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/similar.h"
#include "local_kernel.h"

#include <ctype.h>
#include <string.h>

static bool has_name(const struct kernel *kernel, const char *wanted)
{
	return !strcmp(kernel->name, wanted);
}

static bool has_release(const struct kernel *kernel, const char *wanted)
{
	return !strcmp(kernel->release, wanted);
}

static bool has_family(const struct kernel *kernel, const char *wanted)
{
	size_t length = kernel_family_length(kernel->name);

	return kernel->name[length] && !kernel->built && strlen(wanted) == length &&
	       !strncmp(kernel->name, wanted, length) &&
	       (strcmp(wanted, "debian") || !strcmp(kernel_flavour(kernel->release), KERNEL_DEBIAN_FLAVOUR));
}

/* "debian:amd64" */
static bool has_flavour(const struct kernel *kernel, const char *wanted)
{
	size_t length = kernel_family_length(kernel->name);

	return kernel->name[length] && !kernel->built && !strncmp(kernel->name, wanted, length + 1) &&
	       !strcmp(kernel_flavour(kernel->release), wanted + length + 1);
}

/* "6.1.170-3", "6.1.170", "debian:6.1.170": a version of the package, or the upstream part of one. */
static bool has_version(const struct kernel *kernel, const char *wanted)
{
	size_t family = strcspn(wanted, "/:"), length;

	if (wanted[family]) {
		family = kernel_family_length(wanted);
		if (family != kernel_family_length(kernel->name) || strncmp(kernel->name, wanted, family))
			return false;
		wanted += family + 1;
	}
	length = strlen(wanted);
	return length && !kernel->built && strchr(wanted, '.') && !strncmp(kernel->version, wanted, length) &&
	       (!kernel->version[length] || kernel->version[length] == '-');
}

static bool begins_with(const struct kernel *kernel, const char *wanted)
{
	size_t length = strlen(wanted);

	return length &&
	       (!strncmp(kernel->name, wanted, length) || !strncmp(kernel->release, wanted, length));
}

/* The ways to name a kernel, the most exact first. */
static const struct way {
	bool (*matches)(const struct kernel *kernel, const char *wanted);
	bool newest; /* several matches are fine: take the last of the list */
} ways[] = {
	{has_name, true},    {has_release, false}, {has_family, true},
	{has_flavour, true}, {has_version, true},  {begins_with, false},
};

static bool same_kernel(const struct kernel *a, const struct kernel *b)
{
	return !strcmp(a->name, b->name) || !strcmp(a->sha256, b->sha256);
}

/* Index of the match, -1 for none, -2 when several kernels match. */
static ssize_t match(const struct kernel_list *list, const struct way *way, const char *wanted,
		     const char *version)
{
	ssize_t found = -1;

	for (size_t i = 0; i < list->count; i++) {
		const struct kernel *kernel = list->kernels[i];

		if (!way->matches(kernel, wanted) || (version && strcmp(kernel->version, version)))
			continue;
		if (found >= 0 && !way->newest && !same_kernel(list->kernels[found], kernel))
			return -2;
		found = (ssize_t)i;
	}
	return found;
}

/* "name, name, ...", of the kernels that match (all for a NULL @way). */
static char *describe(const struct kernel_list *list, const struct way *way, const char *wanted)
{
	char *text = file_path("%s", "");

	for (size_t i = 0; i < list->count; i++) {
		cleanup_free char *old = NULL;
		const char *name = list->kernels[i]->name;

		if ((way && !way->matches(list->kernels[i], wanted)) ||
		    (i && !strcmp(name, list->kernels[i - 1]->name)))
			continue;
		old = text;
		text = file_path("%s%s%s", old, *old ? ", " : "", name);
	}
	return text;
}

/* The name to offer for a mistyped one, or NULL. */
static const char *nearest_name(const struct kernel_list *list, const char *wanted)
{
	cleanup_free const char **names = calloc(list->count + 1, sizeof(*names));

	if (!names)
		return NULL;
	for (size_t i = 0; i < list->count; i++)
		names[i] = list->kernels[i]->name;
	return similar_find(wanted, names, list->count);
}

/* How to get what is not there: Debian's releases end with the flavour and the architecture. */
static char *fetch_command(const char *wanted)
{
	size_t length = strlen(wanted), ending = strlen("-amd64");

	if (!strcmp(wanted, "debian") || !strncmp(wanted, "debian:", strlen("debian:")))
		return file_path("hanglab kernel fetch %s", wanted);
	if (isdigit((unsigned char)*wanted) && length > ending && !strcmp(wanted + length - ending, "-amd64"))
		return file_path("hanglab kernel fetch debian:%s", wanted);
	return file_path("hanglab kernel fetch debian, or hanglab kernel add FILE.deb");
}

static int miss(const struct kernel_list *list, const char *wanted, struct hl_error *err)
{
	cleanup_free char *stored = describe(list, NULL, NULL);
	cleanup_free char *command = fetch_command(wanted);
	const char *near = nearest_name(list, wanted);

	return hl_error_set(err, ENOENT, "no kernel \"%s\" in the store%s%s%s; it has: %s; to get it: %s",
			    wanted, near ? " (did you mean " : "", near ?: "", near ? "?)" : "",
			    *stored ? stored : "nothing", command);
}

static int find_in(struct kernel_list *list, const char *wanted, struct kernel **kernel, struct hl_error *err)
{
	const char *pin = strrchr(wanted, '=');
	cleanup_free char *name = pin ? strndup(wanted, (size_t)(pin - wanted)) : strdup(wanted);

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		ssize_t found = match(list, &ways[i], name, pin ? pin + 1 : NULL);

		if (found == -2) {
			cleanup_free char *matches = describe(list, &ways[i], name);

			return hl_error_set(err, ENOTUNIQ, "\"%s\" fits several kernels: %s", wanted,
					    matches);
		}
		if (found >= 0) {
			*kernel = take_pointer(list->kernels[found]);
			return 0;
		}
	}
	return miss(list, wanted, err);
}

int kernel_store_find(const char *wanted, struct kernel **kernel, struct hl_error *err)
{
	cleanup_with(kernel_list_free) struct kernel_list list = {NULL, 0};
	int r;

	if (local_kernel_is(wanted))
		return local_kernel_find(wanted, kernel, err);
	r = kernel_store_list(&list, err);
	return r ? r : find_in(&list, wanted, kernel, err);
}
