// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/command.h"
#include "scenario/loader.h"

#include <stdint.h>
#include <stdio.h>

static int check(const struct command_line *line)
{
	int code = 0;

	for (size_t i = 0; i < line->operand_count; i++) {
		struct plan plan = {0};
		struct hl_error err = HL_ERROR_INIT;

		if (scenario_load(line->operands[i], &plan, &err)) {
			fprintf(stderr, "%s\n", err.text);
			code = 2;
		} else {
			printf("%s: %s is valid\n", line->operands[i], plan.scenario);
		}
		plan_free(&plan);
	}
	return code;
}

const struct command command_check = {
	.name = "check",
	.summary = "check scenario files without running them",
	.operands = "FILE...",
	.help = "Prints FILE:LINE:COLUMN, the line and a hint for the first error of each file.\n\n"
		"Exit code: 0 all are valid, 2 some are not.\n",
	.example = "hanglab check scenarios/*.yaml\n",
	.fewest = 1,
	.most = SIZE_MAX,
	.run = check,
};
