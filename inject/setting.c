// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/setting.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>

int setting_change(struct setting *setting, const char *path, const char *value, struct hl_error *err)
{
	cleanup_free char *text = NULL;
	const char *chosen;
	int r = file_read(path, &text, NULL, err);

	if (r)
		return r;
	chosen = strchr(text, '[');
	chosen = chosen ? chosen + 1 : text;
	snprintf(setting->before, sizeof(setting->before), "%.*s", (int)strcspn(chosen, "]\n"), chosen);
	r = file_set(path, value, err);
	if (!r)
		setting->path = path;
	return r;
}

int setting_restore(struct setting *setting, struct hl_error *err)
{
	return setting->path ? file_set(setting->path, setting->before, err) : 0;
}
