// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweep/sweep_file.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/schema.h"
#include "scenario/loader.h"
#include "sweep/want.h"

#include <string.h>

static const struct parameter values[] = {
	{.name = "sweep",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct sweep_file, sweep),
	 .required = true,
	 .help = "its name"},
	{.name = "summary",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct sweep_file, summary),
	 .help = "one line for people"},
	{.name = "scenario",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct sweep_file, scenario),
	 .required = true,
	 .help = "scenario file, from the folder of the sweep"},
	{.name = "event",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct sweep_file, event),
	 .help = "the event that counts as a report; default: the first that the scenario expects"},
	{.name = "repeat",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct sweep_file, repeat),
	 .fallback = "1",
	 .least = 1,
	 .most = 1000,
	 .help = "runs of each kind"},
	{.name = "load",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct sweep_file, load),
	 .fallback = "5s",
	 .help = "how long the heavy but healthy load lasts; 0 for none"},
	{.name = "keep",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct sweep_file, keep),
	 .help = "how long a fault goes on after it was reported; default: as in the scenario"},
	{.name = NULL},
};

static const struct schema_key keys[] = {
	{.name = "sysctl",
	 .kind = SCHEMA_MAP,
	 .offset = offsetof(struct sweep_file, sysctl),
	 .help = "sysctls and their values: NAME: 5, 10, 20"},
	{.name = "boot",
	 .kind = SCHEMA_MAP,
	 .offset = offsetof(struct sweep_file, boot),
	 .help = "boot parameters and their values"},
	{.name = "want",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct sweep_file, want),
	 .help = "what a value must satisfy"},
	{.name = "hold",
	 .kind = SCHEMA_TEXTS,
	 .offset = offsetof(struct sweep_file, hold),
	 .help = "further times for which the fault is held"},
	{.name = NULL},
};

const struct schema sweep_file_schema = {"a sweep", sizeof(struct sweep_file), values, keys};

bool sweep_file_is(const char *path)
{
	cleanup_free char *text = NULL;

	if (file_read(path, &text, NULL, NULL))
		return false;
	return !strncmp(text, "sweep:", strlen("sweep:")) || strstr(text, "\nsweep:");
}

/* As the loader does for scenarios: what is wrong is pointed at. */
static int check(const char *path, const struct sweep_file *file, struct hl_error *err)
{
	for (const char **text = file->want; *text; text++) {
		struct hl_error why = HL_ERROR_INIT;
		struct want want;

		if (want_parse(*text, &want, &why))
			return scenario_error(err, path, schema_position(file->source, "want"), "%s",
					      why.text);
	}
	if (!file->sysctl && !file->boot)
		return scenario_error(err, path, schema_position(file->source, NULL),
				      "it tries nothing: it needs sysctl or boot");
	return 0;
}

int sweep_file_load(const char *path, struct sweep_file *file, struct hl_error *err)
{
	struct arena arena = {NULL};
	json_t *json = NULL;
	int r = scenario_convert(path, &sweep_file_schema, &json, err);

	if (!r)
		r = schema_load(&sweep_file_schema, json, file, &arena, err);
	file->json = json;
	file->arena = arena;
	return r ? r : check(path, file, err);
}

void sweep_file_clear(struct sweep_file *file)
{
	json_decref(file->json);
	arena_free(&file->arena);
	*file = (struct sweep_file){0};
}
