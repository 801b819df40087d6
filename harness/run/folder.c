// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/folder.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MOST_PER_SECOND 10000

/* Replaced by rename(2), so that the link never misses; a folder called "latest" is left alone. */
static void link_latest(const char *out, const char *name)
{
	cleanup_free char *link = file_path("%s/latest", out);
	cleanup_free char *fresh = file_path("%s/%s/.latest", out, name);

	if (symlink(name, fresh) || rename(fresh, link))
		unlink(fresh);
}

int run_folder_create(const char *out, const char *scenario, char **path, struct hl_error *err)
{
	cleanup_free char *absolute = NULL;
	time_t now = time(NULL);
	char stamp[32];
	struct tm local;
	int r;

	r = file_make_folders(out, err);
	if (r)
		return r;
	absolute = realpath(out, NULL);
	if (!absolute)
		return hl_error_errno(err, errno, "find %s", out);
	localtime_r(&now, &local);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &local);
	for (int i = 0; i < MOST_PER_SECOND; i++) {
		char number[16] = "";
		cleanup_free char *name = NULL, *candidate = NULL;

		if (i)
			snprintf(number, sizeof(number), "-%d", i);
		name = file_path("%s-%s%s", scenario, stamp, number);
		candidate = file_path("%s/%s", absolute, name);
		if (!mkdir(candidate, 0755)) {
			link_latest(absolute, name);
			*path = take_pointer(candidate);
			return 0;
		}
		if (errno != EEXIST)
			return hl_error_errno(err, errno, "create the run folder %s", candidate);
	}
	return hl_error_set(err, EEXIST, "too many runs in %s", absolute);
}
