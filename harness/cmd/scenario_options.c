// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/scenario_options.h"

#include "base/cleanup.h"
#include "base/units.h"
#include "run/verdict.h"
#include "scenario/loader.h"
#include "scenario/override.h"

#include <string.h>

int scenario_option_count(const struct command_line *line, const char *option, size_t otherwise,
			  size_t *count)
{
	const char *text = command_option(line, option);
	struct hl_error err = HL_ERROR_INIT;
	int64_t value = (int64_t)otherwise;

	if (text && (units_parse_integer(text, &value, &err) || value < 1 || value > 100000))
		return command_usage_error(line, "--%s: '%s' is not a count from 1 to 100000", option, text);
	*count = (size_t)value;
	return 0;
}

int scenario_option_multiplier(const struct command_line *line, double *multiplier)
{
	const char *text = command_option(line, "timeout-multiplier");
	char *end;

	if (!text)
		text = getenv("HANGLAB_TIMEOUT_MULTIPLIER");
	*multiplier = text ? strtod(text, &end) : 1;
	if (text && (*end || !(*multiplier >= 0.01 && *multiplier <= 1000)))
		return command_usage_error(
			line, "the timeout multiplier '%s' is not a number from 0.01 to 1000", text);
	return 0;
}

/* Options of the command line that change the scenario: option, object in the plan, key in it. */
static const struct {
	const char *option, *object, *key;
} overrides[] = {
	{"kernel", "vm", "kernel"}, {"clock", "vm", "clock"},		{"accel", "vm", "accel"},
	{"seed", NULL, "seed"},	    {"postmortem", NULL, "postmortem"},
};

static int override_sysctls(const struct command_line *line, const char *path, struct plan *plan)
{
	struct hl_error err = HL_ERROR_INIT;
	const char *setting;
	size_t position = 0;

	while ((setting = command_option_next(line, "sysctl", &position))) {
		cleanup_free char *key = strdup(setting);
		char *value = strchr(key, '=');

		if (!value || value == key)
			return command_usage_error(line, "--sysctl: '%s' is not KEY=VALUE", setting);
		*value++ = '\0';
		if (scenario_override(path, plan, "sysctl", key, value, &err))
			return command_usage_error(line, "--sysctl %s: %s", setting, err.text);
	}
	return 0;
}

int scenario_options_load_unswept(const struct command_line *line, const char *path, struct plan *plan)
{
	struct hl_error err = HL_ERROR_INIT;

	if (scenario_load(path, plan, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return verdict_exit_code(VERDICT_BROKEN);
	}
	for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++) {
		const char *value = command_option(line, overrides[i].option);

		if (value &&
		    scenario_override(path, plan, overrides[i].object, overrides[i].key, value, &err))
			return command_usage_error(line, "--%s %s: %s", overrides[i].option, value, err.text);
	}
	return 0;
}

int scenario_options_load(const struct command_line *line, const char *path, struct plan *plan)
{
	int code = scenario_options_load_unswept(line, path, plan);

	return code ? code : override_sysctls(line, path, plan);
}
