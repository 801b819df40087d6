// SPDX-License-Identifier: GPL-2.0-or-later
#include "programs.h"

#include "base/cleanup.h"
#include "base/file.h"

int programs_use(struct hl_error *err)
{
	cleanup_free char *folder = NULL, *extended = NULL;
	const char *path = getenv("PATH");
	int r = file_cache_folder("programs", &folder, err);

	if (r)
		return r;
	extended = file_path("%s:%s/usr/sbin:%s/usr/bin:%s/sbin:%s/bin", path ? path : "/usr/sbin:/usr/bin:/sbin:/bin",
			     folder, folder, folder, folder);
	return setenv("PATH", extended, 1) ? hl_error_errno(err, errno, "set PATH") : 0;
}
