// SPDX-License-Identifier: GPL-2.0-or-later
/* One scenario with timeouts of 20 s in real and in virtual time: the events are the same, the waiting is
 * not. */
#include "common/measure.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIO "tests/bench/clocks.yaml"

/* Kind and title of each event, in order; newly allocated. */
static char *events_of(const json_t *result)
{
	const json_t *event;
	char *text = NULL;
	size_t size = 0, i;
	FILE *out = open_memstream(&text, &size);

	json_array_foreach (json_object_get(result, "events"), i, event)
		fprintf(out, "    %s: %s\n", json_string_value(json_object_get(event, "kind")),
			json_string_value(json_object_get(event, "title")));
	fclose(out);
	return text;
}

static char *run(const char *clock, double *wall)
{
	const char *const arguments[] = {"--clock", clock, SCENARIO, NULL};
	struct sample sample;
	char *events;

	if (!measure_run(arguments, &sample))
		target_missed(SCENARIO " did not pass");
	*wall = sample.wall;
	events = events_of(json_array_get(sample.results, 0));
	printf("  %s: %.1f s wall\n%s", clock, *wall, events);
	sample_free(&sample);
	return events;
}

int main(void)
{
	double wall_real, wall_virtual;
	cleanup_free char *real = run("real", &wall_real), *virtual = run("virtual", &wall_virtual);

	if (strcmp(real, virtual) != 0 || !*real)
		target_missed("the events differ");
	target("real time is slower, times", wall_real / wall_virtual, ">=", 1);
	return targets_status();
}
