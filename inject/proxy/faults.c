// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults.h"

#include "base/similar.h"

#include <fiu-control.h>
#include <fiu-local.h>
#include <fiu.h>
#include <stdio.h>
#include <string.h>

const struct fault_kind fault_kinds[PROXY_FAULTS] = {
#define FAULT(identifier, name, unit, value, help) {name, FAULT_##unit, value, help},
#include "faults.def"
#undef FAULT
};

/* A failnum that says that the failinfo holds a value even when it is 0. */
#define FAILNUM_PLAIN 1
#define FAILNUM_VALUE 2

/* Keeps a delay in nanoseconds, and a rate times nanoseconds, far from overflow. */
static const struct {
	const char *name;
	int64_t least, most;
} units[] = {
	[FAULT_NONE] = {"", 0, 0},
	[FAULT_MILLISECONDS] = {"ms", 1, 3600 * 1000},
	[FAULT_BYTES_PER_SECOND] = {"bytes/s", 1, 1LL << 40},
	[FAULT_LUN] = {"LUN", 0, 0x3fff},
};

const char *fault_unit_name(enum fault_unit unit)
{
	return units[unit].name;
}

static struct fault_state read_fault(const struct fault_kind *kind)
{
	int failnum = fiu_fail(kind->name);
	int64_t value = failnum ? (int64_t)(uintptr_t)fiu_failinfo() : 0;

	if (!failnum)
		return (struct fault_state){false, 0};
	if (!value && failnum != FAILNUM_VALUE)
		value = kind->unit == FAULT_LUN ? FAULT_NO_VALUE : kind->value;
	else if (value > units[kind->unit].most || value < units[kind->unit].least)
		value = units[kind->unit].most;
	return (struct fault_state){true, value};
}

void faults_read(struct faults *faults)
{
	for (size_t i = 0; i < PROXY_FAULTS; i++)
		faults->state[i] = read_fault(&fault_kinds[i]);
}

/* "proxy/stall" is or contains "proxy/stall/up". */
static bool names_fault(const char *name, const struct fault_kind *kind)
{
	size_t length = strlen(name);

	return !strncmp(kind->name, name, length) &&
	       (kind->name[length] == '\0' || kind->name[length] == '/');
}

static int unknown_fault(const char *name, struct hl_error *err)
{
	const char *names[PROXY_FAULTS], *near;

	for (size_t i = 0; i < PROXY_FAULTS; i++)
		names[i] = fault_kinds[i].name;
	near = similar_find(name, names, PROXY_FAULTS);
	return hl_error_set(err, ENOENT, "no fault is called '%s'%s%s%s", name,
			    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int check_value(const struct fault_kind *kind, int64_t value, struct hl_error *err)
{
	if (value == FAULT_NO_VALUE)
		return 0;
	if (kind->unit == FAULT_NONE)
		return hl_error_set(err, EINVAL, "%s takes no value", kind->name);
	if (value < units[kind->unit].least || value > units[kind->unit].most)
		return hl_error_set(err, ERANGE, "%s: %lld is not between %lld and %lld %s", kind->name,
				    (long long)value, (long long)units[kind->unit].least,
				    (long long)units[kind->unit].most, units[kind->unit].name);
	return 0;
}

int faults_enable(const char *name, int64_t value, struct hl_error *err)
{
	bool found = false;

	fiu_init(0);
	for (size_t i = 0; i < PROXY_FAULTS; i++) {
		const struct fault_kind *kind = &fault_kinds[i];
		int r;

		if (!names_fault(name, kind))
			continue;
		found = true;
		r = check_value(kind, value, err);
		if (r)
			return r;
		/* libfiu 1.1 leaks memory when it enables what is enabled. */
		fiu_disable(kind->name);
		r = value == FAULT_NO_VALUE
			    ? fiu_enable(kind->name, FAILNUM_PLAIN, NULL, 0)
			    : fiu_enable(kind->name, FAILNUM_VALUE, (void *)(uintptr_t)value, 0);
		if (r)
			return hl_error_set(err, ENOMEM, "libfiu cannot enable %s", kind->name);
	}
	return found ? 0 : unknown_fault(name, err);
}

int faults_disable(const char *name, struct hl_error *err)
{
	char pattern[64];
	bool found = false;

	for (size_t i = 0; i < PROXY_FAULTS; i++) {
		if (!names_fault(name, &fault_kinds[i]))
			continue;
		found = true;
		fiu_disable(fault_kinds[i].name);
	}
	/* Somebody may have enabled the group with libfiu's own wildcard. */
	if (snprintf(pattern, sizeof(pattern), "%s/*", name) < (int)sizeof(pattern))
		fiu_disable(pattern);
	return found ? 0 : unknown_fault(name, err);
}
