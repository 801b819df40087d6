// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/vm_console.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

static void take_line(struct injection *injection, const char *text, const char *found)
{
	while (found > text && found[-1] != '\n')
		found--;
	snprintf(injection->evidence, sizeof(injection->evidence), "the guest says: %.*s",
		 (int)strcspn(found, "\r\n"), found);
}

int vm_console_confirm(struct injection *injection, const char *const *texts, struct hl_error *err)
{
	cleanup_free char *said = injection->vm->console(injection->vm->vm, injection->console_from, err);

	if (!said)
		return -EIO;
	for (const char *const *text = texts; *text; text++) {
		const char *found = strstr(said, *text);

		if (!found)
			continue;
		take_line(injection, said, found);
		return 0;
	}
	return hl_error_set(err, EIO, "the guest says nothing about it, such as \"%s\"", texts[0]);
}

int vm_monitor(struct injection *injection, const char *command, struct hl_error *err)
{
	json_t *answer = NULL;
	const char *text;
	int r = injection->vm->qmp(injection->vm->vm, "human-monitor-command",
				   json_pack("{s:s}", "command-line", command), &answer, err);

	if (r)
		return r;
	text = json_string_value(answer);
	/* Silence, or "OK id: ...", is consent. */
	if (text && text[0] && strncmp(text, "OK", 2) != 0)
		r = hl_error_set(err, EREMOTEIO, "QEMU refused \"%s\": %.300s", command, text);
	json_decref(answer);
	return r;
}

int vm_nothing_to_release(struct injection *injection, struct hl_error *err)
{
	(void)err;
	snprintf(injection->evidence, sizeof(injection->evidence), "an event, and over");
	return 0;
}
