// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/command_result.h"

#include "base/units.h"

#include <string.h>

/* Above the highest error number of Linux on any architecture but for a few of MIPS. */
#define HIGHEST_ERRNO 200

int command_status_parse(const char *text)
{
	int64_t status;

	if (units_parse_integer(text, &status, NULL) || status < 0 || status > COMMAND_HIGHEST_STATUS)
		return -1;
	return (int)status;
}

int command_errno_parse(const char *name)
{
	for (int number = 1; number < HIGHEST_ERRNO; number++) {
		const char *known = strerrorname_np(number);

		if (known && !strcmp(known, name))
			return number;
	}
	return 0;
}

bool command_succeeded(const struct plan_step *step, int status)
{
	if (!*step->exit)
		return !status;
	for (const char **allowed = step->exit; *allowed; allowed++)
		if (command_status_parse(*allowed) == status)
			return true;
	return false;
}

const char *command_refusal(const struct plan_step *step, int status, const char *output)
{
	for (const char **refused = step->refused; status && *refused; refused++) {
		int number = command_errno_parse(*refused);

		if (number ? strstr(output, strerror(number)) || strstr(output, *refused)
			   : command_status_parse(*refused) == status)
			return *refused;
	}
	return NULL;
}
