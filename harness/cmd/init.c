// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "cmd/command.h"
#include "cmd/skeleton.h"

#include <stdio.h>

#define FAILED 2

static int run(const struct command_line *line)
{
	static const struct {
		const char *skeleton, *path;
	} files[] = {
		{"scenario.yaml", "first.yaml"}, {"README.md", "README.md"}, {"gitignore", ".gitignore"}};
	const char *folder = line->operand_count ? line->operands[0] : ".";
	struct hl_error err = HL_ERROR_INIT;
	int r = file_make_folders(folder, &err);

	for (size_t i = 0; !r && i < sizeof(files) / sizeof(files[0]); i++) {
		cleanup_free char *path = file_path("%s/%s", folder, files[i].path);

		r = skeleton_write(files[i].skeleton, "first", path, &err);
		if (!r)
			printf("wrote %s\n", path);
	}
	if (r)
		return command_error(line, FAILED, &err);
	printf("%s/README.md says how to go on.\n", folder);
	return 0;
}

const struct command command_init = {
	.name = "init",
	.summary = "make a folder to start from: a scenario that runs, and how to go on",
	.operands = "[FOLDER]",
	.help = "Writes first.yaml, README.md and .gitignore into FOLDER, by default this one. Nothing that "
		"is\n"
		"there is overwritten.\n\n"
		"Exit code: 0, or 2 when a file could not be written.\n",
	.example = "hanglab init lockups\n",
	.most = 1,
	.run = run,
};
