// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweep/setting.h"

#include <ctype.h>
#include <string.h>

/* What it holds lies in @text, without the blanks around it. */
static char *trimmed(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	return text;
}

static int take_values(char *list, struct sweep_setting *setting, struct arena *arena, struct hl_error *err)
{
	size_t most = 2;

	for (const char *c = list; *c; c++)
		most += *c == ',';
	setting->values = arena_allocate(arena, most * sizeof(*setting->values));
	for (char *next = list, *value; (value = strsep(&next, ","));) {
		value = trimmed(value);
		if (!*value)
			return hl_error_set(err, EINVAL, "%s: a value is empty", setting->name);
		for (size_t i = 0; i < setting->count; i++)
			if (!strcmp(setting->values[i], value))
				return hl_error_set(err, EINVAL, "%s: the value %s is there twice",
						    setting->name, value);
		setting->values[setting->count++] = value;
	}
	return 0;
}

int sweep_setting_parse(const char *text, bool boot, struct sweep_setting *setting, struct arena *arena,
			struct hl_error *err)
{
	char *name = arena_allocate(arena, strlen(text) + 1), *values;

	strcpy(name, text);
	values = strchr(name, '=');
	*setting = (struct sweep_setting){.boot = boot};
	if (!values || values == name)
		return hl_error_set(err, EINVAL, "'%s' is not NAME=VALUE,VALUE,...", text);
	*values++ = '\0';
	setting->name = trimmed(name);
	if (!*setting->name || strpbrk(setting->name, " \t@/"))
		return hl_error_set(err, EINVAL, "'%s' is no name of a %s", name,
				    boot ? "boot parameter" : "sysctl");
	return take_values(values, setting, arena, err);
}

size_t sweep_point_count(const struct sweep_setting *settings, size_t count)
{
	size_t points = 1;

	for (size_t i = 0; i < count && points <= SWEEP_MOST_POINTS; i++)
		points *= settings[i].count;
	return points;
}

const char *sweep_value(const struct sweep_setting *settings, size_t count, size_t which, size_t point)
{
	for (size_t i = count - 1; i > which; i--)
		point /= settings[i].count;
	return settings[which].values[point % settings[which].count];
}
