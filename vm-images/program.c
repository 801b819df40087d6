// SPDX-License-Identifier: GPL-2.0-or-later
#include "program.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "workspace.h"

#define COMPILE_TIMEOUT_MS 60000

int program_compile(const char *source, char **image, size_t *size, struct hl_error *err)
{
	cleanup_with(workspace_close) struct workspace workspace = WORKSPACE_NONE;
	cleanup_free char *folder = NULL, *output = NULL;
	int r = file_cache_folder("programs", &folder, err);

	if (!r && access(source, R_OK))
		r = hl_error_errno(err, errno, "open %s", source);
	if (!r)
		r = workspace_open(&workspace, folder, err);
	if (r)
		return r;
	output = file_path("%s/program", workspace.path);
	r = process_run((const char *const[]){PROGRAM_COMPILER, "-static", "-O2", "-D_GNU_SOURCE", "-pthread",
					      "-o", output, source, NULL},
			COMPILE_TIMEOUT_MS, NULL, err);
	if (r)
		return hl_error_prefix(err, "compile %s", source);
	return file_read(output, image, size, err);
}
